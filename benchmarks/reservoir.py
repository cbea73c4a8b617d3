"""Time of echo state networks against reservoirpy and PyRCN where they are installed, states and solution apart, and of a readout over 25 penalties.

All reservoirs have the same size, density, leak rate 0.3 and spectral radius 0.9, and no scale is searched. skrnn computes float32 states, its
default, and float64 sums; the peers compute in float64, which is all they offer. Fits begin with drawing the weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

from skrnn import EchoStateRegressor, EchoStateTransformer
from skrnn.datasets import make_narma
from skrnn.estimators import RidgeReadout

from ._timing import Contender, Times, machine, progress, race, table, torch_threads

Works = dict[str, Callable[[], Any]]

_LEAK, _RADIUS, _ALPHA, _WASHOUT = 0.3, 0.9, 1e-6, 100
_OURS, _RPY, _PYRCN, _SKLEARN = "skrnn", "reservoirpy", "PyRCN", "sklearn"
_PEERS = (_RPY, _PYRCN, _SKLEARN)
_SLOW = 3  # rounds of what takes many seconds


@dataclass(frozen=True)
class Case:
    """What one row of the table was measured for."""

    what: str
    hidden_size: int
    density: float
    threads: int


@dataclass(frozen=True)
class Claim:
    """A peer's CPU time divided by ours is at least ``factor`` in the cases that are meant, on one thread."""

    text: str
    peer: str
    factor: float
    what: str


CLAIMS = [
    Claim("states of one series: 3 times as fast as reservoirpy", _RPY, 3, "states"),
    Claim("fit and predict: 3 times as fast as reservoirpy", _RPY, 3, "fit + predict"),
    Claim("fit of a panel: 8 times as fast as reservoirpy", _RPY, 8, "panel fit"),
    Claim("predict of a panel: 10 times as fast as reservoirpy", _RPY, 10, "panel predict"),
    Claim("fit of a panel: 30 times as fast as PyRCN", _PYRCN, 30, "panel fit"),
    Claim("predict of a panel: 30 times as fast as PyRCN", _PYRCN, 30, "panel predict"),
    Claim("25 penalties: 20 times as fast as RidgeCV", _SKLEARN, 20, "25 penalties"),
]


def _ours(case: Case) -> EchoStateRegressor:
    return EchoStateRegressor(alpha=_ALPHA, washout=_WASHOUT, **_settings(case))


def _settings(case: Case) -> dict[str, Any]:
    scales = {"spectral_radius": _RADIUS, "leak_rate": _LEAK, "input_scaling": 0.3}
    return scales | {"hidden_size": case.hidden_size, "density": case.density, "random_state": 0}


def _reservoirpy(case: Case) -> Any:
    from reservoirpy.nodes import Reservoir, Ridge

    settings = {"lr": _LEAK, "sr": _RADIUS, "rc_connectivity": case.density, "input_connectivity": 1.0, "input_scaling": 0.3, "seed": 0}
    return Reservoir(case.hidden_size, **settings), Ridge(ridge=_ALPHA)


def _pyrcn(case: Case) -> Any:
    from pyrcn.base.blocks import InputToNode, NodeToNode
    from pyrcn.echo_state_network import ESNRegressor
    from pyrcn.linear_model import IncrementalRegression

    return ESNRegressor(
        input_to_node=InputToNode(hidden_layer_size=case.hidden_size, input_scaling=0.3, random_state=0),
        node_to_node=NodeToNode(hidden_layer_size=case.hidden_size, sparsity=case.density, leakage=_LEAK, spectral_radius=_RADIUS, random_state=0),
        regressor=IncrementalRegression(alpha=_ALPHA),
    )


def _single(case: Case, n_steps: int) -> Iterator[tuple[str, Works]]:
    """One long series: states, solution, both and predictions."""
    X, y = make_narma(n_steps, random_state=0)
    column = y[:, None]
    transformer = EchoStateTransformer(pooling=None, **_settings(case)).fit(X[None])
    Z = transformer.transform(X[None])[0]
    wide = Z.astype(np.float64)
    states: Works = {_OURS: lambda: transformer.transform(X[None])}
    solution: Works = {_OURS: lambda: RidgeReadout(_ALPHA).fit(Z, column)}
    both: Works = {_OURS: lambda: _ours(case).fit(X, y).predict(X)}
    if find_spec("reservoirpy"):
        reservoir, _ = _reservoirpy(case)
        reservoir.run(X)
        states[_RPY] = lambda: reservoir.run(X)
        solution[_RPY] = lambda: _reservoirpy(case)[1].fit(wide, column)
        both[_RPY] = lambda: _chain(case).fit(X, column, warmup=_WASHOUT).run(X)
    if find_spec("pyrcn") and case.hidden_size <= 100:  # it multiplies by matrices with their zeros: minutes above
        both[_PYRCN] = lambda: _pyrcn(case).fit(X, y).predict(X)
    yield from (("states", states), ("solution", solution), ("fit + predict", both))


def _chain(case: Case) -> Any:
    reservoir, ridge = _reservoirpy(case)
    return reservoir >> ridge


