"""What codes of sequences are trained for where nobody says what they should be: information, and entropy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from math import exp, log, pi

import torch
from torch import Tensor
from torch.nn import functional as F

from ._objectives import Objective

_EPS = 1e-5  # variance below which an output counts as constant, as everywhere in batch normalisation
_ROUNDED = 1e-12  # of the mean: what rounding leaves of outputs that are alike
_TINY = (1e-15, 1e-12, 1e-9)  # what correlations get more on their diagonal, the first with which they are regular
_ROUNDS = 5  # of two steps each, after which the width of a kernel has settled
_FARTHEST = 1.5  # that the logarithm of its square changes in one
_NARROWEST = 0.05  # width of a kernel, in standard deviations: outputs that coincide would have an entropy of minus infinity
_ROWS = 1024  # whose distances to all others are held at once where nothing is learned


class TogetherObjective(Objective):
    """A loss of all outputs of a batch together: the mean over them, but of each only beside the others.

    Nothing is given that they should be; targets are rows that say nothing.

    Parameters
    ----------
    n_outputs : int
    """

    together = True

    def __init__(self, n_outputs: int) -> None:
        self.n_outputs = n_outputs
        self.fewest = n_outputs + 2  # rows that have a covariance, and one more

    @abstractmethod
    def normalising(self, outputs: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean (n_outputs,) and map (n_outputs, n_outputs) after which outputs have the units of their own: ``(outputs - mean) @ map``."""

    @abstractmethod
    def of_normalised(self, outputs: Tensor, weight: Tensor | None) -> Tensor:
        """The loss of outputs that have them; where nothing is learned, with memory that does not grow with the square of their number."""

    def mean(self, outputs: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        if len(outputs) < self.fewest:
            return 0 * outputs.sum()  # the rest of an epoch: too few to tell anything from
        mean, to_units = self.normalising(outputs, weight)
        return self.of_normalised((outputs - mean) @ to_units, weight)

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.mean(outputs, target, None).expand(len(outputs))

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        return weight.new_zeros(self.n_outputs)


class InformationGain(TogetherObjective):
    """Less the bits that a code of binary outputs tells about what was read: batch information gain (Schraudolph & Sejnowski, 1993).

    Parameters
    ----------
    n_outputs : int
        Bits of a code; there are ``2**n_outputs`` codes.
    gain : float, default=4.0
        What outputs are multiplied by after the mean and the standard deviation of a batch are taken off.
    local : bool, default=False
        Whether the gradient is that of the rule of each output by itself, to which the others come in by their correlations with it alone.

    Notes
    -----
    ::

        u = gain (y − mean) / sqrt(var + 1e-5),     z = sigmoid(u)
        J = H(p̄) − mean of Σ_k H(z_k),              p̄ = mean distribution over the 2**n codes
        dJ/du_k = z_k (1 − z_k) (u_k − û_k) / n_rows
        û_k = mean of log p̄(code with bit k) / p̄(code without) over the other bits; log z̄ / (1 − z̄) of a single bit
        û_k = <u_k> + Σ_{j ≠ k} r_kj (u_j − <u_j>), r the correlations, where local

    References
    ----------
    N. N. Schraudolph, T. J. Sejnowski, "Unsupervised discrimination of clustered data via optimization of binary information gain", NIPS 5, 1993.
    """

    def __init__(self, n_outputs: int, gain: float = 4.0, local: bool = False) -> None:
        super().__init__(n_outputs)
        self.gain, self.local = gain, local

    def normalising(self, outputs: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        share = shares(outputs, weight)
        mean = share @ outputs
        variance = share @ (outputs - mean) ** 2
        return mean, torch.diag(self.gain / torch.sqrt(variance + _EPS))

    def of_normalised(self, outputs: Tensor, weight: Tensor | None) -> Tensor:
        share = shares(outputs, weight)
        loss = -information(outputs, share)
        if not (self.local and torch.is_grad_enabled()):
            return loss
        alone = -(share @ (self._rule(outputs.detach(), share) * outputs)).sum() / log(2)
        return loss.detach() + alone - alone.detach()

    def _rule(self, u: Tensor, share: Tensor) -> Tensor:
        """f'(u) (u − û): what the rule adds to each output."""
        z = torch.sigmoid(u)
        gap = u - share @ u
        covariance = (share[:, None] * gap).T @ gap
        deviation = covariance.diagonal().clamp_min(_EPS).sqrt()
        others = (covariance / torch.outer(deviation, deviation)).fill_diagonal_(0)
        return z * (1 - z) * (gap - gap @ others)

    def of_constant(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        return output.new_zeros(())


class ParzenEntropy(TogetherObjective):
    """Entropy of outputs, whatever their units: nonparametric entropy optimisation (Viola, Schraudolph & Sejnowski, 1996).

    Parameters
    ----------
    n_outputs : int
    bandwidth : float or None, default=None
        Width of the kernels in standard deviations; ``None`` is the likeliest, each output left out of what it is judged by.
    maximise : bool, default=False
        Whether the loss is less the entropy.

    Notes
    -----
    ::

        w = L⁻¹ (y − mean),     L Lᵀ the covariance of the batch
        H = −mean over i of log Σ_{j ≠ i} K(w_i − w_j) / (n − 1),     K normal with the standard deviation σ
          ≈ H(y) − ½ log det L Lᵀ: the same for every linear map of y that has an inverse

    Where σ is the likeliest, H does not change with it to first order, so that its gradient is that with σ held.

    References
    ----------
    P. Viola, N. N. Schraudolph, T. J. Sejnowski, "Empirical entropy manipulation for real-world problems", NIPS 8, 1996.
    N. N. Schraudolph, "Gradient-based manipulation of nonparametric entropy estimates", IEEE Transactions on Neural Networks 15(4), 2004.
    """

    def __init__(self, n_outputs: int, bandwidth: float | None = None, maximise: bool = False) -> None:
        super().__init__(n_outputs)
        self.bandwidth, self.maximise = bandwidth, maximise

    def normalising(self, outputs: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        y = outputs.double()
        share = shares(y, weight)
        mean = share @ y
        deviation = (share @ (y - mean) ** 2).sqrt().detach()
        each = deviation.clamp_min(_ROUNDED * float(mean.detach().norm()) + torch.finfo(y.dtype).tiny ** 0.5)
        gap = (y - mean) / each
        correlation = (share[:, None] * gap).T @ gap
        alike = (1 - correlation.diagonal()).clamp_min(0).detach()  # 1 of outputs that rounding alone tells apart, which are to stay small
        root = lower_root(correlation + torch.diag(alike))
        return mean, torch.linalg.solve_triangular(root * each[:, None], torch.eye(len(root)).to(root), upper=False).T

    def of_normalised(self, outputs: Tensor, weight: Tensor | None) -> Tensor:
        share = shares(outputs, weight)
        entropy = -(share @ log_densities(outputs, share, self.width(outputs.detach(), share)))
        return -entropy if self.maximise else entropy

    def width(self, outputs: Tensor, share: Tensor) -> float:
        """Standard deviation of the kernels."""
        return likeliest_width(outputs, share) if self.bandwidth is None else self.bandwidth

    def of_constant(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        return output.new_tensor(self.n_outputs * log(2 * pi) / 2)


def shares(outputs: Tensor, weight: Tensor | None) -> Tensor:
    """How much each row counts, with sum 1; nothing where all weights are 0."""
    if weight is None:
        return outputs.new_full((len(outputs),), 1 / len(outputs))
    return (weight / weight.sum().clamp_min(torch.finfo(weight.dtype).tiny)).to(outputs)


def information(u: Tensor, share: Tensor) -> Tensor:
    """Bits that codes tell, of the logits (n, n_bits) of their bits."""
    sure = F.softplus(-u.abs())
    about = (sure + u.abs() * torch.sigmoid(-u.abs())).sum(-1)  # entropy of the bits of each row
    log_p = u.new_zeros(len(u), 1)
    for unset, set_ in zip(F.logsigmoid(-u).T, F.logsigmoid(u).T, strict=True):
        log_p = torch.cat([log_p + unset[:, None], log_p + set_[:, None]], 1)
    p = share @ log_p.exp()
    return (torch.special.entr(p).sum() - share @ about) / log(2)


def log_densities(points: Tensor, share: Tensor, width: float) -> Tensor:
    """Logarithms of the densities (n,) at points (n, n_dimensions) that normal kernels at all other points make."""
    parts = [(log_share - squares / (2 * width**2)).logsumexp(1) for log_share, squares in neighbours(points, share)]
    constant = points.shape[1] * (log(width) + log(2 * pi) / 2)
    return torch.cat(parts) - (1 - share).clamp_min(_EPS).log() - constant


def likeliest_width(points: Tensor, share: Tensor) -> float:
    """Standard deviation of the kernels with which the densities at all points, each made by the others alone, are largest."""
    n, n_dimensions = points.shape
    least = 2 * log(_NARROWEST)
    kept = [*neighbours(points, share)] if n <= _ROWS else None

    def step(log_square: float) -> float:
        """One round of expectation and maximisation, of the logarithm of the variance."""
        pieces = neighbours(points, share) if kept is None else kept
        parts = [((log_share - squares / (2 * exp(log_square))).softmax(1) * squares).sum(1) for log_share, squares in pieces]
        return log(max(float(share @ torch.cat(parts)) / n_dimensions, exp(least)))

    here = -2 / (n_dimensions + 4) * log(n)  # Scott's rule
    for _ in range(_ROUNDS):
        first = step(here)
        second = step(first)
        slope = (second - first) / (first - here) if first != here else 0.0
        jump = (first - here) / (1 - slope) if slope < 1 else second - here  # to where the rounds would lead (Aitken)
        here = max(here + min(max(jump, -_FARTHEST), _FARTHEST), least)
    return exp(here / 2)


def lower_root(correlation: Tensor) -> Tensor:
    """L of L Lᵀ, with a little more on the diagonal, so that there is one where an output follows from the others."""
    for more in _TINY:
        root, failed = torch.linalg.cholesky_ex(correlation + more * torch.eye(len(correlation)).to(correlation))
        if not failed:
            break
    return root


def neighbours(points: Tensor, share: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Some points after the others: logarithms of the shares of all as their neighbours, −∞ of themselves; and squares of the distances to all."""
    lengths = points.square().sum(1)
    log_share = share.clamp_min(torch.finfo(share.dtype).tiny).log()
    for rows in torch.arange(len(points), device=points.device).split(_ROWS):
        itself = rows[:, None] == torch.arange(len(points), device=points.device)
        squares = lengths[rows, None] + lengths - 2 * points[rows] @ points.T
        yield log_share.masked_fill(itself, -torch.inf), squares.clamp_min(0)
