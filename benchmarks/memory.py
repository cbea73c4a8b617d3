"""Memory of big fits: how far a process grows beyond what it had before the data were made (Linux).

Many short sequences, one very long sequence with truncated back-propagation, and a memory-mapped array larger than what may be copied of it.
Every case runs in a process of its own. The growth may be that of the data and a constant; a memory-mapped array counts as no data, and for
it the anonymous memory is measured, since pages of the file that happen to be in memory cost nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ._timing import apart, machine, progress, table

_CONSTANT = 500  # MB that every fit may take beyond its data
_CASES = ["many", "long", "long-bidirectional", "mapped"]


class Peak:
    """Largest growth of this process in MB: of all resident memory and of its anonymous part."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # VmHWM, the peak that getrusage reports too, starts again from what is resident now
        self._before = _status()
        self._anonymous = self._before["RssAnon"]
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def _sample(self) -> None:
        while not self._done.wait(0.01):
            self._anonymous = max(self._anonymous, _status()["RssAnon"])

    def stop(self) -> tuple[float, float]:
        """Growth of resident memory, growth of anonymous memory."""
        self._done.set()
        self._sampler.join()
        return _status()["VmHWM"] - self._before["VmRSS"], self._anonymous - self._before["RssAnon"]


def _status() -> dict[str, float]:
    """Sizes in /proc/self/status, in MB."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) * 1024 / 1e6 for line in lines if line[-1] == "kB"}


def _warm_up(**options: Any) -> None:
    """Import and compile what the case needs, so that it does not count."""
    import numpy as np

    from skrnn import RNNClassifier

    RNNClassifier(hidden_size=8, max_epochs=1, **options).fit(np.zeros((4, 600, 1), np.float32), [0, 1, 0, 1]).predict(np.zeros((2, 5, 1)))


@contextmanager
def _measured(figures: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    figures[f"{stage} s"] = time.perf_counter() - start


def many(n: int) -> dict[str, Any]:
    """Fit ``n`` sequences of 10 steps for an epoch, and predict them."""
    options: dict[str, Any] = {"batch_size": 4096, "bidirectional": False}
    _warm_up(**options)
    import numpy as np

    from skrnn import RNNClassifier

    peak, rng, figures = Peak(), np.random.default_rng(0), {}
    X = rng.standard_normal((n, 10, 1), dtype=np.float32)
    y = (X[:, -1, 0] > 0).astype(np.int8)
    with _measured(figures, "fit"):
        model = RNNClassifier(hidden_size=8, max_epochs=1, **options).fit(X, y)
    with _measured(figures, "predict"):
        model.predict(X)
    growth, _ = peak.stop()
    return {"case": f"{n:,} sequences × 10 steps", "data MB": (X.nbytes + y.nbytes) / 1e6, "growth MB": growth} | figures


def long(n: int, *, bidirectional: bool) -> dict[str, Any]:
    """Fit a sequence of ``n`` steps and a shorter one by truncated back-propagation for an epoch, and predict them."""
    options: dict[str, Any] = {"rule": "truncated_bptt", "bidirectional": bidirectional}
    _warm_up(**options)
    import numpy as np

    from skrnn import RNNClassifier

    peak, rng, figures = Peak(), np.random.default_rng(0), {}
    X = [rng.standard_normal((length, 1), dtype=np.float32) for length in (n, n // 10)]
    with _measured(figures, "fit"):
        model = RNNClassifier(hidden_size=8, max_epochs=1, **options).fit(X, [0, 1])
    with _measured(figures, "predict"):
        model.predict(X)
    growth, _ = peak.stop()
    name = f"{n:,} steps, truncated" + (", bidirectional" if bidirectional else "")
    return {"case": name, "data MB": sum(x.nbytes for x in X) / 1e6, "growth MB": growth} | figures


def mapped(n: int) -> dict[str, Any]:
    """Fit a memory-mapped array of ``n`` sequences of 100 steps and 10 channels for an epoch."""
    options: dict[str, Any] = {"batch_size": 1024, "bidirectional": False}
    _warm_up(**options)
    import numpy as np

    from skrnn import RNNClassifier

    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        X, y = _written(Path(folder) / "X.npy", n), np.arange(n) % 2
        peak = Peak()
        with _measured(figures, "fit"):
            model = RNNClassifier(hidden_size=8, max_epochs=1, **options).fit(X, y)
        with _measured(figures, "predict"):
            model.predict(X)
        _, growth = peak.stop()
        size = X.nbytes / 1e6
    return {"case": f"{n:,} sequences in a file of {size:.0f} MB", "data MB": 0.0, "growth MB": growth} | figures


def _written(path: Path, n: int) -> Any:
    """A memory-mapped array that was written in pieces."""
    import numpy as np

    rng, X = np.random.default_rng(0), np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, 100, 10))
    for low in range(0, n, 10_000):
        X[low : low + 10_000] = rng.standard_normal((min(10_000, n - low), 100, 10), dtype=np.float32)
    X.flush()
    return np.load(path, mmap_mode="r")


def _cases(asked: argparse.Namespace) -> dict[str, Callable[[], dict[str, Any]]]:
    return {
        "many": lambda: many(asked.sequences),
        "long": lambda: long(asked.steps, bidirectional=False),
        "long-bidirectional": lambda: long(asked.steps, bidirectional=True),
        "mapped": lambda: mapped(asked.mapped),
    }


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=_CASES, default=_CASES)
    parser.add_argument("--sequences", type=int, default=1_000_000, help="of 10 steps")
    parser.add_argument("--steps", type=int, default=1_000_000, help="of the long sequence")
    parser.add_argument("--mapped", type=int, default=250_000, help="sequences in the file, 4 kB each")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.quick:
        arguments.sequences, arguments.steps, arguments.mapped = 1000, 2000, 1000
    return arguments


def _in_own_process(name: str, asked: argparse.Namespace) -> dict[str, Any]:
    sizes = [f"--{size}={getattr(asked, size)}" for size in ("sequences", "steps", "mapped")]
    row = json.loads(apart(__spec__.name, f"--child={name}", *sizes).splitlines()[-1])
    row["constant MB"] = _CONSTANT
    row["holds"] = "yes" if row["growth MB"] <= row["data MB"] + _CONSTANT else "NO"
    progress(row)
    return row


def main(argv: list[str] | None = None) -> None:
    """Print the table: growth, and whether it is at most data + constant."""
    asked = _arguments(argv)
    if asked.child:
        print(json.dumps(_cases(asked)[asked.child]()))
        return
    rows = [_in_own_process(name, asked) for name in asked.cases]
    print(
        machine()
        + f"\n\nGrowth of the process while data are made, fitted for an epoch (GRU, H = 8) and predicted; it holds if ≤ data + {_CONSTANT} MB.\n"
    )
    print(table(rows))


if __name__ == "__main__":
    main()
