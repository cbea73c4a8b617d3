"""Echo state networks with a readout: the choice of scales, and what the readout learns from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from ..data import Sequences
from ..training import NormalEquations, choose_alpha, solve
from ._guards import infinite_states
from ._reservoir_base import BaseReservoir
from ._reservoir_parameters import AUTO, ReadoutParameters, parameters
from ._shared_work import READOUT, shared
from ._tuning import CHOICES, N_AGAIN, Gather, Trial, grid, tune

Array = NDArray[np.float64]


class Steps:
    """Rows of steps as normal equations.

    ``fold`` has the fold of each step, end to end; -1 is a step that does not count.
    """

    def __init__(self, width: int, targets: Array, weight: Array | None, fold: NDArray[np.int8], n_folds: int) -> None:
        self._targets, self._weight, self._fold = targets, weight, fold
        self._sums = NormalEquations(width, targets.shape[1], n_folds)
        self._one_fold = n_folds == 1

    def see(self, rows: NDArray[np.int64], features: NDArray[Any]) -> None:
        """Add what counts."""
        fold = self._fold[rows]
        if (fold < 0).any():
            there = fold >= 0
            rows, features, fold = rows[there], features[there], fold[there]
        if len(rows):
            weight = None if self._weight is None else self._weight[rows]
            self._sums.add(features, self._targets[rows], weight, 0 if self._one_fold else fold.astype(np.int64))

    def equations(self) -> NormalEquations:
        """All of it."""
        return self._sums


@parameters
class BaseEchoState(ReadoutParameters, BaseReservoir, ABC):
    """Chooses the scales and solves for the readout."""

    @abstractmethod
    def _gather(self, width: int, *material: Any) -> Gather:
        """What collects features for the readout."""

    def _tuned(
        self, sequences: Sequences, material: tuple[Any, ...], fed_back: tuple[float, ...], seed: int, n_units: tuple[int, ...]
    ) -> list[dict[str, Any]]:
        """Values for the tunable parameters, the best first; None for a cell.

        All are tried with reservoirs of at most ``n_units[0]`` units over standardised sequences, and some of the best with ``n_units[1]``, ….
        """
        if self.cell is not None:
            return [dict.fromkeys(CHOICES)]
        given = {name: value for name in CHOICES if not (isinstance(value := getattr(self, name), str) and value == AUTO)}
        if len(given) == len(CHOICES):
            return [given]
        scaling = given.get("input_scaling")
        in_weights = {"input_scaling": scaling} if isinstance(scaling, tuple) else {}  # a scaling for each channel is in W itself
        cell = self._cells(dict.fromkeys(CHOICES, 1.0) | in_weights, fed_back)[0][0]

        def ranked() -> list[dict[str, Any]]:
            found = grid(given | dict.fromkeys(in_weights, 1.0))
            others: list[dict[str, Any]] = []
            for n in dict.fromkeys(min(self.hidden_size, n) for n in n_units):
                trial = Trial(sequences, len(fed_back), self._small(cell, sequences.n_features, n, seed), self.include_input)
                found = tune(trial, found, lambda width: self._gather(width, *material))
                found, others = found[:N_AGAIN], found[N_AGAIN:] + others
            if not found + others:
                raise infinite_states()
            return found + others

        known = {name: value for name, value in self.get_params(deep=False).items() if name not in READOUT}
        best = shared("scales", (known, sequences.values, sequences.offsets, material, fed_back, seed), ranked)
        return [candidate | given for candidate in cast(list[dict[str, Any]], best)]

    def _small(self, cell: Any, n_features: int, n_units: int, seed: int) -> Any:
        """A reservoir of a few units, of scales 1."""
        small = clone(cell).set_params(fan_in=None if self.fan_in is None else min(self.fan_in, n_units))
        return small.build(n_features, n_units, torch.Generator().manual_seed(seed))

    @property
    def _n_parts(self) -> int:
        """Folds whose sums are kept apart: one where no penalty is compared on held-out ones."""
        return self.n_folds if self.alpha == "block_cv" else 1

    def _parts(self, fold: NDArray[Any]) -> NDArray[Any]:
        """Folds as they are kept; -1 stays what does not count."""
        return np.minimum(fold, self._n_parts - 1)

    def _solve(self, equations: NormalEquations) -> None:
        """The readout from its normal equations."""
        if isinstance(self.alpha, str):
            self._keep_choice(*choose_alpha(equations, self.alpha, per_target=self.alpha_per_target))
        else:
            self._keep_choice(self.alpha)
        self.coef_, self.intercept_ = solve(equations, self.alpha_)

    def _keep_choice(self, alpha: float | Array, alphas: Array | None = None, scores: Array | None = None) -> None:
        """The penalty, and what it was compared with if it was chosen."""
        self.alpha_ = alpha
        self.alphas_ = np.array([alpha], dtype=np.float64) if alphas is None else alphas
        self.scores_ = scores
