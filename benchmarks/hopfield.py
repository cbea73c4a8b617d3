"""Recall of a Hopfield network against a plain numpy loop over queries and units, in CPU seconds of one thread.

Both start from the same queries, patterns with a share of their bits flipped, and use the same weights. The claims are a second of CPU time for
1,000 queries of 1,000 units, and the ratio of CPU times, in which the loop has a part of the queries and its time is multiplied.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from skrnn import HopfieldNetwork

from ._timing import Contender, Times, machine, progress, race, table

_SECOND, _RATIO = 1000.0, 1 / 10
Array = NDArray[np.float64]


def in_turn(W: Array, queries: Array) -> Array:
    """Units one after another, in an order drawn for each sweep, until none turns."""
    rng, states = np.random.default_rng(0), queries.copy()
    for s in states:
        turned = True
        while turned:
            turned = False
            for i in rng.permutation(len(s)):
                field = W[i] @ s
                if s[i] * field < 0:
                    s[i], turned = -s[i], True
    return states


def together(W: Array, queries: Array) -> Array:
    """All units at once, until none turns or all turn back."""
    states = queries.copy()
    for k, query in enumerate(states):
        before, s = np.zeros_like(query), query
        while True:
            field = W @ s
            after = np.where(field == 0, s, np.sign(field))
            if (after == s).all() or (after == before).all():
                break
            before, s = s, after
        states[k] = s
    return states


def _compare(update: str, other: Callable[[Array, Array], Array], flipped: float, asked: argparse.Namespace) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    patterns = rng.choice([-1.0, 1.0], size=(asked.units // 10, asked.units))
    queries = patterns[rng.integers(len(patterns), size=asked.queries)]
    queries = np.where(rng.random(queries.shape) < flipped, -queries, queries)
    network, few = HopfieldNetwork(update=update, random_state=0).fit(patterns), queries[: asked.few]
    works = [Contender("ours", lambda: network.predict(queries)), Contender("numpy", lambda: other(network.weights_, few), most_rounds=3)]
    with threadpool_limits(1, "blas"):
        times = race(works, seconds=asked.seconds)
    return _row(f"{update}, {flipped:.0%} flipped", times, asked.queries / asked.few)


def _row(what: str, times: dict[str, Times], repeated: float) -> dict[str, Any]:
    ours, plain = float(np.median(times["ours"].cpu)), float(np.median(times["numpy"].cpu)) * repeated
    row = {
        "what": what,
        "CPU ms": ours,
        "numpy CPU ms": plain,
        "CPU / numpy": ours / plain,
        "claim": f"≤ 1 s, ≤ {_RATIO:.3g}",
        "holds": "yes" if ours <= _SECOND and ours / plain <= _RATIO else "NO",
    }
    progress(row)
    return row


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hopfield", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--few", type=int, default=50, help="queries of the numpy loop, whose time is multiplied")
    parser.add_argument("--seconds", type=float, default=20.0, help="time budget of the rounds of a row")
    parser.add_argument("--quick", action="store_true", help="small and short: does it run?")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        arguments.units, arguments.queries, arguments.few, arguments.seconds = 50, 20, 5, 0.0
    return arguments


def main(argv: list[str] | None = None) -> None:
    """Print a row for each way of updating and each share of flipped bits."""
    asked = _arguments(argv)
    ways = {"async": in_turn, "sync": together}
    rows = [_compare(update, other, flipped, asked) for update, other in ways.items() for flipped in (0.1, 0.3, 0.5)]
    print(f"{machine()}\n\n{asked.queries} queries, {asked.units} units, load 0.1\n\n{table(rows)}")


if __name__ == "__main__":
    main()
