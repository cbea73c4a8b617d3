"""Negative log-likelihoods: a network puts out the parameters of a distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log, pi, sqrt

import numpy as np
import torch
from scipy.special import nbdtrik, ndtri, stdtrit
from torch import Tensor
from torch.nn import functional as F

from ._objectives import Array, Distribution, Huber, Pinball, Predictive, Quantiles, SquaredError

_LEAST = 1e-3  # of the scale: no density may grow without bound where a network knows a value exactly
_LEAST_DF = 2.0  # with which the variance is still there


class Gaussian(Distribution):
    """Mean μ = o₁ and standard deviation σ = softplus(o₂)."""

    n_params = 2

    def value_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        sigma = F.softplus(outputs[..., 1]) + _LEAST
        return 0.5 * ((target - outputs[..., 0]) / sigma) ** 2 + sigma.log() + 0.5 * log(2 * pi)

    def best_constants(self, target: Tensor, weight: Tensor) -> Tensor:
        mean, deviation = mean_and_deviation(target, weight)
        return torch.stack([mean, inverse_softplus(deviation)], -1)

    def in_units(self, outputs: Array, location: Array, scale: Array) -> Array:
        return np.stack([location + scale * outputs[..., 0], scale * (softplus(outputs[..., 1]) + _LEAST)], -1)

    def point(self, params: Array) -> Array:
        return params[..., 0]

    def quantiles(self, params: Array, levels: Sequence[float]) -> Array:
        return params[..., :1] + params[..., 1:] * ndtri(np.asarray(levels, dtype=float))

    def sample(self, params: Array, generator: np.random.Generator) -> Array:
        return params[..., 0] + params[..., 1] * generator.standard_normal(params.shape[:-1])


class StudentT(Distribution):
    """Median μ = o₁, scale σ = softplus(o₂) and degrees of freedom ν = 2 + softplus(o₃): tails that outliers do not tear at."""

    n_params = 3

    def value_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        sigma, df = F.softplus(outputs[..., 1]) + _LEAST, F.softplus(outputs[..., 2]) + _LEAST_DF
        z = (target - outputs[..., 0]) / sigma
        density = torch.lgamma((df + 1) / 2) - torch.lgamma(df / 2) - 0.5 * (df * pi).log() - sigma.log()
        return (df + 1) / 2 * torch.log1p(z**2 / df) - density

    def best_constants(self, target: Tensor, weight: Tensor) -> Tensor:
        mean, deviation = mean_and_deviation(target, weight)
        df = 8.0
        return torch.stack([mean, inverse_softplus(deviation * sqrt((df - 2) / df)), inverse_softplus(torch.full_like(mean, df - _LEAST_DF))], -1)

    def in_units(self, outputs: Array, location: Array, scale: Array) -> Array:
        sigma = scale * (softplus(outputs[..., 1]) + _LEAST)
        return np.stack([location + scale * outputs[..., 0], sigma, softplus(outputs[..., 2]) + _LEAST_DF], -1)

    def point(self, params: Array) -> Array:
        return params[..., 0]

    def quantiles(self, params: Array, levels: Sequence[float]) -> Array:
        return params[..., :1] + params[..., 1:2] * stdtrit(params[..., 2:], np.asarray(levels, dtype=float))

    def sample(self, params: Array, generator: np.random.Generator) -> Array:
        return params[..., 0] + params[..., 1] * generator.standard_t(params[..., 2])


class NegativeBinomial(Distribution):
    """Counts with mean μ and variance μ + α μ² (Salinas, Flunkert & Gasthaus, 2017).

    With the scale ν of a window, μ = ν softplus(o₁) and α = softplus(o₂) / √ν. The likelihood is that of the counts themselves: a row of targets
    is all counts, and then the scale of each.
    """

    n_params = 2
    feeds_point = False

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Mean over the values; the second half of the target's columns holds the scales."""
        return self.value_losses(outputs.reshape(len(outputs), -1, 2), target).mean(-1)

    def value_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        y, scale = target.chunk(2, -1)
        mu = scale * (F.softplus(outputs[..., 0]) + _LEAST)
        r = scale.sqrt() / (F.softplus(outputs[..., 1]) + _LEAST)  # 1 / α
        choices = torch.lgamma(y + r) - torch.lgamma(y + 1) - torch.lgamma(r)
        return -(choices - r * torch.log1p(mu / r) + y * (mu.log() - (mu + r).log()))

    def best_constants(self, target: Tensor, weight: Tensor) -> Tensor:
        y, scale = target.chunk(2, -1)
        mean = weight @ y / (weight @ scale)
        mu = mean * scale
        excess = weight @ ((y - mu) ** 2 - mu) / (weight @ (mu**2 / scale.sqrt())).clamp_min(_LEAST)  # α of what a Poisson distribution leaves over
        return torch.stack([inverse_softplus(mean), inverse_softplus(excess)], -1)

    def fed_back(self, outputs: Tensor) -> Tensor:
        return F.softplus(outputs[..., 0])

    def in_units(self, outputs: Array, location: Array, scale: Array) -> Array:
        return np.stack([scale * (softplus(outputs[..., 0]) + _LEAST), (softplus(outputs[..., 1]) + _LEAST) / np.sqrt(scale)], -1)

    def point(self, params: Array) -> Array:
        """The median, as of every other distribution here."""
        return self.quantiles(params, [0.5])[..., 0]

    def quantiles(self, params: Array, levels: Sequence[float]) -> Array:
        mu, r = params[..., :1], 1 / params[..., 1:]
        found = np.ceil(np.nan_to_num(nbdtrik(np.asarray(levels, dtype=float), r, r / (r + mu))) - 1e-9)  # NaN: zero has more than that share
        return np.maximum(found, 0.0)

    def sample(self, params: Array, generator: np.random.Generator) -> Array:
        r = 1 / params[..., 1]
        return generator.poisson(generator.standard_gamma(r) * params[..., 0] / r).astype(float)


def softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def inverse_softplus(y: Tensor) -> Tensor:
    """What softplus makes ``y`` of; of very small numbers that of a thousandth."""
    y = y.clamp_min(1e-3)
    return y + torch.log(-torch.expm1(-y))


def mean_and_deviation(target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean and standard deviation of each column."""
    mean = weight @ target / weight.sum()
    return mean, (weight @ (target - mean) ** 2 / weight.sum()).sqrt()


PREDICTIVE: dict[str, Callable[[], Predictive]] = {
    "squared": SquaredError,
    "absolute": Pinball,
    "huber": Huber,
    "gaussian": Gaussian,
    "student_t": StudentT,
    "negative_binomial": NegativeBinomial,
}


def predictive(name: str, levels: Sequence[float]) -> Predictive:
    """The objective of a forecast by its name; ``levels`` are those of "quantile"."""
    return Quantiles(levels) if name == "quantile" else PREDICTIVE[name]()
