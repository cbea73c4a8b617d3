"""What is known of sequences as a whole, beside their steps."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.callback import ScoringMonitor
from sklearn.model_selection import GridSearchCV, cross_val_score

from skrnn import EchoStateClassifier, LiquidStateClassifier, RNNClassifier, RNNForecaster, RNNRegressor
from skrnn.data import as_sequences
from skrnn.frontends import Conv1d, Embedding

RNG = np.random.default_rng(0)
X = [RNG.normal(size=(n, 2)) for n in RNG.integers(5, 15, size=300)]
STATIC = pd.DataFrame({"kind": RNG.choice(["up", "down"], size=300), "size": RNG.normal(size=300)})
MEAN = np.array([x[:, 0].mean() for x in X])
TURNED = np.where(STATIC.kind == "up", MEAN, -MEAN)  # what the steps mean depends on the kind
SMALL = {"hidden_size": 8, "max_epochs": 3, "random_state": 0}
TASKS = {"classifier": (RNNClassifier(**SMALL), TURNED > 0), "regressor": (RNNRegressor(**SMALL), TURNED)}
every_task = pytest.mark.parametrize("task", TASKS)


def fitted(task, **settings):
    model, y = TASKS[task]
    return model.set_params(**settings).fit(X, y, static=STATIC)


@pytest.mark.parametrize("frontend", [None, pytest.param(Conv1d(8, 3, stride=2), marks=pytest.mark.slow)])
def test_it_changes_what_the_steps_mean(frontend):
    rng = np.random.default_rng(1)
    steps, kind = rng.normal(size=(600, 10, 2)), rng.choice(["up", "down"], size=(600, 1))
    y = (steps[:, :, 0].mean(axis=1) > 0) == (kind[:, 0] == "up")
    model = RNNClassifier(hidden_size=16, max_epochs=40, frontend=frontend, random_state=0)
    without = model.fit(steps[:400], y[:400]).score(steps[400:], y[400:])
    beside = model.fit(steps[:400], y[:400], static=kind[:400]).score(steps[400:], y[400:], static=kind[400:])
    assert without < 0.7
    assert beside > 0.8


def test_it_is_the_same_as_channels_that_do_not_change_but_for_their_units():
    numbers = STATIC[["size"]].to_numpy()
    channels = [np.hstack([x, np.full((len(x), 1), s)]) for x, (s,) in zip(X, numbers, strict=True)]
    model = RNNRegressor(standardize=False, **SMALL)
    np.testing.assert_array_equal(model.fit(X, TURNED, static=numbers).predict(X, static=numbers), model.fit(channels, TURNED).predict(channels))


def test_its_units_count_every_sequence_once():
    model = RNNRegressor(**SMALL).fit(X, TURNED, static=STATIC[["size"]], sample_weight=np.arange(300.0))
    size = STATIC["size"].to_numpy()
    mean = np.average(size, weights=np.arange(300))
    np.testing.assert_allclose([model.mean_[2], model.scale_[2]], [mean, np.sqrt(np.average((size - mean) ** 2, weights=np.arange(300)))])
    np.testing.assert_allclose(model.mean_[:2], RNNRegressor(**SMALL).fit(X, TURNED, sample_weight=np.arange(300.0)).mean_)


@every_task
def test_every_method_takes_it_and_answers_row_by_row(task):
    model = fitted(task)
    part = [7, 3, 250]
    for name in ("predict", "predict_proba", "decision_function", "predict_log_proba", "transform"):
        if hasattr(model, name):
            of_all = getattr(model, name)(X, static=STATIC)
            np.testing.assert_array_equal(getattr(model, name)([X[k] for k in part], static=STATIC.iloc[part]), of_all[part])
    assert model.score(X, TASKS[task][1], static=STATIC) == pickle.loads(pickle.dumps(model)).score(X, TASKS[task][1], static=STATIC)
    assert model.n_features_in_ == 2


def test_channels_that_are_categories_go_into_the_frontend_and_this_goes_past_it():
    words = pd.DataFrame({"sign": pd.Categorical(RNG.choice(["a", "b", "c"], size=1500)), "x": RNG.normal(size=1500)})
    words.index = pd.MultiIndex.from_product([range(300), range(5)])
    model = RNNClassifier(**SMALL).fit(words, TURNED > 0, static=STATIC)
    assert len(model.encoding_.categories_) == 1
    assert len(model.mean_) == 2 + 3
    assert model.network_.recurrent.layers[0][0].input_size == model.network_.frontend.output_size + 3
    tokens = [list("abc") for _ in X]
    assert RNNClassifier(frontend=Embedding(4), **SMALL).fit(tokens, TURNED > 0, static=STATIC).predict(tokens, static=STATIC).shape == (300,)


def test_held_out_sequences_have_their_own():
    model = RNNRegressor(**SMALL).fit(X[:200], TURNED[:200], static=STATIC[:200], X_val=X[200:], y_val=TURNED[200:], static_val=STATIC[200:])
    assert len(model.validation_scores_) == 3
    with pytest.raises(ValueError, match="X_val: static was given to fit, and is missing here: it must have a row for each of the 100 series"):
        model.fit(X[:200], TURNED[:200], static=STATIC[:200], X_val=X[200:], y_val=TURNED[200:])


@every_task
@pytest.mark.parametrize("y_val", [None, TURNED[200:]])
def test_rows_of_held_out_sequences_need_these(task, y_val):
    model, y = TASKS[task]
    for static in (None, STATIC):
        with pytest.raises(ValueError, match=r"^static_val is provided, but X_val was not provided\.$"):
            model.fit(X, y, static=static, static_val=STATIC[200:], y_val=y_val)
    with pytest.raises(ValueError, match="X_val: static has 1 columns, but none was given to fit"):
        model.fit(X, y, static_val=STATIC[["size"]], X_val=X, y_val=y)


@every_task
def test_partial_fit_takes_it(task):
    model, y = TASKS[task]
    known = {"classes": [False, True]} if task == "classifier" else {}
    model = type(model)(**SMALL).partial_fit(X[:100], y[:100], static=STATIC[:100], **known)
    assert model.partial_fit(X[100:], y[100:], static=STATIC[100:]).predict(X, static=STATIC).shape == (300,)
    with pytest.raises(ValueError, match="static was given to fit, and is missing here"):
        model.partial_fit(X, y)


@every_task
def test_searches_and_folds_route_it(task):
    model, y = TASKS[task]
    with config_context(enable_metadata_routing=True):
        assert cross_val_score(model, X, y, cv=3, params={"static": STATIC}).shape == (3,)
        search = GridSearchCV(model, {"hidden_size": [2, 4]}, cv=2).fit(X, y, static=STATIC)
    assert search.best_estimator_.predict(X, static=STATIC).shape == (300,)


def test_callbacks_score_with_it():
    monitor = ScoringMonitor(scoring="accuracy")
    RNNClassifier(**SMALL).set_callbacks(monitor).fit(X, TURNED > 0, static=STATIC)
    (log,) = monitor.get_logs(select="all")
    assert len(log.data) == 4


@pytest.mark.parametrize(
    ("static", "message"),
    [
        (None, "static was given to fit, and is missing here"),
        (STATIC[:10], "static must have a row for each of the 300 series; got 10"),
        (STATIC[["size", "kind"]], r"static has the columns \['size', 'kind'\], expected \['kind', 'size'\], in this order"),
        (STATIC[["size"]], r"static has the columns \['size'\], expected"),
        (np.ones((300, 5)), "static has 5 columns, expected 3"),
        (STATIC.assign(size=np.nan), "static contains NaN"),
        (STATIC.assign(kind=pd.Categorical([1, 2] * 150)), r"static has numbers in channel 0 \('kind'\), which held strings in fit"),
    ],
)
def test_another_table_is_refused(static, message):
    model = fitted("regressor")
    with pytest.raises(ValueError, match=message):
        model.predict(X, static=static)


def test_what_is_masked_is_missing():
    table = np.ma.masked_array(STATIC[["size"]].to_numpy(), mask=np.arange(300)[:, None] == 2)
    with pytest.raises(ValueError, match="static contains NaN"):
        RNNRegressor(**SMALL).fit(X, TURNED, static=table)


def test_rows_of_other_instances_are_refused_but_not_rows_that_are_only_numbered():
    frame, table, ids = long_frame()
    y = np.arange(20.0)
    with pytest.raises(ValueError, match="static has other instances than X, as 'z'"):
        RNNRegressor(**SMALL).fit(frame, y, static=table.loc[ids].rename({ids[3]: "z"}))
    numbered = frame.rename({name: k + 1 for k, name in enumerate(ids)})
    assert RNNRegressor(**SMALL).fit(numbered, pd.Series(y), static=table.reset_index(drop=True)).n_iter_ == 3


def test_what_fit_did_not_have_is_refused():
    model = RNNRegressor(**SMALL).fit(X, TURNED)
    with pytest.raises(ValueError, match="static has 1 columns, but none was given to fit"):
        model.predict(X, static=np.ones((300, 1)))


def long_frame():
    ids = [f"{letter}{k}" for k, letter in enumerate("badc" * 5)]
    frame = pd.concat({name: pd.DataFrame({"x": RNG.normal(size=4)}) for name in ids})
    return frame, pd.DataFrame({"size": np.arange(20.0)}, index=sorted(ids)), ids


def test_rows_by_name_must_stand_in_the_order_of_the_instances():
    frame, table, ids = long_frame()
    assert RNNRegressor(**SMALL).fit(frame, table.loc[ids, "size"], static=table.loc[ids], sample_weight=table.loc[ids, "size"]).n_iter_ == 3
    wrong = {"y": table["size"]}, {"static": table}, {"sample_weight": table["size"]}
    for part in wrong:
        ((name, _),) = part.items()
        with pytest.raises(ValueError, match=f"{name} has the instances of X in another order: row 0 is of 'a1', expected 'b0'"):
            RNNRegressor(**SMALL).fit(**{"X": frame, "y": table.loc[ids, "size"]} | part)
    assert RNNRegressor(**SMALL).fit(as_sequences(frame), table["size"]).n_iter_ == 3  # names are lost, rows stand as they stand


@pytest.mark.parametrize("kind", [RNNClassifier, RNNRegressor, EchoStateClassifier, LiquidStateClassifier])
def test_score_looks_at_the_order_too(kind):
    frame, table, ids = long_frame()
    y = (table["size"] > 9).astype(int)
    model = kind(8, random_state=0) if kind is not RNNClassifier and kind is not RNNRegressor else kind(**SMALL)
    model.fit(frame, y[ids])
    assert model.score(frame, y[ids]) == model.score(frame, y[ids].to_numpy())
    for part in ({"y": y}, {"sample_weight": table["size"]}):
        with pytest.raises(ValueError, match=f"{next(iter(part))} has the instances of X in another order"):
            model.score(**{"X": frame, "y": y[ids]} | part)


def test_so_must_those_of_forecasters():
    frame, table, ids = long_frame()
    model = RNNForecaster(n_lags=1, horizon=1, hidden_size=4, max_epochs=1)
    assert model.fit(None, frame["x"], static=table.loc[ids]).n_iter_ == 1
    with pytest.raises(ValueError, match="static has the instances of X in another order: row 0 is of 'a1', expected 'b0'"):
        model.fit(None, frame["x"], static=table)
