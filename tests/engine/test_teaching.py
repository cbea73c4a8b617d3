"""Schedules of the probability with which the truth is fed back."""

import math

import pytest

from skrnn.engine import ConstantTeaching, ExponentialTeaching, InverseSigmoidTeaching, LinearTeaching, resolve_teaching


@pytest.mark.parametrize(
    ("schedule", "formula"),
    [
        (LinearTeaching(k=0.9, c=0.01, least=0.2), lambda i: max(0.2, 0.9 - 0.01 * i)),
        (ExponentialTeaching(0.99), lambda i: 0.99**i),
        (InverseSigmoidTeaching(20), lambda i: 20 / (20 + math.exp(i / 20))),
    ],
)
def test_the_formulas_of_the_paper(schedule, formula):
    assert [schedule(i) for i in (0, 1, 7, 50, 200)] == pytest.approx([formula(i) for i in (0, 1, 7, 50, 200)], abs=1e-15)


@pytest.mark.parametrize("schedule", [LinearTeaching(k=3.0), ExponentialTeaching(), InverseSigmoidTeaching(), ConstantTeaching(0.5)])
def test_a_probability_that_never_rises(schedule):
    values = [schedule(i) for i in (*range(100), 10**4, 10**7)]
    assert all(0 <= p <= 1 for p in values)
    assert sorted(values, reverse=True) == values


def test_names_and_numbers():
    assert resolve_teaching(0.25) == ConstantTeaching(0.25)
    assert resolve_teaching("inverse_sigmoid") == InverseSigmoidTeaching()
    assert resolve_teaching(LinearTeaching(c=0.1)) == LinearTeaching(c=0.1)


@pytest.mark.parametrize("bad", [-0.1, 1.5, True, "often", None])
def test_what_is_no_schedule_is_refused(bad):
    with pytest.raises(ValueError, match="'teacher_forcing' parameter must be a probability"):
        resolve_teaching(bad)


@pytest.mark.parametrize(
    ("schedule", "setting"),
    [(LinearTeaching, {"k": 0}), (LinearTeaching, {"least": 2}), (ExponentialTeaching, {"k": 1}), (InverseSigmoidTeaching, {"k": 0.5})],
)
def test_bad_settings_are_refused(schedule, setting):
    with pytest.raises(ValueError, match=f"parameter of {schedule.__name__} must be"):
        schedule(**setting)
