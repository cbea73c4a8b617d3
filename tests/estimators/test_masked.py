"""Masked arrays: what is masked is missing, in X and in y, and never what stands behind the mask."""

import numpy as np
import pytest

from skrnn import (
    DualStageAttentionRegressor,
    EchoStateClassifier,
    EchoStateRegressor,
    RidgeReadout,
    RNNAnomalyDetector,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    RNNSequenceRegressor,
    RNNTagger,
    Seq2SeqRegressor,
    Vec2SeqRegressor,
)

RNG = np.random.default_rng(0)
TABLE, SEQUENCES = RNG.normal(size=(40, 2)), RNG.normal(size=(12, 5, 2))
SMALL = {"hidden_size": 4, "max_epochs": 1, "random_state": 0}
OF_STEPS, OF_SEQUENCES = np.arange(40) % 2, np.arange(12) % 2
CASES = {  # an estimator, X, and y of which something is missing
    "tagger": (RNNTagger(**SMALL), TABLE, OF_STEPS),
    "sequence regressor": (RNNSequenceRegressor(**SMALL), TABLE, OF_STEPS * 2.5),
    "sequence regressor, ragged": (RNNSequenceRegressor(**SMALL), [TABLE[:15], TABLE[15:]], [OF_STEPS[:15] * 1.0, OF_STEPS[15:] * 1.0]),
    "echo states": (EchoStateRegressor(hidden_size=9, random_state=0), TABLE, OF_STEPS * 2.5),
    "readout": (RidgeReadout(), TABLE, OF_STEPS * 2.5),
    "classifier": (RNNClassifier(**SMALL), SEQUENCES, OF_SEQUENCES),
    "echo state classifier": (EchoStateClassifier(hidden_size=9, random_state=0), SEQUENCES, OF_SEQUENCES),
    "regressor": (RNNRegressor(**SMALL), SEQUENCES, OF_SEQUENCES * 2.5),
    "forecaster": (RNNForecaster(horizon=2, n_lags=3, **SMALL), None, TABLE[:, 0]),
    "forecaster, mask": (RNNForecaster(horizon=2, n_lags=3, missing="mask", **SMALL), None, TABLE[:, 0]),
    "forecaster, panel": (RNNForecaster(horizon=2, n_lags=3, missing="mask", **SMALL), None, [TABLE[:, 0], TABLE[:, 1]]),
    "drivers": (DualStageAttentionRegressor(n_lags=3, **SMALL), TABLE, TABLE[:, 0]),
    "seq2seq": (Seq2SeqRegressor(**SMALL), SEQUENCES, SEQUENCES[:, :3]),
    "vec2seq": (Vec2SeqRegressor(**SMALL), SEQUENCES[:, 0], SEQUENCES[:, :3]),
}
every_case = pytest.mark.parametrize(("estimator", "X", "y"), CASES.values(), ids=CASES)


def both(y):
    """y with an entry masked, behind which stands something large, and with NaN in its place."""
    if isinstance(y, list):
        first, nan = both(y[0])
        return [first, *y[1:]], [nan, *y[1:]]
    behind, nan, where = y.astype(y.dtype, copy=True), y.astype(float), np.zeros(y.shape, bool)
    place = (7, *[0] * (y.ndim - 1))
    behind[place], nan[place], where[place] = 99, np.nan, True
    return np.ma.masked_array(behind, where), nan


def outcome(estimator, X, y):
    """Predictions, or the words in which y was refused."""
    try:
        model = estimator.fit(X, y)
    except ValueError as error:
        return str(error)
    return np.concatenate([np.ravel(part) for part in (model.predict() if X is None else model.predict(X))], axis=None).astype(float)


@every_case
def test_what_is_masked_in_y_is_missing(estimator, X, y):
    masked, nan = both(y)
    got, expected = outcome(estimator, X, masked), outcome(estimator, X, nan)
    assert type(got) is type(expected)
    np.testing.assert_array_equal(got, expected)


@every_case
def test_a_mask_that_hides_nothing_changes_nothing(estimator, X, y):
    plain = [np.ma.masked_array(part) for part in y] if isinstance(y, list) else np.ma.masked_array(y)
    got, expected = outcome(estimator, X, plain), outcome(estimator, X, y)
    np.testing.assert_array_equal(got, expected)
    assert not isinstance(expected, str)


@pytest.mark.parametrize("estimator", [RNNClassifier(**SMALL), RNNAnomalyDetector(horizon=2, **SMALL)], ids=lambda e: type(e).__name__)
def test_what_is_masked_in_X_is_missing(estimator):
    X = np.ma.masked_array(SEQUENCES, SEQUENCES > 1.5)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        estimator.fit(X, OF_SEQUENCES)


def test_a_masked_label_is_no_target():
    y = np.ma.masked_array(np.where(OF_STEPS, "up", "down").astype(object), OF_STEPS == 5)
    y[3] = np.ma.masked
    y.data[3] = "behind the mask"
    assert RNNTagger(**SMALL).fit(TABLE, y).classes_.tolist() == ["down", "up"]
