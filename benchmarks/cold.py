"""The first fit after installation: what it costs beyond a later one, for every cell.

Every row is a process of its own whose caches of compiled code are empty at the start, and a second one that finds what the first has left. CPU
seconds of the process: importing, the first fit of one epoch and the same fit again. What the first fit takes beyond the second is tracing, compiling
and loading.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import pairwise
from time import process_time
from typing import Any

_MOST = {"import": 2.0, "first fit beyond the second": 1.5}


def _fit(name: str) -> dict[str, float]:
    """CPU seconds of the stages in this process."""
    start = process_time()
    import skrnn
    from skrnn import RNNClassifier

    imported = process_time()
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    X = X.reshape(len(X), 8, 8)
    cell = "gru" if name == "(default)" else getattr(skrnn.cells, name)()
    model, marks = RNNClassifier(cell, max_epochs=1, random_state=0), [process_time()]
    for _ in range(2):
        model.fit(X, y)
        marks.append(process_time())
    model.predict(X)
    marks.append(process_time())
    model.predict(X)
    marks.append(process_time())
    first, second, predict, again = (b - a for a, b in pairwise(marks))
    return {"import": imported - start, "first fit": first, "second fit": second, "first predict": predict, "second predict": again}


def _run(name: str, folder: str) -> dict[str, float]:
    from ._timing import apart  # which loads torch: a process that is measured is to load it itself

    return json.loads(apart(__spec__.name, "--one", name, SKRNN_CACHE_DIR=f"{folder}/programs", NUMBA_CACHE_DIR=f"{folder}/numba"))


def _row(name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        cold, warm = _run(name, folder), _run(name, folder)
    row: dict[str, Any] = {"cell": name, "import": cold["import"], "second fit": cold["second fit"]}
    row["first fit beyond the second"] = cold["first fit"] - cold["second fit"]
    row["from the cache"] = warm["first fit"] - warm["second fit"]
    row["first predict beyond the second"] = cold["first predict"] - cold["second predict"]
    return row


def main(argv: list[str] | None = None) -> None:
    """Print the table and whether the claims hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", default=[], help="only these, for example LSTM Hyper")
    parser.add_argument("--quick", action="store_true", help="one row: does it run?")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    if asked.one:
        print(json.dumps(_fit(asked.one)))
        return
    from skrnn import cells

    from ._timing import machine, progress, table

    every = ["(default)", *(name for name in cells.__all__ if name != "Reservoir")]
    rows = []
    for name in asked.cells or (every[:1] if asked.quick else every):
        rows.append(_row(name))
        progress(rows[-1])
    print(f"{machine()}\n\nCPU seconds of a process.\n\n{table(rows)}\n")
    found = [(stage, rows[0][stage], limit) for stage, limit in _MOST.items()]
    print(table([{"claim": f"{rows[0]['cell']}: {stage} ≤ {m} CPU s", "found": s, "holds": "yes" if s <= m else "NO"} for stage, s, m in found]))


if __name__ == "__main__":
    main()
