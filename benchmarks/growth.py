"""Does a training step cost ten times as much for sequences ten times as long?

A step is that of benchmarks.cells: forward, the sum of the squared outputs, backward, over 32 sequences of 8 channels, on one thread.
"""

from __future__ import annotations

import argparse
from functools import partial

import torch

from skrnn.engine import limit_threads, scan

from ._timing import Contender, machine, progress, race, table
from .cells import _BATCH, _CHANNELS, Setting, _packed, _train, settings

_STEPS = (100, 1000, 10_000)
_LIMIT = 1.5


def _row(setting: Setting, size: int, steps: tuple[int, ...], seconds: float) -> dict[str, object]:
    contenders = []
    for n in steps:
        cell, packed = setting.make().build(_CHANNELS, size), _packed(torch.randn(n, _BATCH, _CHANNELS, generator=torch.Generator().manual_seed(0)))
        work = partial(_train, cell, lambda cell=cell, packed=packed: scan(cell, packed)[0].data)
        contenders.append(Contender(str(n), work, partial(limit_threads, 1), most_rounds=3 if n == steps[-1] else None))
    times = race(contenders, seconds=seconds)
    first = times[str(steps[0])]
    growth = {f"T = {n}": times[str(n)].ratio(first) / (n / steps[0]) if str(n) in times else None for n in steps[1:]}
    return {"cell": setting.name, f"T = {steps[0]}, ms": first.summary} | growth


def main(argv: list[str] | None = None) -> None:
    """Print time divided by the number of steps, in units of that of the shortest sequences."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", default=[], help="only settings whose names begin with one of these")
    parser.add_argument("--size", type=int, default=32, help="units H")
    parser.add_argument("--seconds", type=float, default=1.0, help="time budget of a row")
    parser.add_argument("--quick", action="store_true", help="short sequences: does it run?")
    asked = parser.parse_args(argv)
    steps = (5, 10, 20) if asked.quick else _STEPS
    chosen = [s for s in settings() if s.name.startswith(tuple(asked.cells)) or not asked.cells]
    rows = []
    for setting in chosen:
        rows.append(_row(setting, asked.size, steps, 0.0 if asked.quick else asked.seconds))
        progress(rows[-1])
    print(machine())
    print(
        f"\nTime of a time step, in units of that at T = {steps[0]}; B = {_BATCH}, F = {_CHANNELS}, H = {asked.size}. ms: median, least, CPU time.\n"
    )
    print(table(rows))
    worst = max(
        (float(str(row[name])), str(row["cell"]), name) for row in rows for name in row if name.startswith("T = ") and isinstance(row[name], float)
    )
    verdict = {"claim": f"no step costs more than {_LIMIT} times as much in longer sequences", "worst": worst[0], "where": f"{worst[1]}, {worst[2]}"}
    print("\n" + table([verdict | {"holds": "yes" if worst[0] <= _LIMIT else "NO"}]))


if __name__ == "__main__":
    main()
