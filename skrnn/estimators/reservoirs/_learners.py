"""How a readout learns from driven sequences: at once, piece after piece, step by step, or running freely."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from ...cells import State, map_state
from ...training import NormalEquations, RecursiveLeastSquares, choose_alpha, solve, svd_path
from ..face._step_values import as_arrays
from ._closed_loop import ClosedLoop, TaughtSeries, choose_by_free_run, is_long_enough
from ._drive import Units
from ._driven_data import DrivenData, DrivenSteps
from ._readouts import LinearReadout, ModelReadout, Readout
from ._shared_work import shared
from ._taught_steps import TaughtSteps

Array = NDArray[np.float64]

_NEGLIGIBLE = 1e-14  # of the mean eigenvalue: smaller penalties are lost in normal equations
_MANY = 2**28  # bytes of states above which they are not held at once without being asked


class Learned(NamedTuple):
    """What a learner gives: a readout, the state of each sequence after its last step, and what it can go on from, if it can."""

    readout: Readout
    after: State
    seen: Any = None


class Learner(ABC):
    """Learns a readout from driven sequences."""

    keeps: ClassVar[type | None] = None  # what it goes on from

    def check(self) -> None:
        """Refuse parameters that cannot be, before anything is chosen or driven."""
        return

    @abstractmethod
    def learn(self, driven: Any, seen: Any = None) -> Learned:
        """Learn from driven data, and from what was ``seen`` before."""


@dataclass(frozen=True)
class Ridge(Learner):
    """Ridge regression from sums of all rows; the penalty is given, or chosen for all outputs or for each."""

    alpha: float | str
    n_folds: int
    per_target: bool = False

    keeps: ClassVar[type | None] = NormalEquations

    @property
    def n_sums(self) -> int:
        """Folds whose sums are kept apart: one where no penalty is compared on held-out ones."""
        return self.n_folds if self.alpha == "block_cv" else 1

    def learn(self, driven: DrivenData, seen: NormalEquations | None = None) -> Learned:
        new, after = shared(driven.drive.network, (driven.identity, self.n_sums), lambda: (driven.sums(self.n_sums), driven.drive.after))
        sums = self._joined(seen, new)
        readout = self.solve(sums)
        return Learned(self._refined(readout, driven) if self._needs_rows(readout, sums, new) else readout, after, sums)

    def solve(self, sums: NormalEquations) -> LinearReadout:
        """The readout of all rows that were summed."""
        choice = choose_alpha(sums, self.alpha, per_target=self.per_target) if isinstance(self.alpha, str) else (float(self.alpha),)
        return LinearReadout.of(solve(sums, choice[0]), *choice)

    def _joined(self, seen: NormalEquations | None, new: NormalEquations) -> NormalEquations:
        """All that was seen."""
        if seen is not None and seen.n_folds != new.n_folds:
            raise ValueError("alpha and n_folds must stay as they were between calls of partial_fit, as steps are kept by fold; call fit")
        return new if seen is None else seen + new

    def _needs_rows(self, readout: LinearReadout, sums: NormalEquations, new: NormalEquations) -> bool:
        """Whether the penalty is too small for sums, and all rows are there."""
        moments = sums.without(None).folds[0]
        tiny = np.max(readout.alpha) < _NEGLIGIBLE * np.trace(moments.gram) / len(moments.gram)
        return bool(tiny) and sums.n_rows == new.n_rows and sums.n_rows * len(moments.gram) * 8 <= _MANY

    def _refined(self, readout: LinearReadout, driven: DrivenData) -> LinearReadout:
        """The same penalty, solved from the rows themselves."""
        Z, Y, weight = driven.rows()
        coef, intercept = svd_path(Z, Y, [float(np.max(readout.alpha))], weight)
        return LinearReadout(coef[0], intercept[0], readout.alpha, readout.alphas, readout.scores)


@dataclass(frozen=True)
class Model(Learner):
    """A copy of a model of scikit-learn, which gets all rows; for a ``single_output`` targets without an axis for outputs."""

    model: Any
    single_output: bool = False

    def learn(self, driven: DrivenData, seen: None = None) -> Learned:
        takes_weights = has_fit_parameter(self.model, "sample_weight")
        if driven.weighted and not takes_weights:
            raise ValueError(f"readout={self.model} takes no sample_weight")
        Z, Y, weight = driven.rows()
        extra = {"sample_weight": weight} if takes_weights and weight is not None else {}
        fitted = clone(self.model).fit(Z, Y[:, 0] if self.single_output else Y, **extra)
        return Learned(ModelReadout(fitted), driven.drive.after)


@dataclass(frozen=True)
class StepByStep(Learner, ABC):
    """Recursive least squares along time. ``units`` are those of what drives the network; a choice of ``alpha`` is refused."""

    units: Units
    alpha: float | str
    forgetting: float

    keeps: ClassVar[type | None] = RecursiveLeastSquares
    name: ClassVar[str]
    closed: ClassVar[bool]  # whether its own output is fed back while it learns

    def check(self) -> None:
        if isinstance(self.alpha, str):
            raise ValueError(f"readout={self.name!r} learns step by step: alpha must be a number (got {self.alpha!r}), such as 1.0")
        if self.closed and not self.units.feedback:
            raise ValueError(f"readout={self.name!r} learns while its own output is fed back: it needs feedback=True")

    def learn(self, driven: DrivenSteps, seen: RecursiveLeastSquares | None = None) -> Learned:
        self.check()
        if driven.weighted:
            raise ValueError(f"readout={self.name!r} learns step by step: it needs weights 0 or alike")
        alpha = float(self.alpha)
        if seen is None:
            sizes = driven.drive.network.output_size, driven.targets.shape[1]
            rls = RecursiveLeastSquares(*sizes, alpha=alpha, forgetting=self.forgetting, fit_intercept=not self.closed)
        else:
            rls = copy.deepcopy(seen)  # a call that fails changes nothing
        after = self.follow(driven, rls)
        return Learned(LinearReadout.of((rls.coef, rls.intercept), alpha), after, rls)

    @abstractmethod
    def follow(self, driven: DrivenSteps, rls: RecursiveLeastSquares) -> State:
        """Learn at every step; the states after the last ones."""


@dataclass(frozen=True)
class Recursive(StepByStep):
    """With the true outputs."""

    name: ClassVar[str] = "rls"
    closed: ClassVar[bool] = False

    def follow(self, driven: DrivenSteps, rls: RecursiveLeastSquares) -> State:
        counted = driven.counted
        for rows, features in driven.drive.blocks(alone=True):
            rls.update(features[counted[rows]], driven.targets[rows[counted[rows]]])
        return driven.drive.after


@dataclass(frozen=True)
class Force(StepByStep):
    """While its own output is fed back (FORCE)."""

    name: ClassVar[str] = "force"
    closed: ClassVar[bool] = True

    def follow(self, driven: DrivenSteps, rls: RecursiveLeastSquares) -> State:
        drive, loop, k = driven.drive, ClosedLoop(driven.drive.network, self.units), len(self.units.mean)
        values, offsets, ends = drive.sequences.values, drive.sequences.offsets, []
        for i, (low, high) in enumerate(pairwise(offsets)):
            x = loop.inputs(values[low:high])
            start = drive.network.start(1) if drive.states is None else map_state(lambda s, i=i: s[i : i + 1], drive.states)
            first = torch.from_numpy(values[low : low + 1, k:].astype(float))
            ends.append(loop.learn(rls, (start, first), driven.targets[low:high], driven.counted[low:high], x[:, None, :k]))
        return as_arrays(map_state(lambda *parts: torch.cat(parts), *ends))


@dataclass(frozen=True)
class FreeRun(Learner):
    """Ridge regression with the penalty with which free runs over the last of ``n_folds`` parts of each sequence stay closest to it."""

    units: Units
    n_folds: int

    def can(self, taught: TaughtSteps, washout: int, width: int) -> bool:
        """Whether sequences have no weights and are long enough, and their states of ``width`` features few enough to be held without being asked."""
        lengths = taught.sequences.lengths
        fits = taught.weight is None and int(lengths.sum()) * width * 8 <= _MANY
        return fits and is_long_enough(lengths, 1 / self.n_folds, washout)

    def learn(self, driven: DrivenSteps, seen: None = None) -> Learned:
        drive = driven.drive
        if driven.weight is not None or drive.states is not None:
            raise ValueError("alpha='closed_loop' takes no sample_weight, needs a target for every step, and learns from whole sequences")
        loop, bounds = ClosedLoop(drive.network, self.units), drive.sequences.offsets.tolist()
        data = [
            TaughtSeries(loop.inputs(drive.sequences.values[a:b]), driven.targets[a:b], int(driven.counted[a:b].argmax()))
            for a, b in pairwise(bounds)
        ]
        coef, intercept, choice = choose_by_free_run(loop, data, 1 / self.n_folds)
        for _ in drive.blocks():
            pass
        return Learned(LinearReadout.of((coef, intercept), *choice), drive.after)
