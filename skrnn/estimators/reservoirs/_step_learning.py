"""How an echo state network learns numbers for every step: at once, piece after piece, step by step, or running freely."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import KW_ONLY
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter
from torch import Tensor

from ..cells import State, map_state
from ..data import Sequences
from ..training import NormalEquations, RecursiveLeastSquares, contiguous_folds, svd_path
from ._closed_loop import ClosedLoop, Driven, choose_by_free_run, linear
from ._echo_state import BaseEchoState, Steps
from ._guards import seed_of
from ._pieces import TINY_CHANNEL, Pieces, Sums, mean_and_scale, split_by, sums_of
from ._reservoir_base import Pass
from ._reservoir_parameters import AUTO, parameters
from ._shared_work import shared
from ._step_values import as_arrays, as_tensors, join_arrays
from ._targets import moments
from ._tuning import N_STEPS, N_UNITS, N_UNITS_AGAIN, few_sequences

Array = NDArray[np.float64]

_TRIAL_WASHOUT = 100
_MEASURED_STEPS = 1000
_TINY = 1e-14  # of the mean eigenvalue: smaller penalties are lost in normal equations
_MANY = 2**28  # bytes of states above which they are not held at once without being asked


class Material(NamedTuple):
    """Sequences, a row of targets for each step, and how much each counts."""

    sequences: Sequences
    table: Array
    weight: Array | None


def _with_targets(driven: Material) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The row of each sequence from which to look at ``N_STEPS`` of it, shortly before the first that counts; and which sequences have any."""
    lows, highs = driven.sequences.offsets[:-1], driven.sequences.offsets[1:]
    if driven.weight is None:
        return lows, np.arange(len(lows))
    known = np.append(np.flatnonzero(driven.weight), driven.sequences.n_steps_total)
    first = known[np.searchsorted(known[:-1], lows)]
    begins = np.minimum(np.maximum(first - _TRIAL_WASHOUT, lows), highs - np.minimum(highs - lows, N_STEPS))
    return begins, np.flatnonzero(first < highs)


