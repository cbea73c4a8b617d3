"""What parameters may be: scikit-learn's constraints, checked in one way and refused in one wording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval, InvalidParameterError, Options, make_constraint

COUNT = Interval(Integral, 1, None, closed="left")
POSITIVE = Interval(Real, 0, None, closed="neither")
NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
SHARE = Interval(Real, 0, 1, closed="both")

_NUMBER_WORDS: dict[Any, str] = {Real: "a number", Integral: "a whole number"}
_OTHER_WORDS = {"boolean": "True or False", "random_state": "a whole number, a RandomState, or None"}


class SequenceOf:
    """A sequence (but no string) whose items satisfy ``item``: ``length`` of them where that is given, else at least one."""

    def __init__(self, item: Any, length: int | None = None) -> None:
        self.item, self.length = item, length

    def is_satisfied_by(self, value: Any) -> bool:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            return False
        fits = len(value) > 0 if self.length is None else len(value) == self.length
        return fits and all(satisfies(entry, self.item) for entry in value)


def check_parameters(owner: Any, names: Iterable[str] | None = None) -> None:
    """Refuse a parameter, of all or of some, that satisfies none of the constraints listed for it in ``_parameter_constraints``.

    ``owner`` is whatever keeps its parameters under their own names: a transformer, a cell, a penalty, a rule.
    The constraints are those of scikit-learn, and :class:`SequenceOf`; but True and False are no numbers.
    """
    for name in owner._parameter_constraints if names is None else names:
        allowed = owner._parameter_constraints[name]
        if allowed != "no_validation" and not any(satisfies(getattr(owner, name), constraint) for constraint in allowed):
            raise refusal(owner, name, _either(allowed))


def refusal(owner: Any, name: str, wanted: str) -> InvalidParameterError:
    """The error that says what a parameter must be; to raise where that depends on what no constraint knows."""
    return InvalidParameterError(f"The {name!r} parameter of {type(owner).__name__} must be {wanted}; got {getattr(owner, name)!r}")


def satisfies(value: Any, constraint: Any) -> bool:
    """Whether a value is what a constraint wants."""
    if isinstance(constraint, SequenceOf):
        return constraint.is_satisfied_by(value)
    if isinstance(value, bool) and (isinstance(constraint, Interval) or constraint in (Real, Integral)):
        return False
    return make_constraint(constraint).is_satisfied_by(value)


def _either(allowed: Iterable[Any]) -> str:
    *before, last = [_in_words(constraint) for constraint in allowed]
    return f"{', '.join(before)}, or {last}" if before else last


def _in_words(constraint: Any) -> str:
    if isinstance(constraint, Options):
        return f"one of {sorted(constraint.options)}"
    if isinstance(constraint, Interval):
        return _range_in_words(constraint)
    if isinstance(constraint, SequenceOf):
        several = "a sequence" if constraint.length is None else f"a sequence of {constraint.length}"
        return f"{several}, each {_in_words(constraint.item)}"
    if isinstance(constraint, type):
        return _NUMBER_WORDS.get(constraint, f"an instance of {constraint.__name__}")
    return _OTHER_WORDS.get(constraint) or str(make_constraint(constraint))


def _range_in_words(interval: Interval) -> str:
    low, high, number = interval.left, interval.right, _NUMBER_WORDS.get(interval.type, "a number")
    with_low, with_high = interval.closed in ("left", "both"), interval.closed in ("right", "both")
    if low is None and high is None:
        return "a finite number"
    if low is not None and high is None:
        positive = low == 0 and interval.type is not Integral
        return f"{number} of at least {low}" if with_low else "a positive number" if positive else f"{number} above {low}"
    if interval.type is Integral and interval.closed == "both":
        return f"{number} from {low} to {high}"
    return f"{number} in {'[' if with_low else '('}{'-inf' if low is None else low}, {high}{']' if with_high else ')'}"
