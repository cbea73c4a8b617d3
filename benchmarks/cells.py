"""Milliseconds of one training step of every cell, against torch.nn of the same size, and against its eager loop; and of predictions.

A step is the forward pass over 32 equally long sequences of 8 channels, the sum of the squared outputs as the loss, and the backward pass to the
weights. torch.nn gets the plain (T, B, F) tensor, its fastest way; a cell gets the packed batch, its only way. Two cells are such as users write.
Where torch finds a GPU, a second table has the times there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from inspect import signature
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from skrnn import cells
from skrnn.engine import generating, limit_threads, scan
from skrnn.engine._compiled import compiling, scan_compiled

from ._timing import Contender, Times, busy_neighbour, machine, progress, race, table, torch_threads

_BATCH, _CHANNELS = 32, 8
_VARIANTS = {
    "LSTM": {"peephole": {"peephole": True}, "coupled": {"forget": "coupled"}, "none": {"forget": "none"}, "block_size=4": {"block_size": 4}},
    "GRU": {"before": {"reset": "before"}, "gru1": {"gates": "gru1"}, "gru2": {"gates": "gru2"}, "gru3": {"gates": "gru3"}},
    "Elman": {"relu": {"activation": "relu"}, "sigmoid": {"activation": "sigmoid"}},
}
_AROUND = {"LSTM": cells.LSTM, "GRU": cells.GRU}  # what wrappers are measured around, beside their default
_REFERENCES: dict[str, dict[str, Callable[..., nn.Module]]] = {
    "LSTM": {"nn.LSTM": nn.LSTM},
    "GRU": {"nn.GRU": nn.GRU, "nn.LSTM": nn.LSTM},
    "Elman": {"nn.RNN": nn.RNN, "nn.LSTM": nn.LSTM},
}
_OTHER_CELLS: dict[str, Callable[..., nn.Module]] = {"nn.LSTM": nn.LSTM}
_OTHERS = ("nn.LSTM", "nn.GRU", "nn.RNN", "eager")
_NOISY, _LARGE = ("Zoneout", "RecurrentDropout"), ("Hyper", "DepthGatedLSTM", "Multiplicative")
_SIZES, _STEPS = [16, 32, 64, 128], [100, 1000]


@dataclass(frozen=True)
class Setting:
    """A cell with its hyper-parameters, and the torch modules of the same size that it is compared with."""

    name: str
    make: Callable[[], cells.Cell]
    references: dict[str, Callable[..., nn.Module]]

    @property
    def family(self) -> str:
        return self.name.partition(" ")[0]


@dataclass(frozen=True)
class Case:
    """What one row of the table was measured for."""

    setting: Setting
    size: int
    steps: int
    threads: int
    busy: bool


@dataclass(frozen=True)
class Claim:
    """The time of some cells divided by a reference's is at most ``limit``, in the cases that are meant."""

    text: str
    reference: str
    limit: float
    meant: Callable[[Case], bool]
    ours: str = "ours"


def _standard(case: Case, size: int = 32) -> bool:
    return (case.size, case.steps, case.threads, case.busy) == (size, 100, 1, False)


def _is_one(case: Case, *families: str) -> bool:
    return case.setting.family in families


def _lstm(case: Case, *, busy: bool, threads: int) -> bool:
    of_the_benchmark = case.size in _SIZES and case.steps in _STEPS
    return case.setting.name == "LSTM default" and of_the_benchmark and case.busy == busy and case.threads == threads


