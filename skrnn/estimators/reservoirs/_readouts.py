"""What has been learned to read states: a linear map, or a model of scikit-learn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ...kernels import row_product
from ..face._state import Fitted

Array = NDArray[np.float64]

_ROW_NUMBERS = 2**17  # float32 rows become float64 in blocks that stay in the cache


class ReadoutState:
    """A linear readout with its penalty, or a fitted model."""

    coef_: Array
    intercept_: Array
    alpha_: Any
    alphas_: Array
    scores_: Array | None
    readout_: Any

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("coef_", "ndarray", ("n_outputs", "n_states"), "Weights of the readout, for the input channels and then the states."),
        Fitted("intercept_", "ndarray", ("n_outputs",), "Not penalised."),
        Fitted("alpha_", "float or ndarray", ("n_outputs",), "The penalty in use."),
        Fitted("alphas_", "ndarray", ("n_alphas",), "The penalties that were compared."),
        Fitted(
            "scores_",
            "ndarray or None",
            ("n_alphas", "[n_outputs]"),
            "Their estimated mean squared errors, or errors of free runs in units of the targets' variance and at most 1; None for a penalty that\n"
            "    was given.",
        ),
        Fitted("readout_", "estimator", (), "The fitted model, if ``readout`` is one; then there are no coefficients and penalties."),
    )


class StepReadoutState:
    """What is learned from steps, and where it ended."""

    washout_: int
    target_mean_: Array
    target_scale_: Array
    state_: Any
    _target_reach: Array
    _learned: Any
    _one_series: bool
    _single_output: bool
    _n_outputs: int

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("washout_", "int", (), "Steps at the beginning of each sequence that were not learned from."),
        Fitted(
            "target_mean_, target_scale_",
            "ndarray",
            ("n_outputs",),
            "Mean and standard deviation of the targets, or 0 and 1 without ``standardize``: the units of what is fed back.",
        ),
        Fitted(
            "state_", "tuple", (), "The state after the training data, for ``predict`` and ``forecast``: of the reservoirs, and the last targets."
        ),
        Fitted("_learned", "NormalEquations, RecursiveLeastSquares or None", kept=False),
        Fitted("_target_reach", "ndarray"),
        Fitted("_one_series, _single_output", "bool"),
        Fitted("_n_outputs", "int"),
    )


class Readout(ABC):
    """Outputs from features; what it holds are attributes of a fitted estimator."""

    @abstractmethod
    def fitted(self) -> dict[str, Any]:
        """What an estimator is to have."""

    @abstractmethod
    def __call__(self, features: NDArray[Any]) -> Array:
        """Outputs (n_rows, n_outputs) of rows of features."""


def linear_outputs(features: NDArray[Any], coef: Array, intercept: Array) -> Array:
    """``features coefᵀ + intercept`` in float64; what a row gives does not depend on the others."""
    size = max(1, _ROW_NUMBERS // coef.shape[1])
    blocks = (features[low : low + size].astype(np.float64, copy=False) for low in range(0, max(1, len(features)), size))
    return np.concatenate([row_product(block, coef, intercept) for block in blocks])


@dataclass(frozen=True)
class LinearReadout(Readout):
    """Weights and an intercept, with the penalty and what it was compared with: see :class:`ReadoutState`."""

    coef: Array
    intercept: Array
    alpha: float | Array
    alphas: Array
    scores: Array | None

    @classmethod
    def of(cls, weights: tuple[Array, Array], alpha: float | Array, alphas: Array | None = None, scores: Array | None = None) -> Self:
        """From coefficients and intercept; a penalty that was compared with no other stands alone."""
        return cls(*weights, alpha, np.array([alpha], dtype=np.float64) if alphas is None else alphas, scores)

    def fitted(self) -> dict[str, Any]:
        return {"coef_": self.coef, "intercept_": self.intercept, "alpha_": self.alpha, "alphas_": self.alphas, "scores_": self.scores}

    def __call__(self, features: NDArray[Any]) -> Array:
        return linear_outputs(features, self.coef, self.intercept)


@dataclass(frozen=True)
class ModelReadout(Readout):
    """A fitted model of scikit-learn."""

    model: Any

    def fitted(self) -> dict[str, Any]:
        return {"readout_": self.model}

    def __call__(self, features: NDArray[Any]) -> Array:
        return np.asarray(self.model.predict(features), dtype=float).reshape(len(features), -1)


def readout_of(model: Any) -> Readout:
    """The readout that an estimator has learned."""
    if "readout_" in vars(model):
        return ModelReadout(model.readout_)
    return LinearReadout(model.coef_, model.intercept_, model.alpha_, model.alphas_, model.scores_)
