"""Speed of language models on characters, against a plain torch loop of the same size, batch and truncation, in one run.

Training: one pass over the text in contiguous streams, the state carried on and detached, an embedding, one layer, a linear layer, Adam, clipped
gradients, on one thread. Writing: many prompts side by side, against the same texts one after the other, by this estimator and by the plain loop.
The text is that of Shakespeare where its file is there (``SKRNN_DATA`` names its folder), else one of random words.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from skrnn import RNNLanguageModel

from ._tasks import DATA
from ._timing import Contender, Times, machine, progress, race, table, torch_threads

_LAYERS = {"lstm": nn.LSTM, "gru": nn.GRU}
_LIMITS = {"lstm": 1.0, "gru": 0.5}  # CPU time divided by that of torch
_SIDE_BY_SIDE = 1 / 5
_FEW = 20  # prompts that are written one after the other, of which the time is multiplied


def text_of(n: int) -> str:
    """The first characters of Shakespeare, or words of random letters."""
    path = DATA / "tinyshakespeare.txt"
    if path.exists():
        return path.read_text(encoding="utf-8")[:n]
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("etaoinshrdlu"), rng.integers(1, 9))) for _ in range(2000)]
    return " ".join(rng.choice(words, n // 2))[:n]


class Plain(nn.Module):
    """What one writes with torch."""

    def __init__(self, cell: str, n_tokens: int, size: int) -> None:
        super().__init__()
        self.vectors, self.layer, self.head = nn.Embedding(n_tokens, size), _LAYERS[cell](size, size), nn.Linear(size, n_tokens)

    def forward(self, ids: Tensor, state: object) -> tuple[Tensor, object]:
        y, state = self.layer(self.vectors(ids), state)
        return self.head(y), state


def detached(state: object) -> object:
    """The state of a layer of torch without its gradient."""
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def learn(net: Plain, ids: Tensor, batch_size: int, n_steps: int) -> None:
    """One pass over a text."""
    streams = ids[: len(ids) // batch_size * batch_size].view(batch_size, -1).T.contiguous()
    optimizer, state = torch.optim.Adam(net.parameters(), lr=0.01), None
    for low in range(0, len(streams) - 1, n_steps):
        x, y = streams[low : low + n_steps][: len(streams) - 1 - low], streams[low + 1 : low + 1 + n_steps]
        out, state = net(x, state)
        state = detached(state)
        optimizer.zero_grad()
        nn.functional.cross_entropy(out.flatten(0, 1), y.flatten()).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()


@torch.inference_mode()
def write(net: Plain, prompts: list[Tensor], n: int) -> None:
    """Characters behind each prompt, one prompt after the other."""
    for prompt in prompts:
        out, state = net(prompt[:, None], None)
        for _ in range(n):
            token = torch.multinomial(out[-1].softmax(-1), 1)
            out, state = net(token, state)


@dataclass
class Task:
    """What is to be learned, and by whom."""

    cell: str
    text: str
    asked: argparse.Namespace

    @property
    def ids(self) -> Tensor:
        tokens = sorted(set(self.text))
        return torch.tensor([tokens.index(token) for token in self.text])

    def plain(self) -> Plain:
        return Plain(self.cell, len(set(self.text)), self.asked.hidden_size)

    def model(self) -> RNNLanguageModel:
        asked = self.asked
        sizes = {"hidden_size": asked.hidden_size, "batch_size": asked.batch_size, "bptt_steps": asked.steps}
        return RNNLanguageModel(self.cell, **sizes, dropout=0.0, max_epochs=1, n_threads=1, random_state=0)


def _learning(task: Task) -> dict[str, object]:
    ids, asked = task.ids, task.asked
    times = race(
        [
            Contender("ours", lambda: task.model().fit(task.text)),
            Contender("torch", lambda: learn(task.plain(), ids, asked.batch_size, asked.steps)),
        ],
        seconds=asked.seconds,
    )
    return _row(f"learn, {task.cell}", len(task.text), times, "torch", _LIMITS[task.cell])


def _writing(task: Task) -> list[dict[str, object]]:
    asked, model, net = task.asked, task.model().fit(task.text[:20_000]), task.plain()
    prompts = [task.text[k : k + 10] for k in range(0, 10 * asked.prompts, 10)]
    prompts = [prompt for prompt in prompts if set(prompt) <= set(model.vocabulary_)]
    few, ids = prompts[:_FEW], list(task.ids[: 10 * _FEW].split(10))

    def side_by_side() -> None:
        model.generate(prompts, asked.characters, random_state=0)

    def one_by_one() -> None:
        for prompt in few:
            model.generate(prompt, asked.characters, random_state=0)

    rows, repeated = [], len(prompts) / len(few)
    for name, alone in (("one by one", one_by_one), ("torch", lambda: write(net, ids, asked.characters))):
        times = _timed(side_by_side, alone, name, asked.seconds)
        times[name] = Times([ms * repeated for ms in times[name].wall], [ms * repeated for ms in times[name].cpu])
        rows.append(_row(f"write, {task.cell}", len(prompts) * asked.characters, times, name, _SIDE_BY_SIDE))
    return rows


def _timed(ours: Callable[[], None], other: Callable[[], None], name: str, seconds: float) -> dict[str, Times]:
    return race([Contender("ours", ours), Contender(name, other)], seconds=seconds)


def _row(what: str, n: int, times: dict[str, Times], other: str, limit: float) -> dict[str, object]:
    per_second = {name: 1e3 * n / float(np.median(t.cpu)) for name, t in times.items()}
    ratio = float(np.median(np.divide(times["ours"].cpu, times[other].cpu)))
    row = {
        "what": what,
        "other": other,
        "characters / CPU s": per_second["ours"],
        "of the other": per_second[other],
        "CPU / other": ratio,
        "claim": f"≤ {limit:.3g}",
        "holds": "yes" if ratio <= limit else "NO",
    }
    progress(row)
    return row


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=sorted(_LAYERS), default=["lstm", "gru"])
    parser.add_argument("--hidden-size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=64, help="of a piece")
    parser.add_argument("--length", type=int, default=300_000, help="characters to learn from")
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--characters", type=int, default=100, help="to write behind each prompt")
    parser.add_argument("--seconds", type=float, default=60.0, help="time budget of the rounds of a row")
    parser.add_argument("--quick", action="store_true", help="small and short: does it run?")
    asked = parser.parse_args(argv)
    if asked.quick:
        asked.hidden_size, asked.batch_size, asked.steps, asked.length = 8, 4, 8, 3000
        asked.prompts, asked.characters, asked.seconds = 40, 5, 0.1
    return asked


def main(argv: list[str] | None = None) -> None:
    """Print the table and whether the claims hold."""
    asked, rows = _arguments(argv), []
    with torch_threads(1):
        for cell in asked.cells:
            task = Task(cell, text_of(asked.length), asked)
            rows += [_learning(task), *_writing(task)]
    print(machine())
    print(f"\nH = {asked.hidden_size}, {asked.batch_size} streams, pieces of {asked.steps}; {asked.prompts} prompts.\n")
    print(table(rows))


if __name__ == "__main__":
    main()
