"""What a network is trained for: a loss for each sequence or step, and the best constant output to start from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor
from torch.nn import functional as F

Array = NDArray[np.float64]


class Objective(ABC):
    """A loss for each sequence."""

    together: ClassVar[bool] = False  # whether the mean loss of a batch is more than the mean of what its parts would have by themselves

    @abstractmethod
    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Losses (n_sequences,) of outputs (n_sequences, n_outputs)."""

    @abstractmethod
    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        """The output (n_outputs,) with the least weighted loss."""

    def mean(self, outputs: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Mean of the losses times weights; weights have mean 1 over the training set."""
        losses = self.losses(outputs, target)
        return losses.mean() if weight is None else (losses * weight).mean()

    def of_constant(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Mean loss of the same output (n_outputs,) everywhere."""
        return self.mean(output.expand(len(target), -1), target, weight)


class CrossEntropy(Objective):
    """Softmax cross entropy; targets are class indices.

    Outputs may be of more classes than there are constants, as of tokens that are copied: in a constant ``stand_in`` stands for all of these.
    """

    def __init__(self, n_classes: int, stand_in: int | None = None) -> None:
        self.n_classes, self.stand_in = n_classes, stand_in

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(outputs, self._among(outputs.shape[1], target), reduction="none")

    def mean(self, outputs: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        return F.cross_entropy(outputs, self._among(outputs.shape[1], target)) if weight is None else super().mean(outputs, target, weight)

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        share = weight.new_zeros(self.n_classes).index_add(0, self._among(self.n_classes, target), weight) / weight.sum()
        return share.clamp_min(1e-3 / self.n_classes).log()

    def _among(self, n_outputs: int, target: Tensor) -> Tensor:
        return target if self.stand_in is None else target.masked_fill(target >= n_outputs, self.stand_in)


class Choosing(Objective):
    """Softmax cross entropy among as many choices as there are, −∞ for none; targets are their indices.

    ``n_most`` is the most that there are to choose from. Nothing is constant about a choice: without knowing anything all are alike.
    """

    def __init__(self, n_most: int) -> None:
        self.n_most = n_most

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(outputs, target, reduction="none")

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        return weight.new_zeros(self.n_most)

    def of_constant(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        return torch.log(output.new_tensor(self.n_most))


class BinaryCrossEntropy(Objective):
    """Logistic loss, summed over the outputs; targets are 0 or 1 for each output."""

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(outputs, target, reduction="none").sum(-1)

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        share = weight @ target / weight.sum()
        return torch.logit(share.clamp(1e-3, 1 - 1e-3))


class Supervised(Objective):
    """Another objective, for a network that is told more than the targets, and puts out its loss of that itself, behind the outputs.

    Parameters
    ----------
    objective : Objective
        Of the outputs.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.objective.losses(outputs[:, :-1], target) + outputs[:, -1]

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        return self.objective.best_constant(target, weight)

    def of_constant(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        return self.objective.of_constant(output, target, weight)


class Likelihood(Objective):
    """Of a network that is told the targets, and puts out the logarithms of their probabilities, in one dimension.

    Parameters
    ----------
    objective : Objective
        What that is the same as, for outputs that are not.
    constant : Tensor of shape (n_outputs,)
        The best constant output.
    """

    def __init__(self, objective: Objective, constant: Tensor) -> None:
        self.objective, self.constant = objective, constant

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return -outputs if outputs.ndim == 1 else self.objective.losses(outputs, target)

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        return self.constant.to(weight)


class Predictive(Objective):
    """An objective with ``n_params`` outputs for each value; outputs of a row are those of its first value, of its second, …

    Networks learn in units of their own, ``(y − location) / scale``. :meth:`in_units` brings their outputs into the units of y, once; everything
    after it is numpy.
    """

    n_params: int = 1
    feeds_point = True  # whether what is fed back is the point forecast, in the network's units

    @abstractmethod
    def value_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Losses (n, n_values) of outputs (n, n_values, n_params)."""

    @abstractmethod
    def best_constants(self, target: Tensor, weight: Tensor) -> Tensor:
        """The outputs (n_values, n_params) with about the least weighted loss."""

    @abstractmethod
    def in_units(self, outputs: Array, location: Array, scale: Array) -> Array:
        """Parameters (…, n_params) of what is described in units of y, of raw outputs; ``location`` and ``scale`` have no last axis."""

    @abstractmethod
    def point(self, params: Array) -> Array:
        """One number of each set of parameters: the forecast."""

    def fed_back(self, outputs: Tensor) -> Tensor:
        """What stands for the value (…), in the network's units, of outputs (…, n_params)."""
        return outputs[..., 0]

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Mean over the values."""
        return self.value_losses(outputs.reshape(len(outputs), -1, self.n_params), target).mean(-1)

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        return self.best_constants(target, weight).reshape(-1)


class Point(Predictive):
    """Objectives of one output for each value."""

    range: str = ""  # what targets there can be, for messages; all if empty

    def in_range(self, y: Array) -> NDArray[np.bool_]:
        """Which targets there can be."""
        return np.ones(y.shape, dtype=bool)

    def units(self, mean: Array, deviation: Array) -> tuple[Array, Array]:
        """Location and scale of the units in which targets of that mean and standard deviation are learned."""
        return mean, deviation

    def in_units(self, outputs: Array, location: Array, scale: Array) -> Array:
        return location[..., None] + scale[..., None] * outputs

    def point(self, params: Array) -> Array:
        return params[..., 0]


class SquaredError(Point):
    """Squared error: the forecast is the mean."""

    def value_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return (outputs[..., 0] - target) ** 2

    def best_constants(self, target: Tensor, weight: Tensor) -> Tensor:
        return (weight @ target / weight.sum())[:, None]


class Pinball(Point):
    """Twice the pinball loss of a quantile (Koenker & Bassett, 1978): that of the median is the absolute error."""

    def __init__(self, level: float = 0.5) -> None:
        self.level = level

    def value_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return twice_pinball(target - outputs[..., 0], self.level)

    def best_constants(self, target: Tensor, weight: Tensor) -> Tensor:
        return weighted_quantiles(target, weight, [self.level])


class Huber(Point):
    """Squared error up to ``delta``, absolute error above (Huber, 1964)."""

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta

    def value_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(outputs[..., 0], target, reduction="none", delta=self.delta)

    def best_constants(self, target: Tensor, weight: Tensor) -> Tensor:
        return weighted_quantiles(target, weight, [0.5])


class LogLink(Point):
    """Deviances of targets that are not negative, in units of their mean; outputs are logarithms of the forecast, which is the mean."""

    def best_constants(self, target: Tensor, weight: Tensor) -> Tensor:
        return (weight @ target / weight.sum()).clamp_min(1e-6).log()[:, None]

    def units(self, mean: Array, deviation: Array) -> tuple[Array, Array]:
        return np.zeros_like(mean), mean

    def in_units(self, outputs: Array, location: Array, scale: Array) -> Array:
        return scale[..., None] * np.exp(outputs)


class PoissonDeviance(LogLink):
    """Half the Poisson deviance: for counts, and other targets whose variance grows as their mean does."""

    range = "0 or more"

    def in_range(self, y: Array) -> NDArray[np.bool_]:
        return np.asarray(y >= 0)

    def value_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        eta = outputs[..., 0]
        return eta.exp() - target * (1 + eta) + torch.xlogy(target, target)


class GammaDeviance(LogLink):
    """Half the gamma deviance: for positive targets whose standard deviation grows as their mean does."""

    range = "more than 0"

    def in_range(self, y: Array) -> NDArray[np.bool_]:
        return np.asarray(y > 0)

    def value_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        eta = outputs[..., 0]
        return target * (-eta).exp() - 1 + eta - target.log()


class Distribution(Predictive):
    """Objectives that describe how y is distributed."""

    @abstractmethod
    def quantiles(self, params: Array, levels: Sequence[float]) -> Array:
        """Quantiles (…, n_levels)."""

    @abstractmethod
    def sample(self, params: Array, generator: np.random.Generator) -> Array:
        """One draw of each set of parameters."""


class Quantiles(Distribution):
    """Mean pinball loss of several quantiles (Koenker & Bassett, 1978; multi-quantile networks of Wen et al., 2017).

    Outputs may cross; sorted, they do not, and lie no further from the true quantiles (Chernozhukov, Fernández-Val & Galichon, 2010).
    """

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = np.array(levels, dtype=float)
        self.n_params = len(self.levels)
        self.feeds_point = bool((self.levels == 0.5).any())

    def value_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        q = torch.as_tensor(self.levels, dtype=outputs.dtype, device=outputs.device)
        return twice_pinball(target[..., None] - outputs, q).mean(-1)

    def best_constants(self, target: Tensor, weight: Tensor) -> Tensor:
        return weighted_quantiles(target, weight, self.levels.tolist())

    def fed_back(self, outputs: Tensor) -> Tensor:
        return outputs[..., int(np.abs(self.levels - 0.5).argmin())]

    def in_units(self, outputs: Array, location: Array, scale: Array) -> Array:
        return np.sort(location[..., None] + scale[..., None] * outputs, axis=-1)

    def point(self, params: Array) -> Array:
        return self.quantiles(params, [0.5])[..., 0]

    def quantiles(self, params: Array, levels: Sequence[float]) -> Array:
        """Straight lines between the learned levels; beyond the outermost the tails of normal distributions, through these and the median."""
        low, high = self.levels[0], self.levels[-1]
        asked = np.asarray(levels, dtype=float)
        if (asked.min() < low - 1e-9 and low >= 0.5) or (asked.max() > high + 1e-9 and high <= 0.5):
            raise ValueError(f"Only quantiles from {low:g} to {high:g} were learned; got {asked.tolist()}: set quantiles= before fit")
        found = self._between(params, np.broadcast_to(asked, (*params.shape[:-1], len(asked))))
        for level, end, beyond in ((low, params[..., :1], asked < low - 1e-9), (high, params[..., -1:], asked > high + 1e-9)):
            if beyond.any():
                middle = self._between(params, np.full((*params.shape[:-1], 1), 0.5))
                found[..., beyond] = middle + (end - middle) * ndtri(asked[beyond]) / ndtri(level)
        return found

    def sample(self, params: Array, generator: np.random.Generator) -> Array:
        """Straight lines between the levels too; what lies beyond the outermost is drawn from the outermost."""
        u = generator.random((*params.shape[:-1], 1)).clip(self.levels[0], self.levels[-1])
        return self._between(params, u)[..., 0]

    def _between(self, params: Array, u: Array) -> Array:
        if len(self.levels) == 1:
            return np.broadcast_to(params, u.shape).copy()
        right = np.searchsorted(self.levels, u).clip(1, len(self.levels) - 1)
        low, high = (np.take_along_axis(params, k, axis=-1) for k in (right - 1, right))
        share = (u - self.levels[right - 1]) / (self.levels[right] - self.levels[right - 1])
        return low + share.clip(0, 1) * (high - low)


def twice_pinball(error: Tensor, level: Tensor | float) -> Tensor:
    """Of y less its quantile of a level; twice, so that that of the median is the absolute error."""
    return 2 * torch.maximum(level * error, (level - 1) * error)


def weighted_quantiles(target: Tensor, weight: Tensor, levels: Sequence[float]) -> Tensor:
    """Quantiles (n_values, n_levels) of each column: the smallest value below or at which lies that share of the weight."""
    values, order = target.sort(dim=0)
    share = weight.double()[order].cumsum(0)
    wanted = torch.as_tensor(levels, dtype=share.dtype, device=share.device) * weight.double().sum()
    rows = torch.searchsorted(share.T.contiguous(), wanted.expand(target.shape[1], -1).contiguous()).clamp_max(len(target) - 1)
    return values.T.gather(1, rows)


LOSSES: dict[str, Callable[[float], Point]] = {
    "squared_error": lambda quantile: SquaredError(),
    "absolute_error": lambda quantile: Pinball(),
    "huber": lambda quantile: Huber(),
    "poisson": lambda quantile: PoissonDeviance(),
    "gamma": lambda quantile: GammaDeviance(),
    "quantile": lambda quantile: Pinball(quantile),
}
