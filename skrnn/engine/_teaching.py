"""How probable it is that a decoder sees the truth, over the updates of its training (scheduled sampling)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import exp
from numbers import Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval

from .._constraints import NOT_NEGATIVE, POSITIVE, SHARE, check_parameters, satisfies


class TeacherForcing(ABC):
    """The probability of the truth at update i."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    @abstractmethod
    def __call__(self, i: int) -> float:
        """In [0, 1]; i counts from 0."""


@dataclass(frozen=True)
class ConstantTeaching(TeacherForcing):
    """The same probability at every update; 1 is strict teacher forcing (Williams & Zipser, 1989), 0 is the closed loop.

    Parameters
    ----------
    p : float, default=1.0
        The probability.
    """

    _parameter_constraints = {"p": [SHARE]}
    p: float = 1.0

    def __post_init__(self) -> None:
        check_parameters(self)

    def __call__(self, i: int) -> float:
        """The probability at update i."""
        return self.p


@dataclass(frozen=True)
class LinearTeaching(TeacherForcing):
    """max(least, k - c i) (Bengio et al., 2015).

    Parameters
    ----------
    k : float, default=1.0
        Probability at the first update; above 1 it stays at 1 for a while.
    c : float, default=0.001
        How much it falls in one update.
    least : float, default=0.0
        Where it stops falling.

    References
    ----------
    S. Bengio et al., "Scheduled sampling for sequence prediction with recurrent neural networks", NIPS 2015, section 2.4.
    """

    _parameter_constraints = {"k": [POSITIVE], "c": [NOT_NEGATIVE], "least": [SHARE]}
    k: float = 1.0
    c: float = 0.001
    least: float = 0.0

    def __post_init__(self) -> None:
        check_parameters(self)

    def __call__(self, i: int) -> float:
        """The probability at update i."""
        return min(1.0, max(self.least, self.k - self.c * i))


@dataclass(frozen=True)
class ExponentialTeaching(TeacherForcing):
    """k^i (Bengio et al., 2015).

    Parameters
    ----------
    k : float, default=0.998
        Below 1; half the probability is gone after log 0.5 / log k updates.

    References
    ----------
    S. Bengio et al., "Scheduled sampling for sequence prediction with recurrent neural networks", NIPS 2015, section 2.4.
    """

    _parameter_constraints = {"k": [Interval(Real, 0, 1, closed="neither")]}
    k: float = 0.998

    def __post_init__(self) -> None:
        check_parameters(self)

    def __call__(self, i: int) -> float:
        """The probability at update i."""
        return float(self.k**i)


@dataclass(frozen=True)
class InverseSigmoidTeaching(TeacherForcing):
    """k / (k + exp(i / k)) (Bengio et al., 2015).

    Parameters
    ----------
    k : float, default=100.0
        At least 1; the probability is a half after k log k updates.

    References
    ----------
    S. Bengio et al., "Scheduled sampling for sequence prediction with recurrent neural networks", NIPS 2015, section 2.4.
    """

    _parameter_constraints = {"k": [Interval(Real, 1, None, closed="left")]}
    k: float = 100.0

    def __post_init__(self) -> None:
        check_parameters(self)

    def __call__(self, i: int) -> float:
        """The probability at update i."""
        return self.k / (self.k + exp(min(i / self.k, 700.0)))  # exp(710) is infinite


TEACHINGS: dict[str, type[TeacherForcing]] = {
    "linear": LinearTeaching,
    "exponential": ExponentialTeaching,
    "inverse_sigmoid": InverseSigmoidTeaching,
}


def resolve_teaching(teacher_forcing: Any) -> TeacherForcing:
    """A schedule for its name, a probability, or itself."""
    if isinstance(teacher_forcing, TeacherForcing):
        return teacher_forcing
    if isinstance(teacher_forcing, str) and teacher_forcing in TEACHINGS:
        return TEACHINGS[teacher_forcing]()
    if satisfies(teacher_forcing, SHARE):
        return ConstantTeaching(float(teacher_forcing))
    wanted = f"a probability in [0, 1], one of {sorted(TEACHINGS)} or a schedule of skrnn.engine"
    raise ValueError(f"The 'teacher_forcing' parameter must be {wanted}; got {teacher_forcing!r}")