CLAIMS = [
    Claim("GRU / nn.GRU ≤ 0.18", "nn.GRU", 0.18, lambda case: case.setting.name == "GRU default" and _standard(case)),
    Claim("any cell / its eager loop ≤ 1/3", "eager", 1 / 3, _standard),
    Claim("one-layer cells and wrappers / nn.LSTM ≤ 1.3", "nn.LSTM", 1.3, lambda case: _standard(case) and not _is_one(case, *_NOISY, *_LARGE)),
    Claim("Zoneout and RecurrentDropout / nn.LSTM ≤ 1.5", "nn.LSTM", 1.5, lambda case: _standard(case) and _is_one(case, *_NOISY)),
    Claim("Hyper, DepthGatedLSTM, Multiplicative / nn.LSTM ≤ 2", "nn.LSTM", 2, lambda case: _standard(case) and _is_one(case, *_LARGE)),
    Claim("any cell / nn.LSTM ≤ 1.5 at H = 128", "nn.LSTM", 1.5, partial(_standard, size=128)),
    Claim("predictions of any cell / nn.LSTM ≤ 1.2", "nn.LSTM forward", 1.2, _standard, "predict"),
    *(Claim(f"LSTM / nn.LSTM ≤ 1, threads = {n}", "nn.LSTM", 1.0, partial(_lstm, busy=False, threads=n)) for n in (1, 2)),
    *(Claim(f"LSTM / nn.LSTM ≤ 0.5, threads = {n}, beside a busy process", "nn.LSTM", 0.5, partial(_lstm, busy=True, threads=n)) for n in (1, 2)),
]


def settings() -> list[Setting]:
    """The settings of all cells."""
    found = []
    for name in cells.__all__:
        references, kind = _REFERENCES.get(name, _OTHER_CELLS), getattr(cells, name)
        around = {inner: {"cell": make()} for inner, make in _AROUND.items()} if "cell" in signature(kind).parameters else {}
        for variant, options in ({"default": {}} | _VARIANTS.get(name, {}) | around).items():
            found.append(Setting(f"{name} {variant}", partial(kind, **options), references))
    return found + [Setting(f"{kind.__name__} of a user", kind, _OTHER_CELLS) for kind in (Highway, Remembering)]


# -- cells as users write them -----------------------------------------------------------------------------------------------------------------------


class Highway(cells.Cell):
    """Two layers of torch on the input beside the state, and a gate."""

    def _build(self, generator: torch.Generator | None) -> None:
        self.inner = nn.Sequential(nn.Linear(self.input_size + self.hidden_size, self.hidden_size), nn.Tanh(), nn.LayerNorm(self.hidden_size))
        self.gate = nn.Linear(self.input_size + self.hidden_size, self.hidden_size)

    def step(self, u: Tensor, state: Any) -> tuple[Tensor, Any]:
        both = torch.cat([u, state], -1)
        g = torch.sigmoid(self.gate(both))
        h = g * state + (1 - g) * self.inner(both)
        return h, h


class Remembering(cells.Cell):
    """Eight vectors that are read and written by the softmax of scores."""

    def _build(self, generator: torch.Generator | None) -> None:
        self.key = nn.Linear(self.input_size + self.hidden_size, self.hidden_size)
        self.new = nn.Linear(self.input_size + self.hidden_size, self.hidden_size)

    def initial_state(self, batch_size: int, *, like: Tensor) -> Any:
        return like.new_zeros(batch_size, self.hidden_size), like.new_zeros(batch_size, 8, self.hidden_size) + 0.01

    def step(self, u: Tensor, state: Any) -> tuple[Tensor, Any]:
        h, memory = state
        both = torch.cat([u, h], -1)
        share = torch.softmax((memory @ self.key(both)[..., None])[..., 0] / self.hidden_size**0.5, -1)
        memory = memory + share[..., None] * (torch.tanh(self.new(both))[:, None] - memory)
        h = torch.tanh((share[:, None] @ memory)[:, 0])
        return h, (h, memory)


# -- on a CPU ------------------------------------------------------------------------------------------------------------------------------------


def _packed(x: Tensor) -> PackedSequence:
    return PackedSequence(x.flatten(0, 1), torch.full((x.shape[0],), x.shape[1]))


def _train(module: nn.Module, forward: Callable[[], Tensor]) -> None:
    module.zero_grad(set_to_none=True)
    loss = forward().square().sum()
    if loss.requires_grad:  # a reservoir has no weights to learn
        loss.backward()


