"""Several steps ahead: which prediction is compared with what."""

import numpy as np
import pytest

from skrnn.data import Sequences
from skrnn.estimators.anomalies._prediction_errors import aligned_errors, predictors, steps_ahead, training_windows

SERIES = Sequences(np.arange(24.0).reshape(12, 2), [0, 5, 12])


@pytest.mark.parametrize("n_first", [0, 2])
@pytest.mark.parametrize("horizon", [1, 2, 4, 7])
def test_a_perfect_predictor_errs_nowhere(horizon, n_first):
    predicted = np.full((12, horizon, 2), np.nan)
    for low, high in ((0, 5), (5, 12)):
        for now in range(low, high):
            for j in range(min(horizon, high - 1 - now)):
                predicted[now, j] = SERIES.values[now + 1 + j]
    errors = aligned_errors(predicted, SERIES.values, SERIES, n_first)
    step = np.r_[np.arange(5), np.arange(7)]
    known = np.arange(horizon) < step[:, None] - n_first
    assert (errors[known] == 0).all()
    assert np.isnan(errors[~known]).all()


def test_an_error_stands_at_the_step_that_was_predicted():
    predicted = np.full((12, 3, 2), np.nan)
    predicted[6] = SERIES.values[7:10] - [[1], [2], [3]]
    errors = aligned_errors(predicted, SERIES.values, SERIES, 0)
    assert [errors[7, 0, 0], errors[8, 1, 0], errors[9, 2, 0]] == [1, 2, 3]
    assert np.isfinite(errors).sum() == 6


def test_covariates_are_those_of_the_step_that_is_predicted_first():
    np.testing.assert_array_equal(predictors(SERIES, np.array([0])).values[:, 0], SERIES.values[:, 0])
    np.testing.assert_array_equal(predictors(SERIES, np.array([0])).values[:, 1], [3, 5, 7, 9, 9, 13, 15, 17, 19, 21, 23, 23])
    np.testing.assert_array_equal(predictors(SERIES, np.array([0, 1])).values, SERIES.values)


@pytest.mark.parametrize(("n_rows", "window"), [(50, 10), (51, 10), (10, 10), (9, 10), (1, 10), (30, 1), (31, 7)])
def test_every_row_is_learned_from(n_rows, window):
    rows = training_windows(n_rows, window)
    assert set(rows.ravel()) == set(range(n_rows))
    assert rows.shape[1] == min(window, n_rows)
    assert (np.diff(rows, axis=1) == 1).all()
    assert len(np.unique(rows[:, 0])) == len(rows)


def test_what_comes_after_a_step():
    np.testing.assert_array_equal(steps_ahead(SERIES.values, np.array([5, 8]), 2), [[[12, 13], [14, 15]], [[18, 19], [20, 21]]])
