"""What the fits of one search share: a reservoir once drawn, states and sums once computed.

Outside of :func:`sharing` nothing here does anything: everything is made when it is asked for.
"""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from typing import Any, NamedTuple, cast

import joblib
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from ... import kernels
from ...cells import Cell, Reservoir, State
from ...data import Sequences
from ...networks import Reservoirs
from ...training import Batches, NormalEquations
from ..face._step_values import as_tensors

SCALES = ("spectral_radius", "leak_rate", "input_scaling", "bias_scaling")
READOUT = ("alpha", "alpha_per_target", "readout")

_MOST = 2**30  # bytes that are kept
_WIDEST = 32  # reservoirs that run as one batch
_FEW_SEQUENCES = 8  # sequences from which the sequences themselves are batch enough
_BATCH_STEPS = 16  # steps of a batch at once, which stay in the cache while they are turned

Standardisation = tuple[NDArray[np.float64], NDArray[np.float64]]
Recorded = tuple[NDArray[Any], State]  # features of all steps, end to end, and the state of each sequence after them
DrawReservoirs = Callable[[list[list[Cell]]], Reservoirs]
Place = tuple[torch.device, torch.dtype]
Record = Callable[[Sequences, State | None], Recorded]


class ScaledReservoirs(NamedTuple):
    """Reservoirs that differ in their scales alone, and what they have in common: the reservoir whose scales are all 1, in float64."""

    unit: Reservoir
    members: list[Reservoirs]

    def run(self, members: slice, x: list[NDArray[Any]]) -> list[Recorded]:
        """Some members over sequences of inputs, as one batch."""
        some, dtype = self.members[members], x[0].dtype
        cells = [cast(Reservoir, network.groups[0][0]) for network in some]
        W, b = (weights.numpy().astype(dtype) for weights in (self.unit.W, self.unit.b))
        R = kernels.Sparse.compress(_with_zeros(self.unit.recurrent_matrix()).astype(dtype))
        scales = kernels.Candidates(*(np.array([cell.get_params(deep=False)[name] for cell in cells], dtype=np.float64) for name in SCALES))
        ends = np.cumsum([0, *map(len, x)])
        features = np.empty((len(some), ends[-1], some[0].output_size), dtype)
        n_inputs = some[0].output_size - self.unit.hidden_size
        features[:, :, :n_inputs] = np.concatenate(x)[:, :n_inputs]
        for own, low in zip(x, ends.tolist(), strict=False):
            for states in kernels.run_candidates(str(self.unit.activation), own @ W.T, b, R, scales, block_size=_BATCH_STEPS):
                features[:, low : low + len(states), n_inputs:] = states.transpose(2, 0, 1)
                low += len(states)
        return [(rows, ((rows[ends[1:] - 1, n_inputs:],),)) for rows in features]