def _contenders(case: Case) -> Iterator[Contender]:
    torch.manual_seed(0)
    x = torch.randn(case.steps, _BATCH, _CHANNELS)
    packed, ours = _packed(x), partial(limit_threads, case.threads)
    built = case.setting.make().build(_CHANNELS, case.size)
    yield Contender("ours", partial(_train, built, lambda: scan(built, packed)[0].data), ours)
    for name, kind in case.setting.references.items():
        module = kind(_CHANNELS, case.size)
        yield Contender(name, partial(_train, module, partial(_outputs, module, x)), partial(torch_threads, case.threads))
    eager = case.setting.make().build(_CHANNELS, case.size)
    eager.kernel = lambda: None
    yield Contender(
        "eager", partial(_train, eager, lambda: scan(eager, packed)[0].data), partial(_step_by_step, case.threads), 5 if case.steps < 500 else 2
    )
    lstm = nn.LSTM(_CHANNELS, case.size)
    predicting = case.setting.make().build(_CHANNELS, case.size).eval()
    yield Contender("predict", torch.no_grad()(lambda: scan(predicting, packed)), ours)
    yield Contender("nn.LSTM forward", torch.no_grad()(lambda: lstm(x)), partial(torch_threads, case.threads))


@contextmanager
def _step_by_step(n_threads: int) -> Iterator[None]:
    with generating(False), limit_threads(n_threads):
        yield


def _outputs(module: nn.Module, x: Tensor) -> Tensor:
    return module(x)[0]


# -- on a GPU --------------------------------------------------------------------------------------------------------------------------------------


def _gpu() -> str | None:
    return "cuda" if torch.cuda.is_available() else None


def _gpu_row(setting: Setting, size: int, steps: int, device: str, seconds: float) -> dict[str, Any]:
    """Ours as the engine does it in a long fit, its eager loop and torch.nn, on one device."""
    torch.manual_seed(0)
    x = torch.randn(steps, _BATCH, _CHANNELS, device=device)
    packed = _packed(x)
    ours, eager = (setting.make().build(_CHANNELS, size).to(device).train() for _ in range(2))
    eager.kernel = lambda: None
    runs: dict[str, tuple[nn.Module, Callable[[], Tensor]]] = {
        "ours": (ours, lambda: scan(ours, packed)[0].data),
        "eager": (eager, lambda: scan(eager, packed)[0].data),
    }
    for name, kind in setting.references.items():
        module = kind(_CHANNELS, size).to(device)
        runs[name] = module, partial(_outputs, module, x)
    contenders = []
    for name, (module, forward) in runs.items():
        within = partial(compiling, *[device.partition(":")[0]] * (name == "ours"))
        contenders.append(Contender(name, partial(_train_and_wait, module, forward, device), within, most_rounds=5 if name == "eager" else None))
    times = race(contenders, seconds=seconds)
    row: dict[str, Any] = {"cell": setting.name, "H": size, "T": steps, "ours": _way(ours, packed)}
    for name in _OTHERS:
        row[f"GPU / {name}"] = times["ours"].ratio(times[name]) if name in times else None
    for name in ("ours", *_OTHERS):
        row[f"GPU {name} ms"] = times[name].summary if name in times else None
    return row


def _train_and_wait(module: nn.Module, forward: Callable[[], Tensor], device: str) -> None:
    _train(module, forward)
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def _way(cell: cells.Cell, packed: PackedSequence) -> str:
    """How the engine runs a cell that learns for long."""
    state, kernel = cell.initial_state(_BATCH, like=packed.data), cell.kernel()
    if kernel is not None and kernel(packed, state, False) is not None:
        return "kernel"
    with compiling(packed.data.device.type):
        return "eager" if scan_compiled(cell, packed, state, False) is None else "compiled"


# -- tables ----------------------------------------------------------------------------------------------------------------------------------------


