"""One way to refuse parameters: which values satisfy a constraint, and what the error says."""

import inspect
import re
from numbers import Integral, Real

import numpy as np
import pytest
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skrnn import engine, training
from skrnn._constraints import COUNT, NOT_NEGATIVE, POSITIVE, SHARE, SequenceOf, check_parameters, refusal, satisfies
from skrnn.engine import BPTT
from skrnn.training import Penalty, penalised

PUBLIC = [getattr(room, name) for room in (engine, training) for name in room.__all__]
TOLD = [kind for kind in PUBLIC if inspect.isclass(kind) and "_parameter_constraints" in dir(kind) and not inspect.isabstract(kind)]


class Told:
    """An object of one parameter, which must be one of several things."""

    def __init__(self, value, *allowed):
        self.value = value
        self._parameter_constraints = {"value": list(allowed)}


@pytest.mark.parametrize(
    ("constraint", "right", "wrong"),
    [
        (COUNT, [1, np.int64(3)], [0, 1.0, True, "1", None, np.ones(2)]),
        (POSITIVE, [1, 0.5, np.float32(1e-9)], [0, -1.0, np.nan, np.inf, True, "1", None, np.ones(2)]),
        (NOT_NEGATIVE, [0, 2.5], [-1e-9, np.inf, np.nan, False]),
        (SHARE, [0, 0.5, 1], [-0.1, 1.1, True]),
        (Interval(Real, None, None, closed="neither"), [0, -1e9], [np.nan, -np.inf, False]),
        (Real, [np.nan, 2], [True, "2"]),
        (Integral, [-1], [True, 1.0]),
        (StrOptions({"a", "b"}), ["a"], ["c", None, ["a"], np.array(["a", "b"])]),
        (SequenceOf(COUNT), [(1,), [2, 3]], [(), 1, "12", (1, 0), (True,), np.array([1, 2])]),
        (SequenceOf(POSITIVE, 2), [(1, 0.5)], [(1.0,), (1, 2, 3), (1.0, 0.0), 1.0]),
        (SequenceOf(StrOptions({"a", "b"})), [["a", "b", "a"]], ["a", ["c"], [["a"]]]),
        ("boolean", [True, np.bool_(False)], [1, "yes", None]),
        (dict, [{}], [[]]),
        (None, [None], [0, False]),
    ],
)
def test_what_satisfies_a_constraint(constraint, right, wrong):
    assert all(satisfies(value, constraint) for value in right)
    assert not any(satisfies(value, constraint) for value in wrong)


@pytest.mark.parametrize(
    ("allowed", "wanted"),
    [
        ([COUNT], "a whole number of at least 1"),
        ([POSITIVE, None], "a positive number, or None"),
        ([NOT_NEGATIVE], "a number of at least 0"),
        ([SHARE], "a number in [0, 1]"),
        ([Interval(Real, 0, 1, closed="left")], "a number in [0, 1)"),
        ([Interval(Real, 2, None, closed="neither")], "a number above 2"),
        ([Interval(Integral, 0, None, closed="neither")], "a whole number above 0"),
        ([Interval(Integral, 1, 6, closed="both")], "a whole number from 1 to 6"),
        ([Interval(Real, None, 0, closed="right")], "a number in (-inf, 0]"),
        ([Interval(Real, None, None, closed="neither")], "a finite number"),
        ([StrOptions({"b", "a"}), COUNT, None], "one of ['a', 'b'], a whole number of at least 1, or None"),
        ([SequenceOf(POSITIVE, 2)], "a sequence of 2, each a positive number"),
        ([COUNT, SequenceOf(COUNT)], "a whole number of at least 1, or a sequence, each a whole number of at least 1"),
        ([Real, "boolean", dict], "a number, True or False, or an instance of dict"),
        ([HasMethods(["fit"])], "an object implementing 'fit'"),
    ],
)
def test_an_error_says_what_was_expected_and_what_came(allowed, wanted):
    with pytest.raises(ValueError, match=re.escape(f"The 'value' parameter of Told must be {wanted}; got <class 'object'>")):
        check_parameters(Told(object, *allowed))


def test_any_of_several_will_do():
    for value in (None, 3, "a"):
        check_parameters(Told(value, StrOptions({"a", "b"}), COUNT, None))


def test_what_is_not_to_be_checked_is_not():
    told = Told(object)
    told._parameter_constraints = {"value": "no_validation"}
    check_parameters(told)


def test_a_refusal_is_an_error_of_value_and_of_type_as_in_scikit_learn():
    error = refusal(Told(3), "value", "a divisor of 4")
    assert isinstance(error, ValueError)
    assert isinstance(error, TypeError)
    assert str(error) == "The 'value' parameter of Told must be a divisor of 4; got 3"


def checked(told):
    """Rules and readouts check themselves when they are made, penalties when they meet a rule."""
    return penalised(BPTT(), [told]) if isinstance(told, Penalty) else told


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.__name__)
def test_rules_schedules_readouts_and_penalties_refuse_in_these_words(kind):
    parameters = inspect.signature(kind).parameters
    assert set(kind._parameter_constraints) == set(parameters)
    required = {name: 1 for name, parameter in parameters.items() if parameter.default is parameter.empty}
    for name in parameters:
        with pytest.raises(ValueError, match=rf"^The '{name}' parameter of {kind.__name__} must be .*; got <class 'object'>$"):
            checked(kind(**required | {name: object}))