class SharedWork:
    """Keeps what was made, up to a number of bytes; what was not asked for for the longest time goes first, what nobody has asked for yet last.

    Parameters
    ----------
    scales : list of dict
        The scales in which the reservoirs to come differ, in their order.
    n_splits : int
        How often each of them is fitted.
    """

    def __init__(self, scales: list[dict[str, Any]], n_splits: int) -> None:
        self._scales, self._n_splits = scales, n_splits
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._waiting: dict[Any, Any] = {}
        self._bytes = 0
        self._together: dict[Reservoirs, tuple[ScaledReservoirs, int]] = {}
        self._longest: dict[Any, tuple[Sequences, Recorded]] = {}

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, or gave before for this key."""
        if key in self._waiting:
            self._kept[key] = self._waiting.pop(key)
        if key not in self._kept:
            self._kept[key] = made = make()
            self._bytes += _size(made)
        self._kept.move_to_end(key)
        while self._bytes > _MOST and len(self._kept) + len(self._waiting) > 1:
            _, value = self._kept.popitem(last=False) if len(self._kept) > 1 else self._waiting.popitem()
            self._bytes -= _size(value)
        return self._kept[key]

    def _has(self, key: Any) -> bool:
        return key in self._kept or key in self._waiting

    def _put(self, key: Any, value: Any) -> None:
        """What will be asked for."""
        if not self._has(key):
            self._waiting[key] = value
            self._bytes += _size(value)

    def network(self, draw: DrawReservoirs, cells: list[list[Cell]], given: tuple[Any, ...], place: Place) -> Reservoirs:
        """A network of these cells; with the first of those that differ in their scales come the next ones."""
        key = _key(cells, (*given, *map(str, place)))
        if not self._has(key):
            batch = self._drawn_together(draw, cells, place)
            self._together = {network: (batch, k) for k, network in enumerate(batch.members)} if batch else {}
            for network in self._together:
                self._put(_key([list(network.groups[0])], (*given, *map(str, place))), network)
        return cast(Reservoirs, self.once(key, lambda: draw(cells).to(*place)))

    def _drawn_together(self, draw: DrawReservoirs, cells: list[list[Cell]], place: Place) -> ScaledReservoirs | None:
        cell = cells[0][0]
        if [len(layers) for layers in cells] != [1] or type(cell) is not Reservoir or not isinstance(cell.activation, str):
            return None
        if any(weights is not None for weights in (cell.recurrent_weights, cell.input_weights, cell.bias)):
            return None  # weights that are given have no scale
        own = {name: cell.get_params(deep=False)[name] for name in SCALES}
        wanted = [own | scales for scales in self._scales]
        if len(wanted) < 2 or own not in wanted or not all(isinstance(value, Real) for scales in wanted for value in scales.values()):
            return None
        unit = draw([[clone(cell).set_params(**dict.fromkeys(SCALES, 1.0))]])
        here = wanted.index(own)
        return ScaledReservoirs(unit.groups[0][0], [_rescaled(unit, scales).to(*place) for scales in wanted[here : here + _WIDEST]])

    def states(self, network: Reservoirs, sequences: Sequences, standardisation: Standardisation, record: Record) -> Recorded | None:
        """Features of a network over sequences, or None if they are too many to be kept."""
        n_bytes = sequences.n_steps_total * network.output_size * network.dtype.itemsize * self._n_splits
        if n_bytes > _MOST // 2:
            return None
        data = digest(sequences.values, sequences.offsets, *standardisation)
        key = "states", network, data
        if not self._has(key) and network in self._together and len(sequences) < _FEW_SEQUENCES and network.device.type == "cpu":
            batch, k = self._together[network]
            some = slice(k, k + _MOST // 2 // n_bytes)
            batches = Batches(sequences, *standardisation, network.dtype, torch.device("cpu"))
            x = [batches.packed(np.array([i])).data.numpy() for i in range(len(sequences))]
            for other, recorded in zip(batch.members[some], batch.run(some, x), strict=True):
                self._put(("states", other, data), recorded)
        return cast(Recorded, self.once(key, lambda: self._continued(network, sequences, standardisation, record)))

    def _continued(self, network: Reservoirs, sequences: Sequences, standardisation: Standardisation, record: Record) -> Recorded:
        """If a series begins with one that was seen before, only the rest of it is run."""
        if len(sequences) > 1:
            return record(sequences, None)
        place = network, digest(*standardisation)
        recorded = None
        if place in self._longest:
            before, (features, after) = self._longest[place]
            n = before.n_steps_total
            if n < sequences.n_steps_total and np.array_equal(before.values, sequences.values[:n]):
                rest = Sequences(sequences.values[n:], sequences.offsets - [0, n])
                more, after = record(rest, as_tensors(after, network.start(1), np.array([0])))
                recorded = np.concatenate([features, more]), after
        recorded = record(sequences, None) if recorded is None else recorded
        if place not in self._longest or sequences.n_steps_total > self._longest[place][0].n_steps_total:
            self._longest = {place: (sequences, recorded)}
        return recorded


_now: ContextVar[SharedWork | None] = ContextVar("skrnn_shared_work", default=None)


@contextmanager
def sharing(scales: list[dict[str, Any]], n_splits: int) -> Iterator[None]:
    """Let all fits of reservoirs share their work."""
    token = _now.set(SharedWork(scales, n_splits))
    try:
        yield
    finally:
        _now.reset(token)


def shared(owner: object, given: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """What ``make`` gives; in a search, what it gave before for the same owner with equal things given."""
    work = _now.get()
    return make() if work is None else work.once((owner, digest(*given)), make)


def shared_network(draw: DrawReservoirs, cells: list[list[Cell]], given: tuple[Any, ...], place: Place) -> Reservoirs:
    """What ``draw`` makes of cells, on a device and in a dtype; in a search, what it made before, or the same reservoir with other scales."""
    work = _now.get()
    return draw(cells).to(*place) if work is None else work.network(draw, cells, given, place)


def shared_states(network: Reservoirs, sequences: Sequences, standardisation: Standardisation, record: Record) -> Recorded | None:
    """What ``record`` gives, in a search; None outside."""
    work = _now.get()
    return None if work is None else work.states(network, sequences, standardisation, record)


def digest(*things: Any) -> Any:
    """The same for equal things; of what cannot be pickled, never the same."""
    try:
        return joblib.hash(things)
    except (pickle.PicklingError, AttributeError, TypeError):
        return object()


def _key(cells: list[list[Cell]], given: tuple[Any, ...]) -> Any:
    described = [[(type(cell), sorted(cell.get_params(deep=False).items(), key=lambda item: item[0])) for cell in layers] for layers in cells]
    return "network", digest(described, given)


def _rescaled(unit: Reservoirs, scales: dict[str, float]) -> Reservoirs:
    """A copy of the reservoir whose scales are all 1, with other ones."""
    network = copy.deepcopy(unit)
    network.groups[0][0] = unit.groups[0][0].rescaled(**scales)
    return network


def _with_zeros(R: Any) -> NDArray[np.float64]:
    return R if isinstance(R, np.ndarray) else np.asarray(R.toarray())


def _size(value: Any) -> int:
    """Bytes of the arrays of what is kept."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, tuple):
        return sum(map(_size, value))
    if isinstance(value, NormalEquations):
        return sum(moments.gram.nbytes + moments.cross.nbytes for moments in value.folds)
    return sum(weights.nbytes for weights in value.buffers()) if isinstance(value, Reservoirs) else 0
