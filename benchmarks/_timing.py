"""Fair timing in one process: competitors take turns, and only ratios within a round are compared."""

from __future__ import annotations

import gc
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

import skrnn

_PAUSE = 0.02  # seconds before each turn: idle OpenMP threads spin for about 10 ms after their last work, and would burden the next one
_TURN = 0.03  # seconds that a turn lasts at least: a short piece of work is repeated within it, as it is in training


@dataclass(frozen=True)
class Contender:
    """Work to be timed.

    Parameters
    ----------
    name : str
    work : callable
        What is timed.
    setting : callable
        Makes the context (number of threads) in which the work runs; entered outside the timing.
    most_rounds : int or None
        Rounds after which slow work is left out; its ratios are those of the rounds that it took part in.
    """

    name: str
    work: Callable[[], object]
    setting: Callable[[], AbstractContextManager[object]] = nullcontext
    most_rounds: int | None = None


@dataclass
class Times:
    """Milliseconds of one call, round by round: on the wall, and of CPU time over all threads of this process."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def ratio(self, reference: Times) -> float:
        """Median over the rounds of this wall time divided by the reference's in the same round; below 1 is faster than the reference."""
        rounds = min(len(self.wall), len(reference.wall))
        return float(np.median(np.divide(self.wall[:rounds], reference.wall[:rounds])))

    @property
    def summary(self) -> str:
        """Median and least wall time, and median CPU time."""
        return ", ".join(_text(float(ms)) for ms in (np.median(self.wall), min(self.wall), np.median(self.cpu)))


def race(contenders: Sequence[Contender], *, seconds: float, least_rounds: int = 3, most_rounds: int = 1000) -> dict[str, Times]:
    """Time contenders in rounds A B C, A B C, … until the budget of ``seconds`` is spent; compiling and warm-up come before.

    There are ``least_rounds`` rounds, fewer only if one of them takes longer than the budget.
    """
    calls = {c.name: _calls_in_a_turn(c) for c in contenders}
    times = {c.name: Times() for c in contenders}
    start = time.perf_counter()
    with _no_garbage_collection():
        for done in range(most_rounds):
            if done and time.perf_counter() - start > seconds * (1 if done >= least_rounds else least_rounds):
                break
            for c in contenders:
                if c.most_rounds is None or done < c.most_rounds:
                    wall, cpu = _turn(c, calls[c.name])
                    times[c.name].wall.append(wall)
                    times[c.name].cpu.append(cpu)
    return times


def _turn(contender: Contender, calls: int) -> tuple[float, float]:
    """Wall and CPU milliseconds of a call."""
    time.sleep(_PAUSE)
    with contender.setting():
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(calls):
            contender.work()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return 1e3 * wall / calls, 1e3 * cpu / calls


def _calls_in_a_turn(contender: Contender) -> int:
    first, _ = _turn(contender, 1)  # compiles, makes threads
    if first > 5000:  # long enough, even if some of it was compiling
        return 1
    wall, _ = _turn(contender, 1)
    return max(1, math.ceil(1e3 * _TURN / wall))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def torch_threads(n: int) -> Iterator[None]:
    """Let torch use ``n`` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def busy_neighbour() -> Iterator[None]:
    """One other process that computes all the time; it also ends by itself when this process is gone."""
    spin = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(1_000_000): pass"
    process = subprocess.Popen([sys.executable, "-c", spin])
    try:
        time.sleep(0.5)
        yield
    finally:
        process.kill()
        process.wait()


def machine() -> str:
    """Processor, versions and date: without them no figure means anything."""
    versions = ", ".join(f"{name} {_version(name)}" for name in ("numpy", "torch", "numba", "scikit-learn", "skorch"))
    return f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}, skrnn {_own_version()}; {date.today()}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor() or platform.machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(none)"


def _own_version() -> str:
    """Version, and the commit if there is a git checkout."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return f"{skrnn.__version__} ({subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()})"
    except (OSError, subprocess.CalledProcessError):
        return skrnn.__version__


def apart(module: str, *arguments: str, **environment: str) -> str:
    """What the ``main`` of a module prints in a process of its own, which can import what this one can, from the same places."""
    start = f"import sys; sys.path[:] = {sys.path!r}; from {module} import main; main()"
    child = subprocess.run(
        [sys.executable, "-c", start, *arguments], env={**os.environ, **environment}, check=True, stdout=subprocess.PIPE, text=True
    )
    return child.stdout


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows of the same columns as a markdown table."""
    columns = list(rows[0])
    cells = [columns, *([_text(row[c]) for c in columns] for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(columns))]
    lines = [" | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def progress(row: Mapping[str, object]) -> None:
    """Show a row on standard error as soon as it is measured."""
    print(", ".join(f"{name} {_text(value)}" for name, value in row.items() if value is not None), file=sys.stderr, flush=True)


def _text(value: object) -> str:
    if not isinstance(value, float):
        return "–" if value is None else str(value)
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
