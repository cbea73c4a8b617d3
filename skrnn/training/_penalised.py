"""Rules with penalties around them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._constraints import check_parameters
from ..engine import Rule, Runnable
from ._outliers import AdditiveOutliers
from ._pascanu import Pascanu
from ._penalties import ActivationPenalty, Penalty, TemporalActivationPenalty, WeightNoise

PENALTIES: tuple[type[Penalty], ...] = (WeightNoise, AdditiveOutliers, ActivationPenalty, TemporalActivationPenalty, Pascanu)


def as_penalties(given: Any) -> tuple[Penalty, ...]:
    """None, one or several penalties as a tuple."""
    several = () if given is None else tuple(given) if isinstance(given, list | tuple) else (given,)
    if not all(isinstance(penalty, Penalty) for penalty in several):
        raise ValueError(f"The 'penalties' parameter must be None, a penalty of skrnn.training, or a tuple or list of them; got {given!r}")
    return several


def penalised(rule: Rule, penalties: Iterable[Penalty]) -> Rule:
    """``rule`` with all penalties, the first nearest to it."""
    with_penalties = rule
    for penalty in penalties:
        check_parameters(penalty)
        penalty.check(rule)
        with_penalties = penalty.around(with_penalties)
    return with_penalties


def check_penalties(penalties: Iterable[Penalty], network: Runnable) -> None:
    """Refuse a penalty that cannot work with a network, and say which can."""
    for penalty in penalties:
        if not penalty.fits(network):
            able = " or ".join(kind.__name__ for kind in PENALTIES if kind().fits(network))
            raise ValueError(f"{type(network).__name__} knows no penalties but {able}; got {penalty!r}")
