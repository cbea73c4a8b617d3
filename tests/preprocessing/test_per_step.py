"""PerStep: the inner transformer sees the steps as rows, the user sees his container again."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, FunctionTransformer, OneHotEncoder, PolynomialFeatures, StandardScaler

from skrnn.data import Sequences, as_sequences
from skrnn.preprocessing import PerStep, SequenceImputer

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(3, 9, size=60)
LABELS = RNG.integers(0, 2, size=60)
RAGGED = [5 + RNG.normal(size=(n, 3)) * [1, 10, 100] + label * 2 for n, label in zip(LENGTHS, LABELS, strict=True)]
RECTANGULAR = np.stack([x[:3] for x in RAGGED])


def as_objects(items):
    cells = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        cells[i] = item
    return cells


CONTAINERS = {"list": RAGGED, "objects": as_objects(RAGGED), "3-D": RECTANGULAR, "Sequences": as_sequences(RAGGED)}


class MeanOverTime(ClassifierMixin, BaseEstimator):
    """A small classifier of sequences: logistic regression on the mean over time."""

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(self._mean(X), y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(self._mean(X))

    def _mean(self, X):
        return np.stack([x.mean(axis=0) for x in as_sequences(X)])


@pytest.mark.parametrize("inner", [StandardScaler(), PCA(2), PolynomialFeatures(2), FunctionTransformer(np.tanh)])
def test_equals_the_transformer_on_all_steps(inner):
    expected = clone(inner).fit(np.concatenate(RAGGED)).transform(np.concatenate(RAGGED))
    got = PerStep(inner).fit(RAGGED).transform(RAGGED)
    assert [len(x) for x in got] == LENGTHS.tolist()
    np.testing.assert_allclose(np.concatenate(got), expected, rtol=1e-12)


def test_the_default_scales_and_the_parameter_is_not_fitted():
    got = np.concatenate(PerStep().fit_transform(RAGGED))
    np.testing.assert_allclose(got.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(got.std(axis=0), 1, rtol=1e-12)
    scaler = StandardScaler()
    step = PerStep(scaler).fit(RAGGED)
    assert "mean_" not in vars(scaler)
    assert step.transformer_.mean_.shape == (3,)


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("inner", [StandardScaler(), PCA(2)])
def test_the_container_that_came_comes_back(name, inner):
    X = CONTAINERS[name]
    got = PerStep(inner).fit(X).transform(X)
    assert type(got) is type(X)
    assert len(got) == len(X)
    for x, z in zip(X, got, strict=True):
        assert z.shape == (len(x), 3 if isinstance(inner, StandardScaler) else 2)
    if isinstance(X, np.ndarray):
        assert got.dtype == X.dtype
        assert got.ndim == X.ndim


def test_every_container_gives_the_same_numbers():
    X = list(RECTANGULAR)
    expected = PerStep().fit(RECTANGULAR).transform(RECTANGULAR)
    for same in (X, tuple(X), as_objects(X), as_sequences(X), torch.tensor(RECTANGULAR), [pd.DataFrame(x) for x in X], RECTANGULAR.tolist()):
        got = PerStep().fit(same).transform(same)
        np.testing.assert_array_equal(np.stack(list(got)), expected)


def test_a_table_stays_a_table_while_there_is_one_channel():
    X = RNG.normal(size=(7, 4))
    scaled = PerStep().fit_transform(X)
    np.testing.assert_allclose(scaled, (X - X.mean()) / X.std(), rtol=1e-12)
    powers = PerStep(PolynomialFeatures(2, include_bias=False)).fit_transform(X)
    np.testing.assert_allclose(powers, np.stack([X, X**2], axis=2), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_type_is_kept_and_the_input_too(dtype):
    X = RECTANGULAR.astype(dtype)
    before = X.copy()
    got = PerStep(StandardScaler(copy=False)).fit_transform(X)
    assert got.dtype == dtype
    np.testing.assert_array_equal(X, before)
    got[0] = 0  # the output belongs to the caller
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("name", ["list", "objects", "3-D"])
def test_the_output_of_the_identity_is_a_copy(name):
    X = CONTAINERS[name]
    got = PerStep(FunctionTransformer()).fit_transform(X)
    assert not np.shares_memory(got[0], X[0])
    got[0][:] = 0


def test_other_lengths_later():
    step = PerStep().fit(RECTANGULAR)
    np.testing.assert_allclose(np.concatenate(step.transform(RAGGED[:5])), step.transformer_.transform(np.concatenate(RAGGED[:5])))
    with pytest.raises(ValueError, match="X has 2 features, but PerStep is expecting 3 features"):
        step.transform(RECTANGULAR[:, :, :2])


@pytest.mark.parametrize("name", CONTAINERS)
def test_inverse(name):
    X = CONTAINERS[name]
    step = PerStep(StandardScaler()).fit(X)
    back = step.inverse_transform(step.transform(X))
    assert type(back) is type(X)
    for x, z in zip(X, back, strict=True):
        np.testing.assert_allclose(z, x, rtol=1e-10)


def test_inverse_of_another_number_of_channels():
    step = PerStep(PCA(3)).fit(RAGGED)
    step_2 = PerStep(PCA(2)).fit(RAGGED)
    np.testing.assert_allclose(np.concatenate(step.inverse_transform(step.transform(RAGGED))), np.concatenate(RAGGED), rtol=1e-9)
    assert step_2.inverse_transform(step_2.transform(RAGGED))[0].shape[1] == 3


def test_no_inverse():
    assert "inverse_transform" not in dir(PerStep(Binarizer()))
    with pytest.raises(AttributeError, match="inverse_transform"):
        PerStep(Binarizer()).fit(RAGGED).inverse_transform(RAGGED)


def test_sparse_output_becomes_dense():
    X = [np.array([[0], [1]]), np.array([[2], [0], [1]])]
    got = PerStep(OneHotEncoder()).fit_transform(X)
    np.testing.assert_array_equal(np.concatenate(got), np.eye(3)[[0, 1, 2, 0, 1]])


def test_a_transformer_that_drops_rows_is_refused():
    with pytest.raises(ValueError, match=r"FunctionTransformer must keep the number of rows: it made an array of shape \(2, 3\) of"):
        PerStep(FunctionTransformer(lambda x: x[:2])).fit(RAGGED).transform(RAGGED)


def test_names():
    assert PerStep(PCA(2)).fit(RAGGED).get_feature_names_out().tolist() == ["pca0", "pca1"]
    assert PerStep().fit(RAGGED).get_feature_names_out(["a", "b", "c"]).tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="input_features should have length equal"):
        PerStep().fit(RAGGED).get_feature_names_out(["a", "b"])
    frame = pd.DataFrame(RNG.normal(size=(5, 2)), columns=["u", "v"])
    assert PerStep().fit(frame).get_feature_names_out().tolist() == ["u", "v"]
    powers = PerStep(PolynomialFeatures(2, include_bias=False)).fit(frame)
    assert powers.get_feature_names_out().tolist() == ["x0", "x0^2"]


def test_supervised_transformers_get_the_target_of_their_sequence():
    steps = np.concatenate(RAGGED)
    y = np.repeat(LABELS, LENGTHS)
    for inner in (SelectKBest(k=1), LinearDiscriminantAnalysis()):
        got = PerStep(inner).fit(RAGGED, LABELS).transform(RAGGED)
        np.testing.assert_allclose(np.concatenate(got), clone(inner).fit(steps, y).transform(steps), rtol=1e-10)
        with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
            PerStep(inner).fit(RAGGED)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            PerStep(inner).fit(RAGGED, LABELS[1:])


def test_targets_that_are_no_single_value_are_left_out():
    per_step = [np.zeros(n) for n in LENGTHS]
    for y in (per_step, as_sequences(per_step), np.zeros((60, 2)), pd.DataFrame(np.zeros((60, 2)))):
        assert PerStep().fit(RAGGED, y).transformer_.mean_.shape == (3,)
    named = PerStep(SelectKBest(k=1)).fit(RAGGED, pd.Series(LABELS, index=range(100, 160)).map({0: "a", 1: "b"}))
    assert len(named.get_feature_names_out()) == 1


def test_nan_is_accepted_where_the_inner_transformer_accepts_it():
    X = [x.copy() for x in RAGGED]
    X[0][1, 2] = np.nan
    assert np.isnan(PerStep(StandardScaler()).fit_transform(X)[0][1, 2])
    with pytest.raises(ValueError, match=r"Input X contains NaN .*sequence 0, step 1, feature 2"):
        PerStep(PCA(2)).fit(X)


def test_frames_of_the_inner_transformer():
    scaler = StandardScaler().set_output(transform="pandas")
    np.testing.assert_array_equal(PerStep(scaler).fit_transform(RECTANGULAR), PerStep().fit_transform(RECTANGULAR))


@pytest.mark.parametrize("name", CONTAINERS)
def test_pipelines(name):
    X = CONTAINERS[name]
    model = make_pipeline(PerStep(StandardScaler()), PerStep(PCA(2)), MeanOverTime())
    assert cross_val_score(model, X, LABELS, cv=3, error_score="raise").mean() > 0.8
    grid = {"perstep-2__transformer__n_components": [1, 2, 3]}
    search = GridSearchCV(model, grid, cv=3, error_score="raise").fit(X, LABELS)
    assert search.best_score_ > 0.8
    assert search.predict(X).shape == (60,)


@pytest.mark.parametrize("name", CONTAINERS)
def test_pipelines_with_missing_values(name):
    X = [x.copy() for x in CONTAINERS[name]]
    for x in X:
        x[RNG.random(size=x.shape) < 0.2] = np.nan
    X = {"list": list, "objects": as_objects, "3-D": np.stack, "Sequences": lambda x: Sequences(np.concatenate(x), CONTAINERS[name].offsets)}[name](X)
    model = make_pipeline(PerStep(), SequenceImputer(), MeanOverTime())
    grid = {"sequenceimputer__strategy": ["ffill", "mean", "constant"], "sequenceimputer__add_indicator": [False, True]}
    search = GridSearchCV(model, grid, cv=3, error_score="raise").fit(X, LABELS)
    assert search.best_score_ > 0.7


class Doubling(TransformerMixin, BaseEstimator):
    """Makes integers, which no Sequences can hold."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return (2 * X).astype(np.int64)


def test_integers_become_float():
    got = PerStep(Doubling()).fit_transform(RAGGED)
    assert got[0].dtype == np.float64
    np.testing.assert_array_equal(got[0], (2 * RAGGED[0]).astype(int))