def _row(case: Case, times: dict[str, Times]) -> dict[str, Any]:
    row: dict[str, Any] = {"cell": case.setting.name, "H": case.size, "T": case.steps, "threads": case.threads}
    row["beside"] = "busy" if case.busy else "quiet"
    for name in _OTHERS:
        row[f"/ {name}"] = times["ours"].ratio(times[name]) if name in times else None
    row["predict / nn.LSTM"] = times["predict"].ratio(times["nn.LSTM forward"])
    for name in ("ours", *_OTHERS, "predict"):
        row[f"{name} ms"] = times[name].summary if name in times else None
    return row


def _relative(measured: list[tuple[Case, dict[str, Times]]]) -> dict[str, float]:
    """Of each setting, as it was first measured."""
    return {case.setting.name: round(times["ours"].ratio(times["nn.LSTM"]), 2) for case, times in reversed(measured) if "nn.LSTM" in times}


def _verdicts(measured: list[tuple[Case, dict[str, Times]]]) -> list[dict[str, Any]]:
    rows = []
    for claim in CLAIMS:
        ratios = [
            (times[claim.ours].ratio(times[claim.reference]), case) for case, times in measured if claim.meant(case) and claim.reference in times
        ]
        if not ratios:
            rows.append({"claim": claim.text, "worst": None, "where": "not measured", "holds": None})
            continue
        worst, case = max(ratios, key=lambda pair: pair[0])
        where = f"{case.setting.name}, H = {case.size}, T = {case.steps}, threads = {case.threads}"
        rows.append({"claim": claim.text, "worst": worst, "where": where, "holds": "yes" if worst <= claim.limit else "NO"})
    return rows


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cells", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES, help="units H")
    parser.add_argument("--steps", type=int, nargs="+", default=_STEPS, help="time steps T")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cells", nargs="+", default=[], help="only settings whose names begin with one of these, for example LSTM 'GRU before'")
    parser.add_argument("--busy", action="store_true", help="measure a second time, beside one busy process")
    parser.add_argument("--seconds", type=float, default=3.0, help="time budget of a row")
    parser.add_argument("--gpu", default=_gpu(), metavar="DEVICE", help="measure on this device too; by default the GPU that torch finds")
    parser.add_argument("--json", type=Path, help="also write a file with the time of each cell divided by nn.LSTM's, at the first size")
    parser.add_argument("--quick", action="store_true", help="one small row of each cell: does it run?")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        arguments.sizes, arguments.steps, arguments.threads, arguments.seconds = [8], [5], [1], 0.0
    return arguments


def _name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else f"the device {device!r}"


def _beside(busy: bool) -> AbstractContextManager[None]:
    return busy_neighbour() if busy else nullcontext()


def main(argv: list[str] | None = None) -> None:
    """Print the table and whether the claims hold."""
    asked = _arguments(argv)
    chosen = [s for s in settings() if not asked.cells or s.name.startswith(tuple(asked.cells))]
    if not chosen:
        raise SystemExit(f"no such cells: {asked.cells}; there are {[s.name for s in settings()]}")
    measured = []
    for busy in (False, True) if asked.busy else (False,):
        with _beside(busy):
            for threads, steps, size, setting in product(asked.threads, asked.steps, asked.sizes, chosen):
                case = Case(setting, size, steps, threads, busy)
                measured.append((case, race(list(_contenders(case)), seconds=asked.seconds)))
                progress(_row(*measured[-1]))
    print(machine())
    print(f"\nOne training step, B = {_BATCH}, F = {_CHANNELS}. '/ x': our time divided by that of x, median over rounds; below 1 is faster.")
    print("ms: median, least, CPU time of all threads.\n")
    print(table([_row(case, times) for case, times in measured]))
    print("\n" + table(_verdicts(measured)))
    if asked.gpu:
        print(f"\nThe same on {_name(asked.gpu)}. 'ours' is the kernel, the compiled steps or the eager loop that the engine takes in a long fit.\n")
        print(table([_gpu_row(s, size, steps, asked.gpu, asked.seconds) for steps, size, s in product(asked.steps, asked.sizes, chosen)]))
    if asked.json:
        asked.json.write_text(json.dumps(_relative(measured), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
