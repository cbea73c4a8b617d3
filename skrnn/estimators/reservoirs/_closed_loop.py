"""Reservoirs that run on their own output: forecasts, and the penalty with which forecasts last longest."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ...cells import State, map_state, put_first
from ...data import Sequences
from ...engine import longest_first, rollout
from ...networks import Reservoirs
from ...training import Choice, DivergenceWarning, RecursiveLeastSquares, svd_path
from ..face._step_values import as_arrays, as_tensors
from ._drive import Units

Array = NDArray[np.float64]
Read = Callable[[Array], Array]  # features (batch, n_features) to outputs (batch, n_targets)
Path = Callable[[Array, Array, Array], tuple[Array, Array]]  # rows, targets and penalties to the coefficients and intercepts for each penalty
LoopState = tuple[State, Tensor]  # of the network, and the last outputs (batch, n_targets)

ALPHAS = np.logspace(-16, 0, 25)  # in units of the mean eigenvalue of Z'Z
_N_FREE_RUNS = 10
_FAR = 10  # half ranges of the targets, or standard deviations
_LONGER = 4  # times the steps that a free run with feedback is compared in, it must not get out of bounds


@dataclass(frozen=True)
class ClosedLoop:
    """A network whose last inputs are its readout's outputs.

    Parameters
    ----------
    network : Reservoirs
    units : Units
        Without feedback the outputs are the next inputs, all of them, so there must be as many.
    """

    network: Reservoirs
    units: Units

    def __post_init__(self) -> None:
        units = self.units
        if not units.feedback and len(units.mean) != len(units.target_mean):
            raise ValueError(
                f"A closed loop needs outputs that can be the next inputs: feedback=True, or y one step ahead of X; "
                f"X has {len(units.mean)} features, y has {len(units.target_mean)}"
            )

    def run(self, read: Read, state: LoopState, n_steps: int, inputs: Tensor | None = None) -> tuple[Array, LoopState]:
        """Outputs (n_steps, batch, n_targets), and states and last output after them; ``inputs`` (n_steps, batch, n_features) come first."""
        outputs = []

        def advance(x: Tensor, states: State) -> tuple[Tensor, State]:
            features, states = self.network(PackedSequence(x, torch.tensor([len(x)])), states)
            outputs.append(read(features.double().cpu().numpy()))
            return self.fed(outputs[-1]), states

        with np.errstate(over="ignore", invalid="ignore"):  # a readout that diverges gives infinity, which is what happens
            _, states = rollout(advance, state[0], n_steps, first=self.fed(state[1].double().cpu().numpy()), inputs=inputs)
        return np.stack(outputs), (states, torch.from_numpy(outputs[-1]))

    def run_over(self, sequences: Sequences, read: Read, state: LoopState | None) -> tuple[Array, State]:
        """Outputs of all steps, end to end, and states after them; all sequences at once, of which the shorter ones leave when they end."""
        order = longest_first(sequences.lengths)
        lengths, starts = sequences.lengths[order], sequences.offsets[:-1][order]
        if state is None:
            states, last = self.network.start(len(order)), torch.from_numpy(np.tile(self.units.target_mean, (len(order), 1)))
        else:
            states, last = map_state(lambda s: s[order], state)
        outputs, done = np.empty((sequences.n_steps_total, len(self.units.target_mean))), 0
        for end in np.unique(lengths):
            n = int((lengths >= end).sum())
            rows = starts[:n] + np.arange(done, end)[:, None]
            now = map_state(lambda s, n=n: s[:n], (states, last))
            outputs[rows], now = self.run(read, now, int(end) - done, self.inputs(sequences.values[rows]))
            states, last = put_first(now, (states, last))
            done = int(end)
        back = np.argsort(order)
        return outputs, as_arrays(map_state(lambda s: s[back], states))

    def inputs(self, values: NDArray[Any]) -> Tensor:
        """Rows as the network gets them; what is fed back may be missing."""
        mean, scale = (both[: values.shape[-1]] for both in self.units.of_inputs)
        return torch.from_numpy((values - mean) / scale).to(self.network.device, self.network.dtype)

    def future(self, sequences: Sequences, n_steps: int, n_sequences: int) -> Tensor:
        """Inputs of the steps to come as the network gets them (n_steps, n_sequences, n_channels)."""
        if len(sequences) != n_sequences or (sequences.lengths != n_steps).any():
            raise ValueError(f"X must hold n_steps={n_steps} steps of {n_sequences} sequences; got {sequences!r}")
        return self.inputs(sequences.values).view(n_sequences, n_steps, -1).transpose(0, 1)

    def fed(self, y: Array) -> Tensor:
        """Outputs as the network gets them."""
        mean, scale = self.units.of_fed_back
        return torch.from_numpy((y - mean) / scale).to(self.network.device, self.network.dtype)

    def learn(self, rls: RecursiveLeastSquares, state: LoopState, targets: Array, counted: Any, inputs: Tensor) -> State:
        """Learn from targets (n_steps, n_targets) of one sequence while the loop is closed (FORCE); the states after it.

        In steps that are not ``counted`` the target itself is fed back, and nothing is learned.
        """
        wanted = zip(targets, counted, strict=True)

        def read(features: Array) -> Array:
            y, counts = next(wanted)
            return rls.update_step(features[0], y)[None] if counts else y[None]

        return self.run(read, state, len(targets), inputs)[1][0]


def taken_up(state: Any, network: Reservoirs, n_sequences: int, n_outputs: int) -> LoopState:
    """A state that ``predict`` returned, as the network takes it."""
    like = (network.start(n_sequences), torch.zeros(n_sequences, n_outputs, dtype=torch.float64))
    return cast(LoopState, as_tensors(state, like, np.arange(n_sequences)))


class TaughtSeries(NamedTuple):
    """A sequence as the network gets it (n_steps, n_inputs), outputs (n_steps, n_targets), and where the outputs begin to count."""

    x: Tensor
    y: Array
    first: int


def is_long_enough(lengths: NDArray[np.int64], share: float, washout: int) -> bool:
    """Whether free runs over the last ``share`` of sequences can choose a penalty."""
    held = (lengths * share).astype(np.int64)
    return bool((held // 2 >= _N_FREE_RUNS).all() and (lengths - held > washout).all())


def range_of(targets: Array) -> Array:
    """The least and the greatest of each target (2, n_targets)."""
    return np.stack([targets.min(axis=0), targets.max(axis=0)])


def warn_of_escape(outputs: Array, reach: Array) -> None:
    """Warn if outputs (…, n_targets) of a closed loop are far from the targets of ``fit``, whose least and greatest are ``reach``."""
    low, high = reach
    middle, half = (low + high) / 2, (high - low) / 2
    half = np.where(half > 0, half, np.maximum(np.abs(middle), 1.0))
    with np.errstate(over="ignore", invalid="ignore"):
        inside = np.abs(outputs - middle) <= _FAR * half
    if not inside.all():
        warnings.warn(
            f"The closed loop left all bounds: it gave {outputs[~inside][0]:g}, more than {_FAR} times as far from the middle of the targets of "
            "fit as any of them. What follows means nothing; a larger alpha, noise while fitting or alpha='closed_loop' make a loop hold longer",
            DivergenceWarning,
            stacklevel=4,
        )


def choose_by_free_run(loop: ClosedLoop, data: list[TaughtSeries], share: float, path: Path = svd_path) -> tuple[Array, Array, Choice]:
    """Coefficients, intercept and the penalty with which free runs stay closest to the targets.

    The last ``share`` of each sequence is held out. From ten places in it, which the network reaches on the true inputs, it runs freely for half of
    that part; compared is the mean over runs and steps of the squared error in units of the targets' variance, at most 1. Inputs that are not fed
    back are the true ones. With feedback runs go on behind the known targets, and one that leaves all bounds there counts as wrong in all its steps.
    Of rows, targets and penalties ``path`` makes a readout for each penalty.
    """
    length = min(int(len(d.y) * share) // 2 for d in data)
    rows, known, starts = [], [], []
    for d in data:
        split = len(d.y) - int(len(d.y) * share)
        if length < _N_FREE_RUNS or split <= d.first:
            raise ValueError(f"alpha='closed_loop' needs longer sequences: one has {len(d.y)} steps, of which {d.first} are washed out")
        places = split + np.arange(_N_FREE_RUNS) * ((len(d.y) - split - length) // _N_FREE_RUNS)
        features, states = _stops(loop.network, d.x, places)
        rows.append((features[d.first :], d.y[d.first :]))
        known.append((features[d.first : split], d.y[d.first : split]))
        starts += [(state, d.x[t : t + length], d.y[t - 1 : t + length]) for state, t in zip(states, places.tolist(), strict=True)]
    Z, Y = (np.concatenate(parts) for parts in zip(*known, strict=True))
    alphas = ALPHAS * max(float(Z.var(axis=0).sum()) * len(Z) / Z.shape[1], np.finfo(float).tiny)
    scores = _scores(loop, path(Z, Y, alphas), starts, Y.var(axis=0))
    best = len(alphas) - 1 - int(np.argmin(scores[::-1]))  # the largest of equals
    Z, Y = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    coef, intercept = path(Z, Y, alphas[best : best + 1])
    return coef[0], intercept[0], Choice(float(alphas[best]), alphas, scores)


def _stops(network: Reservoirs, x: Tensor, places: NDArray[np.int64]) -> tuple[Array, list[State]]:
    """Features of all steps of one sequence, and the states before the steps ``places``."""
    state = network.start(1)
    features, states = [], []
    for part in x.split(np.diff(places, prepend=0, append=len(x)).tolist()):
        for block, end in network.blocks(PackedSequence(part, torch.ones(len(part), dtype=torch.int64)), state):
            features.append(block.double().cpu().numpy())
            state = end
        states.append(state)
    return np.concatenate(features), states[:-1]


def _scores(loop: ClosedLoop, path: tuple[Array, Array], starts: list[Any], variance: Array) -> Array:
    """Of every readout of a path: the mean bounded error of its free runs."""
    states, inputs, targets = zip(*starts, strict=True)
    n, n_runs = len(path[0]), len(starts)
    together = map_state(lambda *s: torch.cat(s).repeat(n, *[1] * (s[0].dim() - 1)), *states)
    y = np.stack(targets, axis=1)  # (1 + n_steps, n_runs, n_targets)
    n_outer = inputs[0].shape[1] - y.shape[2]
    n_known, on = len(y) - 1, _LONGER if loop.units.feedback else 1
    outer = torch.stack(inputs, 1)[:, :, :n_outer].repeat(on, n, 1)  # behind the known steps the inputs come again
    coef, intercept = (np.repeat(weights, n_runs, axis=0) for weights in path)  # a readout for each run
    last = torch.from_numpy(np.tile(y[0], (n, 1)))
    free, _ = loop.run(lambda z: np.einsum("bp,bkp->bk", z, coef) + intercept, (together, last), on * n_known, outer)
    free, variance = free.reshape(len(free), n, n_runs, -1), np.where(variance > 0, variance, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        error = ((free[:n_known] - y[1:, None]) ** 2 / variance).mean(axis=3)
        lasts = ((free[n_known:] - y[1:].mean(axis=(0, 1))) ** 2 < (_FAR**2 * variance)).all(axis=(0, 3))
    return np.asarray(np.where((error < 1) & lasts, error, 1.0).mean(axis=(0, 2)))