def _panel(case: Case, n_sequences: int) -> Iterator[tuple[str, Works]]:
    """Many short series of three channels."""
    X = np.random.default_rng(0).normal(size=(n_sequences, 100, 3))
    y = np.roll(X[:, :, :1], 3, axis=1) ** 2
    washout = 10
    new = lambda: _ours(case).set_params(washout=washout)  # noqa: E731
    fitted = new().fit(X, y)
    fits: Works = {_OURS: lambda: new().fit(X, y)}
    predictions: Works = {_OURS: lambda: fitted.predict(X)}
    if find_spec("reservoirpy"):
        chain = _chain(case).fit(X, y, warmup=washout)
        fits[_RPY] = lambda: _chain(case).fit(X, y, warmup=washout)
        predictions[_RPY] = lambda: chain.run(X)
    if find_spec("pyrcn"):
        many, targets = _objects(X), _objects(y)
        peer = _pyrcn(case).fit(many, targets)
        fits[_PYRCN] = lambda: _pyrcn(case).fit(many, targets)
        predictions[_PYRCN] = lambda: peer.predict(many)
    yield from (("panel fit", fits), ("panel predict", predictions))


def _objects(sequences: np.ndarray) -> np.ndarray:
    """Sequences as PyRCN takes them."""
    found = np.empty(len(sequences), dtype=object)
    found[:] = list(sequences)
    return found


def _penalties(case: Case, n_steps: int) -> Iterator[tuple[str, Works]]:
    X, y = make_narma(n_steps, random_state=0)
    Z = EchoStateTransformer(pooling=None, **_settings(case)).fit_transform(X[None])[0]
    wide, alphas = Z.astype(np.float64), np.logspace(-8, 4, 25)
    yield "25 penalties", {_OURS: lambda: RidgeReadout("block_cv", alphas=alphas).fit(Z, y), _SKLEARN: lambda: RidgeCV(alphas).fit(wide, y)}


@contextmanager
def _threads(n: int) -> Iterator[None]:
    with torch_threads(n), threadpool_limits(n):
        yield


def _measure(case: Case, works: Works, seconds: float) -> dict[str, Times]:
    slow = dict.fromkeys((_PYRCN, _SKLEARN), _SLOW)
    return race([Contender(name, work, partial(_threads, case.threads), slow.get(name)) for name, work in works.items()], seconds=seconds)


def _cpu_ratio(times: Times, reference: Times) -> float:
    rounds = min(len(times.cpu), len(reference.cpu))
    return float(np.median(np.divide(times.cpu[:rounds], reference.cpu[:rounds])))


def _row(case: Case, times: dict[str, Times]) -> dict[str, Any]:
    row: dict[str, Any] = {"what": case.what, "N": case.hidden_size, "density": case.density, "threads": case.threads}
    for name in _PEERS:
        row[f"{name} / skrnn CPU"] = _cpu_ratio(times[name], times[_OURS]) if name in times else None
        row[f"{name} / skrnn wall"] = times[name].ratio(times[_OURS]) if name in times else None
    for name in (_OURS, *_PEERS):
        row[f"{name} ms"] = times[name].summary if name in times else None
    return row


def _verdicts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for claim in CLAIMS:
        column = f"{claim.peer} / skrnn CPU"
        meant = [row for row in rows if row["what"] == claim.what and row["threads"] == 1 and row[column] is not None]
        if not meant:
            found.append({"claim": claim.text, "worst": None, "where": "not measured", "holds": None})
            continue
        worst = min(meant, key=lambda row: row[column])
        where = f"N = {worst['N']}, density {worst['density']:.3g}"
        found.append({"claim": claim.text, "worst": worst[column], "where": where, "holds": "yes" if worst[column] >= claim.factor else "NO"})
    return found


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reservoir", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 500, 2000], help="units N")
    parser.add_argument("--steps", type=int, default=20_000, help="of the single series")
    parser.add_argument("--sequences", type=int, default=500, help="of the panel, 100 steps each")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=20.0, help="time budget of a row")
    parser.add_argument("--quick", action="store_true", help="small and short: does it run?")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        arguments.sizes, arguments.steps, arguments.sequences, arguments.threads, arguments.seconds = [20], 500, 5, [1], 0.0
    return arguments


def _works(asked: argparse.Namespace, threads: int) -> Iterator[tuple[Case, Works]]:
    """All rows, whose data are made one after the other."""
    smallest, densities = min(asked.sizes), {n: sorted({round(min(1, 10 / n), 4), 0.1}) for n in asked.sizes}
    for n in asked.sizes:
        for density in densities[n]:
            for what, works in _single(Case("", n, density, threads), asked.steps):
                yield Case(what, n, density, threads), works
    panel = Case("", smallest, min(1, 10 / smallest), threads)
    middle = Case("", min(500, max(asked.sizes)), 0.1, threads)
    for base, found in ((panel, _panel(panel, asked.sequences)), (middle, _penalties(middle, asked.steps))):
        for what, works in found:
            yield Case(what, base.hidden_size, base.density, threads), works


def main(argv: list[str] | None = None) -> None:
    """Print the table and whether the claims hold."""
    asked = _arguments(argv)
    rows = []
    for threads in asked.threads:
        for case, works in _works(asked, threads):
            rows.append(_row(case, _measure(case, works, asked.seconds)))
            progress(rows[-1])
    print(machine())
    print(f"peers: {', '.join(name for name, module in ((_RPY, 'reservoirpy'), (_PYRCN, 'pyrcn')) if find_spec(module)) or 'none installed'}")
    print(f"\n{asked.steps} steps; panel of {asked.sequences} × 100 × 3. 'x / skrnn': time of x divided by ours; above 1 we are faster.")
    print("ms: median and least wall time, CPU time of all threads.\n")
    print(table(rows))
    print("\n" + table(_verdicts(rows)))


if __name__ == "__main__":
    main()