@parameters
class StepLearning(BaseEchoState, ABC):
    """The learning of :class:`EchoStateRegressor`."""

    _: KW_ONLY
    feedback: bool = False
    feedback_scaling: float = 1.0
    washout: int | str = AUTO
    forgetting: float = 1.0

    def _begin(self, given: Material) -> None:
        """Fix what the first data fix, then learn from them."""
        self._measure(given.sequences)
        if not self.feedback:
            self._warn_of_constants(given.sequences)
        n_targets = given.table.shape[1]
        self.target_mean_, self.target_scale_ = moments(given.table, given.weight) if self.standardize else (np.zeros(n_targets), np.ones(n_targets))
        self._set_up(given)
        self._learn(given, None)

    def _begin_in_pieces(self, pieces: Pieces) -> None:
        """As ``_begin``, with sums that are taken where the pieces are; the scales are chosen on the first one."""
        if self.readout is not None or self.alpha == "closed_loop" or self.noise > 0:
            given = f"readout={self.readout}, alpha={self.alpha!r}, noise={self.noise}"
            raise ValueError(f"A fit of Dask collections sums normal equations: it needs readout=None, another alpha and no noise; got {given}")
        first = self._check(*pieces.first(), None, reset=True)
        lengths, channels, targets = zip(*pieces.map(StepLearning._described, copy.copy(self)), strict=True)
        all_lengths = np.concatenate(lengths)
        self._require_longer_than_washout(all_lengths)
        n_channels, n_targets = channels[0].n_targets, targets[0].n_targets
        self.mean_, self.scale_ = mean_and_scale(sum(channels), TINY_CHANNEL) if self.standardize else (np.zeros(n_channels), np.ones(n_channels))
        self.target_mean_, self.target_scale_ = mean_and_scale(sum(targets), 1e-12) if self.standardize else (np.zeros(n_targets), np.ones(n_targets))
        self._set_up(first, int(all_lengths.min()))
        folds = split_by(self._folds(all_lengths, None, self.washout_, at_least=1 + isinstance(self.alpha, str)), [n.sum() for n in lengths])
        equations, ends = pieces.sum(StepLearning._summed, copy.copy(self), folds)
        self._take_in(equations)
        after, last = zip(*ends, strict=True)
        self.state_ = (join_arrays(after), np.concatenate(last))

    def _described(self, X: Any, y: Any) -> tuple[NDArray[np.int64], Sums, Sums]:
        """Of a piece: the lengths, and what the standardisation needs."""
        given = self._check(X, y, None, reset=False)
        return given.sequences.lengths, sums_of(given.sequences.values), sums_of(given.table, given.weight)

    def _summed(self, X: Any, y: Any, fold: NDArray[np.int8]) -> tuple[NormalEquations, State]:
        """Of a piece: its normal equations, and the state after it."""
        given = self._check(X, y, None, reset=False)
        driven = given._replace(sequences=self._with_teacher(given, self.target_mean_))
        fold = fold if given.weight is None else np.where(given.weight > 0, fold, -1).astype(np.int8)
        equations, after = self._gathered(Pass(self.network_, driven.sequences, self._moments), driven, fold)
        return equations, (after, given.table[given.sequences.offsets[1:] - 1])

    @abstractmethod
    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Material:
        """What was given, checked; ``reset`` learns what to compare later data with."""

    def _set_up(self, given: Material, shortest: int | None = None) -> None:
        """The reservoir and the washout, where the standardisation is known; ``shortest`` is the length of a sequence that is not given here."""
        seed, n_targets = seed_of(self.random_state), len(self.target_mean_)
        self._require_longer_than_washout(given.sequences.lengths)
        fed_back = (float(self.feedback_scaling),) * (n_targets if self.feedback else 0)
        driven = given._replace(sequences=self._with_teacher(given, self.target_mean_))
        longest = driven.sequences[int(driven.sequences.lengths.argmax())][:_MEASURED_STEPS]
        ranked = self._tuned(*self._trial(driven), fed_back, seed, (N_UNITS, N_UNITS_AGAIN))
        memory = 0
        for settings in [*ranked, ranked[0]]:
            self.network_ = self._build(settings, seed, fed_back)
            if len(ranked) > 1 or self.washout == AUTO:
                memory = self._memory(longest, self._moments, seed)
            if len(ranked) == 1 or len(longest) < _MEASURED_STEPS or memory < len(longest):
                break  # what forgets with few units may not with all of them
        self.spectral_radius_, self.leak_rate_, self.input_scaling_ = settings.values()
        shortest = int(driven.sequences.lengths.min()) if shortest is None else shortest
        self.washout_ = min(memory, shortest // 4) if self.washout == AUTO else int(self.washout)
        self._learned: Any = None

    def _go_on(self, given: Material, state: Any) -> None:
        """Learn from more sequences, which begin, or go on from ``state``."""
        if "_learned" not in self.__dict__:
            raise ValueError("partial_fit cannot go on: what was learned from is not saved with a model; call fit")
        if self._learned is None:
            raise ValueError(f"partial_fit needs a readout that learns from sums or step by step; got readout={self.readout}, alpha={self.alpha!r}")
        if state is None:
            self._require_longer_than_washout(given.sequences.lengths)
        self._learn(given, None if state is None else self._tensors(state, len(given.sequences)))

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_learned"}

    # What the network gets.

    @property
    def _moments(self) -> tuple[Array, Array]:
        """Means and scales of the channels that the network gets."""
        if not self.feedback:
            return self.mean_, self.scale_
        return np.concatenate([self.mean_, self.target_mean_]), np.concatenate([self.scale_, self.target_scale_])

    def _with_teacher(self, given: Material, last: Array) -> Sequences:
        """The outputs one step late beside the inputs; ``last`` are those before the first steps."""
        if not self.feedback:
            return given.sequences
        late = np.empty_like(given.table)
        late[1:] = given.table[:-1]
        late[given.sequences.offsets[:-1]] = last
        return given.sequences.with_values(np.hstack([given.sequences.values, late]))

    def _trial(self, driven: Material) -> tuple[Sequences, tuple[Any, ...]]:
        """Some standardised steps to choose the scales on."""
        sequences, (mean, scale) = driven.sequences, self._moments
        begins, some = _with_targets(driven)
        index = some[few_sequences(sequences.lengths[some], np.argsort(np.arange(len(some)) * 0.618 % 1), 1)]  # from all over the place
        lengths = np.minimum(sequences.lengths[index], N_STEPS)
        rows = np.concatenate([np.arange(low, low + n) for low, n in zip(begins[index], lengths, strict=True)])
        few = Sequences((sequences.values[rows] - mean) / scale, np.concatenate([[0], np.cumsum(lengths)]))
        y = (driven.table[rows] - self.target_mean_) / self.target_scale_
        weight = None if driven.weight is None else driven.weight[rows]
        return few, (y, weight, self._folds(few.lengths, weight, min(_TRIAL_WASHOUT, int(lengths.min()) // 4), at_least=2))

    def _folds(self, lengths: NDArray[np.int64], weight: Array | None, washout: int, *, at_least: int) -> NDArray[np.int8]:
        """The fold of each step; -1 where it does not count."""
        starts = np.cumsum(lengths) - lengths
        counted = np.arange(lengths.sum()) - np.repeat(starts, lengths) >= washout
        if weight is not None:
            counted &= weight > 0
        n = int(counted.sum())
        if n < at_least:
            raise ValueError(
                f"Too few steps to learn from, {n}: of n_samples = {len(counted)}, {washout} of each sequence are washed out and others may have no "
                f"target; alpha={self.alpha!r} needs {at_least}"
            )
        fold, left = np.full(len(counted), -1, dtype=np.int8), np.add.reduceat(counted, starts, dtype=np.int64)
        fold[counted] = contiguous_folds(left[left > 0], min(self.n_folds, n))
        return fold

    def _require_longer_than_washout(self, lengths: NDArray[np.int64]) -> None:
        shortest = int(lengths.argmin())
        if self.washout != AUTO and int(self.washout) >= (n := int(lengths[shortest])):
            raise ValueError(f"washout={self.washout} must be less than the length of every sequence; sequence {shortest} has {n} steps")

    def _gather(self, width: int, *material: Any) -> Steps:
        targets, weight, fold = material
        return Steps(width, targets, weight, fold, self.n_folds)

    def _tensors(self, state: Any, n_sequences: int) -> tuple[State, Tensor]:
        """A state that was returned, as the network takes it."""
        like = (self.network_.start(n_sequences), torch.zeros(n_sequences, len(self.target_mean_), dtype=torch.float64))
        return as_tensors(state, like, np.arange(n_sequences))

    # How it learns.

    def _learn(self, given: Material, state: tuple[State, Tensor] | None) -> None:
        sequences, table, weight = given
        last = self.target_mean_ if state is None else state[1].double().cpu().numpy()
        driven = given._replace(sequences=self._with_teacher(given, last))
        fold = self._folds(sequences.lengths, weight, self.washout_ if state is None else 0, at_least=1 + isinstance(self.alpha, str))
        states = None if state is None else state[0]
        if self.readout in ("rls", "force"):
            after = self._step_by_step(driven, fold >= 0, states)
        elif self.alpha == "closed_loop" and self.readout is None:
            after = self._by_free_run(driven, states)
        else:
            after = self._at_once(driven, fold, states)
        self.state_ = (after, table[sequences.offsets[1:] - 1])

    def _at_once(self, driven: Material, fold: NDArray[np.int8], states: State | None) -> State:
        """A ridge from sums, or any model from all rows."""
        run = Pass(self.network_, driven.sequences, self._moments, states, noisy=self.noise > 0)
        if self.readout is not None:
            self._fit_model(run, driven, fold >= 0)
            return run.after
        given = (*driven, fold, self._moments, states, self._n_parts)
        new, after = shared(self.network_, given, lambda: self._gathered(run, driven, fold))
        self._take_in(new)
        self._refine(run, driven, fold >= 0)
        return cast(State, after)

    def _take_in(self, new: NormalEquations) -> None:
        if self._learned is not None and self._learned.n_folds != new.n_folds:
            raise ValueError("alpha and n_folds must stay as they were between calls of partial_fit, as steps are kept by fold; call fit")
        self._learned = new if self._learned is None else self._learned + new
        self._solve(self._learned)

    def _gathered(self, run: Pass, driven: Material, fold: NDArray[np.int8]) -> tuple[NormalEquations, State]:
        gather = Steps(self.network_.output_size, driven.table, driven.weight, self._parts(fold), self._n_parts)
        for rows, features in run:
            gather.see(rows, features)
        return gather.equations(), run.after

    def _refine(self, run: Pass, driven: Material, counted: NDArray[np.bool_]) -> None:
        """Solve for a tiny penalty from the states themselves."""
        moments_ = self._learned.without(None).folds[0]
        if not (np.max(self.alpha_) < _TINY * np.trace(moments_.gram) / len(moments_.gram) and self._learned.n_rows == counted.sum()):
            return
        if counted.sum() * len(moments_.gram) * 8 <= _MANY:
            Z, Y, weight = self._all_rows(run, driven, counted)
            coef, intercept = svd_path(Z, Y, [float(np.max(self.alpha_))], weight)
            self.coef_, self.intercept_ = coef[0], intercept[0]

    def _fit_model(self, run: Pass, driven: Material, counted: NDArray[np.bool_]) -> None:
        Z, Y, weight = self._all_rows(run, driven, counted)
        if weight is not None and not has_fit_parameter(self.readout, "sample_weight"):
            if len(np.unique(weight)) > 1:
                raise ValueError(f"readout={self.readout} takes no sample_weight")
            weight = None
        self.readout_ = clone(self.readout).fit(Z, Y[:, 0] if self._single_output else Y, **({} if weight is None else {"sample_weight": weight}))

    def _all_rows(self, run: Pass, driven: Material, counted: NDArray[np.bool_]) -> tuple[NDArray[Any], Array, Array | None]:
        """Features, targets and weights of all steps that count."""
        Z = np.empty((len(counted), self.network_.output_size), self.dtype)
        for rows, features in run:
            Z[rows] = features
        return Z[counted], driven.table[counted], None if driven.weight is None else driven.weight[counted]

    def _step_by_step(self, driven: Material, counted: NDArray[np.bool_], states: State | None) -> State:
        """Recursive least squares along time, with the true outputs or its own."""
        if isinstance(self.alpha, str) or (driven.weight is not None and len(np.unique(driven.weight[counted])) > 1):
            raise ValueError(f"readout={self.readout!r} learns step by step: alpha must be a number (got {self.alpha!r}), and weights 0 or alike")
        if self.readout == "force" and not self.feedback:
            raise ValueError("readout='force' learns while its own output is fed back: it needs feedback=True")
        n_targets, alpha = driven.table.shape[1], float(self.alpha)
        if self._learned is None:
            sizes = (self.network_.output_size, n_targets)
            self._learned = RecursiveLeastSquares(*sizes, alpha=alpha, forgetting=self.forgetting, fit_intercept=self.readout == "rls")
        if self.readout == "rls":
            run = Pass(self.network_, driven.sequences, self._moments, states, alone=True)
            for rows, features in run:
                self._learned.update(features[counted[rows]], driven.table[rows[counted[rows]]])
            after = run.after
        else:
            after = self._force(driven, counted, states)
        self.coef_, self.intercept_ = self._learned.coef, self._learned.intercept
        self._keep_choice(alpha)
        return after

    def _force(self, driven: Material, counted: NDArray[np.bool_], states: State | None) -> State:
        ends, loop = [], self._loop()
        for i, (low, high) in enumerate(zip(driven.sequences.offsets[:-1], driven.sequences.offsets[1:], strict=True)):
            x = self._as_inputs(driven.sequences.values[low:high])
            k = x.shape[1] - driven.table.shape[1]
            start = self.network_.start(1) if states is None else map_state(lambda s, i=i: s[i : i + 1], states)
            first = torch.from_numpy(driven.sequences.values[low : low + 1, k:].astype(float))
            ends.append(loop.learn(self._learned, (start, first), driven.table[low:high], counted[low:high], x[:, None, :k]))
        return as_arrays(map_state(lambda *parts: torch.cat(parts), *ends))

    def _by_free_run(self, driven: Material, states: State | None) -> State:
        if driven.weight is not None or states is not None:
            raise ValueError("alpha='closed_loop' takes no sample_weight, needs a target for every step, and learns from whole sequences")
        loop, sequences = self._loop(), driven.sequences
        bounds = list(zip(sequences.offsets[:-1].tolist(), sequences.offsets[1:].tolist(), strict=True))
        data = [Driven(self._as_inputs(sequences.values[a:b]), driven.table[a:b], self.washout_) for a, b in bounds]
        self.coef_, self.intercept_, choice = choose_by_free_run(loop, data, 1 / self.n_folds)
        self._keep_choice(*choice)
        run = Pass(self.network_, sequences, self._moments)
        for _ in run:
            pass
        return run.after

    def _as_inputs(self, values: NDArray[Any]) -> Tensor:
        """Rows as the network gets them."""
        mean, scale = self._moments
        return torch.from_numpy((values - mean[: values.shape[-1]]) / scale[: values.shape[-1]]).to(self.network_.device, self.network_.dtype)

    def _loop(self) -> ClosedLoop:
        """The network on its own outputs."""
        if self.feedback:
            return ClosedLoop(self.network_, self.target_mean_, self.target_scale_)
        if len(self.mean_) != len(self.target_mean_):
            raise ValueError(
                f"A closed loop needs outputs that can be the next inputs: feedback=True, or y one step ahead of X; "
                f"X has {len(self.mean_)} features, y has {len(self.target_mean_)}"
            )
        return ClosedLoop(self.network_, self.mean_, self.scale_)

    def _read(self, features: Array) -> Array:
        """Outputs (n_rows, n_targets) from features."""
        if self.readout is None or isinstance(self.readout, str):
            return linear(self.coef_, self.intercept_)(features)
        return np.asarray(self.readout_.predict(features), dtype=float).reshape(len(features), -1)
