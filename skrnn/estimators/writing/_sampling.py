"""How tokens are chosen by their probabilities, and where texts end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import torch
from sklearn.utils._param_validation import Interval, validate_parameter_constraints
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """Choose among tokens by the logarithms of their probabilities.

    Parameters
    ----------
    temperature : float
        What they are divided by: below 1 the likely tokens become likelier; at 0 only the likeliest is left.
    top_k : int or None
        How many of the likeliest tokens are chosen from.
    top_p : float or None
        Share of the probability, at this temperature, of the likeliest tokens that are chosen from: as few as reach it.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    _allowed: ClassVar[dict[str, list[Any]]] = {
        "temperature": [Interval(Real, 0, None, closed="left")],
        "top_k": [Interval(Integral, 1, None, closed="left"), None],
        "top_p": [Interval(Real, 0, 1, closed="right"), None],
    }

    def __post_init__(self) -> None:
        validate_parameter_constraints(self._allowed, asdict(self), caller_name="generate")

    def token(self, log_p: Tensor, u: Tensor) -> Tensor:
        """A token (n, 1) for each row of (n, n_tokens); ``u`` (n, 1) are numbers between 0 and 1 that decide."""
        if self.temperature == 0 or self.top_k == 1:
            return log_p.argmax(-1, keepdim=True)
        below = log_p.double() - log_p.amax(-1, keepdim=True)  # what is likeliest stays, however low the temperature
        scaled, token = (below / self.temperature).sort(dim=-1, descending=True, stable=True)
        p = torch.softmax(scaled, -1)
        kept = torch.arange(p.shape[1], device=p.device) < (self.top_k or p.shape[1])
        if self.top_p is not None:
            kept = kept & (p.cumsum(-1) - p < self.top_p)
        total = (p * kept).cumsum(-1)
        place = torch.searchsorted(total, u * total[:, -1:], right=True)
        return token.gather(1, place.minimum((p * kept > 0).sum(-1, keepdim=True) - 1))

    def frame(self, log_odds: Tensor, u: Tensor) -> Tensor:
        """Zeros and ones, each by itself."""
        if self.temperature == 0:
            return (log_odds > 0).to(log_odds.dtype)
        return (u < torch.sigmoid(log_odds.double() / self.temperature)).to(log_odds.dtype)


class Endings:
    """Watches what is written, and says when every text has ended.

    Parameters
    ----------
    n : int
        Texts.
    stops : sequence of sequence of int
        Ids of tokens with which a text ends, in a row.
    """

    def __init__(self, n: int, stops: Sequence[Sequence[int]]) -> None:
        self._stops = [torch.tensor(stop) for stop in stops]
        self._last = torch.full((n, max(map(len, stops), default=0)), -1)
        self._ended = torch.zeros(n, dtype=torch.bool)

    def __call__(self, written: Tensor) -> bool:
        """Whether every text has ended, after one more token of each (n, 1)."""
        if not self._stops:
            return False
        self._last = torch.cat([self._last[:, 1:], written.cpu()], -1)
        for stop in self._stops:
            self._ended |= (self._last[:, -len(stop) :] == stop).all(-1)
        return bool(self._ended.all())

    def cut(self, ids: list[int]) -> list[int]:
        """What was written before the end that is complete first, as nothing behind it counts; of several the longest."""
        stops = [stop.tolist() for stop in self._stops]
        ends = [(k + len(stop), k) for k in range(len(ids)) for stop in stops if ids[k : k + len(stop)] == stop]
        return ids[: min(ends)[1]] if ends else ids
