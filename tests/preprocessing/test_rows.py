"""What the rows of a table are: sequences of one channel, or the steps of one sequence. Nothing is mixed up in silence."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

from skrnn import DualStageAttentionRegressor, EchoStateRegressor, RNNAnomalyDetector, RNNClassifier, RNNSequenceRegressor, RNNTagger
from skrnn.preprocessing import DeltaEncoder, LatencyEncoder, PerStep, RateEncoder, SequenceImputer

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(30, 3)) + np.array([0, 1000, 2000])
BY_ROWS = [SequenceImputer(), PerStep(), RateEncoder(random_state=0), LatencyEncoder(), DeltaEncoder()]
by_rows = pytest.mark.parametrize("transformer", BY_ROWS, ids=lambda t: type(t).__name__)


def of_steps(transformer):
    return transformer.set_params(rows="steps")


@by_rows
def test_a_table_of_steps_is_its_one_sequence(transformer):
    transformer = of_steps(transformer)
    (expected,) = transformer.fit_transform([TABLE])
    got = transformer.fit_transform(TABLE)
    np.testing.assert_array_equal(got, expected)
    assert transformer.n_features_in_ == 3
    assert len(transformer.get_feature_names_out()) == got.shape[1]


@by_rows
def test_names_of_columns_are_those_of_channels(transformer):
    frame = pd.DataFrame(TABLE, columns=["a", "b", "c"])
    transformer = of_steps(transformer).fit(frame)
    assert transformer.feature_names_in_.tolist() == ["a", "b", "c"]
    if not isinstance(transformer, DeltaEncoder):  # which appends what it tells of each
        assert transformer.get_feature_names_out().tolist()[:3] == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names should match"):
        transformer.transform(frame[["b", "a", "c"]])


def test_a_gap_is_filled_from_its_own_column():
    X = [[1, 1000.0], [2, np.nan], [3, 1002.0]]
    assert SequenceImputer(rows="steps").fit_transform(X)[1].tolist() == [2, 1000]
    assert SequenceImputer("mean", rows="steps").fit_transform(X)[1].tolist() == [2, 1001]
    first = SequenceImputer(rows="steps").fit_transform([[np.nan, 5.0], [4.0, np.nan], [6.0, 7.0]])
    assert first.tolist() == [[5, 5], [4, 5], [6, 7]]
    both = SequenceImputer(rows="steps", add_indicator=True).fit(X)
    assert both.transform(X)[:, 2:].tolist() == [[0, 0], [0, 1], [0, 0]]
    assert both.get_feature_names_out().tolist() == ["x0", "x1", "missingindicator_x0", "missingindicator_x1"]
    assert SequenceImputer().fit_transform(X)[1].tolist() == [2, 2]  # rows that are sequences


def test_what_scikit_learn_does_with_rows_is_done_with_steps():
    for inner in (StandardScaler(), PCA(2, svd_solver="full")):
        steps = PerStep(inner, rows="steps").fit(TABLE)
        np.testing.assert_allclose(steps.transform(TABLE), inner.fit_transform(TABLE), atol=1e-9)
        np.testing.assert_allclose(steps.inverse_transform(steps.transform(TABLE)), inner.inverse_transform(inner.transform(TABLE)), atol=1e-9)
        assert steps.get_feature_names_out().tolist() == inner.get_feature_names_out(["x0", "x1", "x2"]).tolist()


def test_an_inner_transformer_gets_the_targets_of_the_steps():
    X, y = RNG.integers(3, size=(60, 2)).astype(float), RNG.normal(size=60)
    encoder = TargetEncoder(target_type="continuous")
    np.testing.assert_allclose(PerStep(encoder, rows="steps").fit(X, y).transform(X), encoder.fit(X, y).transform(X))


@pytest.mark.parametrize(
    "estimator",
    [
        EchoStateRegressor(hidden_size=10),
        RNNTagger(hidden_size=4, max_epochs=1),
        RNNSequenceRegressor(hidden_size=4, max_epochs=1),
        RNNAnomalyDetector(hidden_size=4, max_epochs=1, horizon=2),
        DualStageAttentionRegressor(hidden_size=4, max_epochs=1, n_lags=3),
    ],
    ids=lambda e: type(e).__name__,
)
def test_the_advice_of_an_error_helps(estimator):
    """Taken word by word, on a table of steps."""
    X = TABLE.copy()
    X[4, 1] = np.nan
    y = (np.arange(30) % 2) if isinstance(estimator, RNNTagger) else TABLE[:, 0]
    given = (X,) if isinstance(estimator, RNNAnomalyDetector) else (X, y)
    with pytest.raises(ValueError, match=r"preprocessing\.SequenceImputer\(rows='steps'\) fills missing values") as error:
        estimator.fit(*given)
    imputer = eval(str(error.value).partition("skrnn.preprocessing.")[2].partition(" fills")[0])
    filled = imputer.fit_transform(X)
    assert filled[4, 1] == X[3, 1]
    make_pipeline(imputer, estimator).fit(*given)


def test_the_advice_for_rows_that_are_sequences_is_another():
    X = TABLE.copy()
    X[4, 1] = np.nan
    with pytest.raises(ValueError, match=r"preprocessing\.SequenceImputer fills missing values"):
        RNNClassifier(max_epochs=1).fit(X, np.arange(30) % 2)
