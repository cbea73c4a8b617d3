import numpy as np
import pytest

from skrnn.training import SCHEDULES
from skrnn.training._schedules import Plateau, over_time

DONE = np.linspace(0, 1, 101)


def factors(schedule):
    return np.array([over_time(schedule)(done) for done in DONE])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_stays_between_zero_and_one(schedule):
    assert 0 <= factors(schedule).min() <= factors(schedule).max() <= 1


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_time_changes_nothing(schedule):
    assert (factors(schedule) == 1).all()


def test_cosine_falls_from_one_to_zero():
    f = factors("cosine")
    assert f[0] == 1
    assert f[50] == pytest.approx(0.5)
    assert f[-1] == pytest.approx(0, abs=1e-15)
    assert (np.diff(f) < 0).all()


def test_one_cycle_rises_for_a_quarter_and_falls():
    f = factors("one_cycle")
    assert f[0] == pytest.approx(0.04)
    assert f[25] == pytest.approx(1)
    assert f[-1] == pytest.approx(0, abs=1e-15)
    assert (np.diff(f[:26]) > 0).all()
    assert (np.diff(f[25:]) < 0).all()


def seen(losses):
    plateau, found = Plateau(), []
    for loss in losses:
        plateau.see(loss)
        found.append(plateau.factor)
    return found


def test_plateau_halves_after_five_epochs_without_improvement():
    assert seen([3, 2] + [2] * 4) == [1] * 6
    assert seen([3, 2] + [2] * 5) == [1] * 6 + [0.5]
    assert seen([3, 2] + [2] * 10) == [1] * 6 + [0.5] * 5 + [0.25]


def test_plateau_begins_to_wait_again_after_an_improvement():
    assert seen([2, 2, 2, 2, 2, 1, 1, 1, 1, 1]) == [1] * 10
