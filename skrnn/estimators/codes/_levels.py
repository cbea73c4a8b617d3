"""A level of a history compressor: a network that predicts each event from those before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_ndtr, log_softmax
from torch.nn.utils.rnn import PackedSequence

from ...data import Categories, Encoding, Sequences
from ...frontends import Embedding, Frontend
from ...networks import Feedback, StepNetwork
from ...training import Batches, CrossEntropy, Distilling, Gaussian
from ..face._declared import parameters
from ..face._guards import predicting
from ..face._readers import Given, Reader, Steps
from ..face._settings import Decayed, Recurrence, Stacked, Standardized
from ..face._state import Fitted
from ..face._targets import RowTarget
from ..face._trained import Trained, recurrent_layers
from ._events import Alphabet, Array, Mask, Scale, passed_up, preceding, spread_out

_MARGIN = 1e-3  # by which the likeliest event must be likelier than any other: a closed loop rounds in another order


class LevelState:
    """What the events are, as the network sees them."""

    coding_: Any

    _leaves: ClassVar[tuple[Fitted, ...]] = (Fitted("coding_", "Alphabet or Scale", (), "Ids of the events, or units of numbers and gaps."),)


@dataclass
class NextEvent(RowTarget):
    """The event itself, which the network does not see before it has told it, and behind it what the level above knows then."""

    def read(self, y: Any, given: Given, reader: Reader) -> Array:
        return np.asarray(reader.align(y, given), dtype=np.float64)

    def present(self, y: NDArray[Any]) -> Mask:
        return np.ones(len(y), dtype=bool)

    def weigh(self, y: Array, weight: Array | None) -> Array | None:
        return weight

    def learn(self, y: Array, weight: Array | None, classes: Any = None) -> None:
        """The events were learned before."""

    def encode(self, y: Array) -> Array:
        return y

    def strata(self, encoded: Array) -> None:
        return None

    def decode(self, outputs: Array) -> Array:
        return outputs

    @property
    def objective(self) -> Distilling:
        coding, n_states = self.model.coding_, self.model.n_states
        if isinstance(coding, Alphabet):
            return Distilling(CrossEntropy(len(coding) + 1), n_states, of_indices=True)
        return Distilling(Gaussian(), n_states)


class Means(Feedback):
    """Of outputs the means, each of which stands before a deviation; what stands behind them is not fed back."""

    def __init__(self, n_values: int) -> None:
        super().__init__()
        self.size = self.width = n_values

    def emit(self, outputs: torch.Tensor) -> torch.Tensor:
        return outputs[:, : 2 * self.size : 2]

    def vectors(self, fed: torch.Tensor) -> torch.Tensor:
        return fed


class Indicators(Frontend):
    """A channel for each event, 1 where it is there: no weights, which real-time recurrent learning could not follow.

    Parameters
    ----------
    size : int, default=2
        Events.
    """

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = size

    def _build(self, generator: torch.Generator | None, encoding: Encoding | None) -> None:
        self.output_size = self.size

    def vectors(self, ids: torch.Tensor) -> torch.Tensor:
        """The channels (n, size) of ids (n, 1)."""
        return (ids == torch.arange(self.size, dtype=ids.dtype, device=ids.device)).to(ids.dtype)

    def forward(self, packed: PackedSequence) -> PackedSequence:
        return packed._replace(data=self.vectors(packed.data))


class LikeliestVector(Feedback):
    """What the layers see of the likeliest event; what stands behind the events is not fed back."""

    def __init__(self, frontend: Any, n_events: int) -> None:
        super().__init__()
        self.of_events, self.n_events = frontend, n_events
        self.size = self.width = frontend.output_size

    def emit(self, outputs: torch.Tensor) -> torch.Tensor:
        return self.of_events.vectors(outputs[:, : self.n_events].argmax(-1, keepdim=True).to(outputs.dtype))

    def vectors(self, fed: torch.Tensor) -> torch.Tensor:
        return fed


@parameters
class Level(Decayed, Trained, Standardized, Stacked, Recurrence, LevelState):
    """Predicts each event of sequences from those before it.

    Parameters
    ----------
    n_symbols : int or None, default=None
        How many symbols there are; ``None``: steps are numbers.
    n_channels : int, default=1
        Columns of an event that are no gaps.
    embedding_size : int or None, default=None
        Numbers that stand for an event of symbols; ``None``: a channel for each.
    tolerance : float, default=0.25
        How far from what they are numbers may be told to be.
    threshold : float, default=0.9
        How probable what comes must have been, at least, to be expected.
    n_states : int, default=0
        Numbers that the level above knows, to be learned too.
    """

    n_symbols: int | None = None
    n_channels: int = 1
    embedding_size: int | None = None
    tolerance: float = 0.25
    threshold: float = 0.9
    n_states: int = 0

    bidirectional = False
    _built_from: ClassVar[tuple[str, ...]] = ("n_symbols", "n_channels", "embedding_size", "n_states")

    def _reader(self) -> Steps:
        return Steps(self.dtype, False)

    def _target(self) -> NextEvent:
        return NextEvent(self, self.dtype, per_step=True)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> StepNetwork:
        coding = self.coding_
        if not isinstance(coding, Alphabet):
            n = len(coding.location)
            return StepNetwork(recurrent_layers(self, n, generator), bias, feedback=Means(n))
        n_ids, size = len(coding) + 2, self.embedding_size
        frontend = (Indicators(n_ids) if size is None else Embedding(size)).build(1, generator, Categories.numbered(n_ids))
        layers = recurrent_layers(self, frontend.output_size, generator)
        return StepNetwork(layers, bias, frontend, LikeliestVector(frontend, len(coding) + 1))

    def fit(self, events: Sequences, held: Sequences | None = None, states: Array | None = None) -> Self:
        """Learn to predict events; and ``states`` (n_events_total, n_states) of the level above, if there are any yet."""
        if not (self.warm_start and self.__sklearn_is_fitted__()):
            if self.n_symbols is None:
                self.coding_ = Scale.of(events, self.n_channels, standardize=self.standardize)
            else:
                self.coding_ = Alphabet.of(events.values, self.n_symbols)
        validation = (None, None) if held is None else self._pair(held, None)
        return self._fit(*self._pair(events, states), None, validation)

    def _pair(self, events: Sequences, states: Array | None) -> tuple[Sequences, Sequences]:
        """What the network sees, and what it should tell."""
        coded = self._coded(events)
        states = np.full((events.n_steps_total, self.n_states), np.nan) if states is None else states
        return preceding(coded, self.coding_.begin), coded.with_values(np.hstack([coded.values, states]))

    def _coded(self, events: Sequences) -> Sequences:
        return events.with_values(self.coding_.encode(events.values))

    def surprises(self, events: Sequences) -> tuple[Array, Mask]:
        """Minus the logarithm of the probability of each event, given those before it, and whether it was expected."""
        coded = self._coded(events)
        predictor = self._predictor()
        outputs = predictor.outputs(predictor.read(preceding(coded, self.coding_.begin)))
        outputs = outputs[:, : outputs.shape[1] - self.n_states]
        if isinstance(self.coding_, Alphabet):
            return _of_symbols(outputs, coded.values[:, 0].astype(np.intp), self.threshold)
        return _of_numbers(outputs, coded.values, self.threshold, self.coding_.tolerances(self.tolerance))

    def reduce(self, events: Sequences) -> Sequences:
        """What this level does not expect, and the last of each sequence, which tells where it ends."""
        return passed_up(events, self.passed(events))

    def passed(self, events: Sequences) -> Mask:
        """Which events are passed up."""
        passed = ~self.surprises(events)[1]
        passed[events.offsets[1:] - 1] = True
        return passed

    def restore(self, reduced: Sequences) -> Sequences:
        """The events of which this level has passed up some: what it expected, it tells itself."""
        given, told = spread_out(reduced)
        known = given.values.copy()
        given = self._coded(given)
        network, units = self.network_, given.values.copy()
        like = next(network.parameters())
        with predicting(self):
            fed = self._fed(np.append(given.values, np.full((1, given.n_features), self.coding_.begin), axis=0))
            teacher = given.with_values(np.column_stack([fed[:-1], told]))
            first = torch.from_numpy(fed[-1:]).to(like)
            source = Batches(teacher, np.zeros(teacher.n_features), np.ones(teacher.n_features), like.dtype, like.device)
            for index in source.chunks():
                packed = source.packed(index)
                outputs = network.free(packed, first.expand(len(index), -1), network.recurrent.start(packed), taught=True)
                units[source.rows(index)] = self.coding_.told(outputs.double().cpu().numpy())
        values = self.coding_.decode(units)
        values[told] = known[told]
        return given.with_values(values)

    def _fed(self, units: Array) -> Array:
        """What the layers see of events."""
        if not isinstance(self.coding_, Alphabet):
            return units
        like = next(self.network_.parameters())
        return np.asarray(self.network_.frontend.vectors(torch.from_numpy(units).to(like)).double().cpu().numpy())

    def knows(self, events: Sequences) -> Array:
        """What the topmost layer puts out before each event (n_events_total, hidden_size): all that is known of those before it."""
        network = self.network_

        def top(packed: PackedSequence) -> torch.Tensor:
            (outputs,) = network.recurrent(network.see(packed))
            return outputs.data

        return self._predictor().gathered(preceding(self._coded(events), self.coding_.begin), top, self.hidden_size, per_step=True)


def _of_symbols(outputs: Array, ids: NDArray[np.intp], threshold: float) -> tuple[Array, Mask]:
    log_p = log_softmax(outputs, axis=1)
    of_ids = log_p[np.arange(len(ids)), ids]
    log_p[np.arange(len(ids)), ids] = -np.inf
    clear = np.exp(of_ids) - np.exp(log_p.max(axis=1)) > _MARGIN
    known = ids < outputs.shape[1] - 1
    return -of_ids, clear & known & (np.exp(of_ids) >= threshold)


def _of_numbers(outputs: Array, values: Array, threshold: float, tolerances: Array) -> tuple[Array, Mask]:
    """Of being no farther from what was than the tolerances."""
    mean, deviation = np.moveaxis(Gaussian().in_units(outputs.reshape(len(outputs), -1, 2), np.zeros(1), np.ones(1)), -1, 0)
    error = np.abs(values - mean)
    high, low = log_ndtr((tolerances - error) / deviation), log_ndtr((-tolerances - error) / deviation)
    with np.errstate(divide="ignore"):
        log_p = (high + np.log1p(-np.exp(low - high))).sum(axis=1)
    return -log_p, (error <= tolerances).all(axis=1) & (np.exp(log_p) >= threshold)
