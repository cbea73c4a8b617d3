"""Panels in long frames: windows of the past, series that go on, scores, models side by side. Numbers are those of the lists."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from skrnn import RNNForecaster
from skrnn.adapters import NixtlaForecaster, from_nixtla
from skrnn.model_selection import PanelSplit
from tests.adapters.long_frames import LENGTHS, every_frame, long

SMALL = {"horizon": 4, "n_lags": 5, "hidden_size": 4, "max_epochs": 2, "season": None, "random_state": 0}
STATIC = pd.DataFrame({"unique_id": ["a", "c", "b"], "size": [1.0, 2.0, 3.0], "kind": ["x", "y", "x"]})


def net(**settings):
    return RNNForecaster(**SMALL | settings)


def wavy(**columns):
    """Series that are no straight lines."""
    return long(**columns).assign(y=lambda df: df.y + 5 * np.sin(1.3 * np.arange(len(df))))


def covered():
    return wavy(temp=lambda n, k: np.cos(np.arange(n) + k), promo=lambda n, k: np.sin(2.0 * np.arange(n) + k))


def cut(df, n_behind):
    """Without the last rows of each series."""
    return pd.concat([part.iloc[: len(part) - n_behind] for _, part in df.groupby("unique_id", sort=False)], ignore_index=True)


def to_come(df, until):
    """Rows of a frame that another one has not, but for the target."""
    return df.merge(until[["unique_id", "ds"]], how="left", indicator=True).query("_merge == 'left_only'").drop(columns=["_merge", "y"])


def shuffled(df):
    return df.sample(frac=1, random_state=1).sort_values("unique_id", key=lambda ids: ids.map(list(LENGTHS).index), kind="stable")


def values(frame, column):
    return np.asarray(frame[column].to_list())


# -- windows of the past ---------------------------------------------------------------------------------------------------------------------------


@every_frame
def test_windows_are_what_a_fit_on_the_cut_frame_forecasts(convert):
    df, asked = covered(), {"level": [80, 95], "quantiles": [0.1]}
    model = NixtlaForecaster(net(past_columns=["temp"]))
    found = model.cross_validation(convert(shuffled(df)), n_windows=3, h=4, step_size=3, refit=True, static_df=convert(STATIC), **asked)
    assert type(found) is type(convert(df))
    for k, n_behind in enumerate((10, 7, 4)):
        until = cut(df, n_behind)
        model.fit(convert(until), static_df=convert(STATIC))
        ahead = model.predict(4, convert(to_come(cut(df, n_behind - 4), until)), **asked)
        window = np.concatenate([np.arange(4) + 12 * i + 4 * k for i in range(3)])
        np.testing.assert_array_equal(values(found, "unique_id")[window], values(ahead, "unique_id"))
        assert [found["ds"].to_list()[row] for row in window] == ahead["ds"].to_list()
        for column in ahead.columns[2:]:
            np.testing.assert_allclose(values(found, column)[window], values(ahead, column), rtol=0, atol=1e-4)
        last = until.groupby("unique_id", sort=False).ds.max()
        assert [found["cutoff"].to_list()[row] for row in window[::4]] == list(last)
        true = [df.y[(df.unique_id == name) & (df.ds == ds)].item() for name, ds in zip(ahead["unique_id"], ahead["ds"], strict=True)]
        np.testing.assert_array_equal(values(found, "y")[window], true)


@every_frame
def test_without_refit_it_learns_once_and_sees_all_steps_before_each_window(convert):
    df = wavy()
    found = NixtlaForecaster(net()).cross_validation(convert(df), n_windows=2)
    model = NixtlaForecaster(net()).fit(convert(cut(df, 8)))
    before = values(model.predict(), "RNNForecaster")
    new = to_come(cut(df, 4), cut(df, 8)).merge(df)
    after = values(model.update(convert(new)).predict(), "RNNForecaster")
    np.testing.assert_allclose(values(found, "RNNForecaster").reshape(3, 2, 4)[:, 0].ravel(), before, rtol=0, atol=1e-4)
    np.testing.assert_allclose(values(found, "RNNForecaster").reshape(3, 2, 4)[:, 1].ravel(), after, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("h", "step_size"), [(4, None), (3, 5), (4, 1)])
def test_windows_are_those_of_mlforecast(h, step_size):
    mlforecast = pytest.importorskip("mlforecast")
    theirs = mlforecast.MLForecast(models={"m": Ridge()}, freq="D", lags=[1, 2]).cross_validation(wavy(), n_windows=3, h=h, step_size=step_size)
    ours = NixtlaForecaster(net()).cross_validation(wavy(), n_windows=3, h=h, step_size=step_size)
    columns = ["unique_id", "ds", "cutoff", "y"]
    assert list(ours.columns[:4]) == list(theirs.columns[:4]) == columns
    ours, theirs = (frame[columns].sort_values(["unique_id", "cutoff", "ds"]).reset_index(drop=True) for frame in (ours, theirs))
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


@every_frame
def test_windows_go_into_the_evaluation_of_utilsforecast(convert):
    evaluation = pytest.importorskip("utilsforecast.evaluation")
    from utilsforecast.losses import mae

    windows = NixtlaForecaster({"gru": net(), "lstm": net(cell="lstm")}).cross_validation(convert(wavy()), n_windows=2, level=[80])
    errors = evaluation.evaluate(windows, metrics=[mae])
    by_hand = [np.abs(values(windows, "y") - values(windows, name)).reshape(-1, 4).mean(axis=1) for name in ("gru", "lstm")]
    np.testing.assert_allclose(np.sort(np.column_stack([values(errors, "gru"), values(errors, "lstm")]), 0), np.sort(np.transpose(by_hand), 0))


@every_frame
def test_columns_of_windows_have_the_types_that_came(convert):
    df = convert(wavy().assign(y=lambda df: df.y.round().astype(np.int32)))
    found = NixtlaForecaster(net()).cross_validation(df)
    types = dict(zip(df.columns, df.dtypes, strict=True))
    given = dict(zip(found.columns, found.dtypes, strict=True))
    assert [given[name] for name in ("unique_id", "ds", "cutoff", "y")] == [types[name] for name in ("unique_id", "ds", "ds", "y")]


def test_what_was_fitted_stays_as_it_is_while_windows_are_forecast():
    model = NixtlaForecaster(net()).fit(wavy())
    before = model.predict()
    model.cross_validation(wavy(), n_windows=2, refit=2)
    pd.testing.assert_frame_equal(model.predict(), before)
    assert not vars(clone(model)).keys() & {"models_", "panel_"}


def test_windows_that_are_too_many_are_refused_by_name():
    model = NixtlaForecaster(net())
    with pytest.raises(ValueError, match=r"n_windows=6, h=4 and step_size=4 need 25 steps or more of each series; 'a' has 24$"):
        model.cross_validation(wavy(), n_windows=6)
    with pytest.raises(ValueError, match="'b' has 30, and 2 more are too short"):
        model.cross_validation(wavy(), n_windows=9)
    with pytest.raises(ValueError, match="n_lags=5 and horizon=4 are longer than a series of y, which has 8 steps") as error:
        model.cross_validation(wavy(), n_windows=4)
    assert "'a', these are 8" in error.value.__notes__[0]
    for bad, message in [({"n_windows": 0}, "n_windows must be"), ({"h": 0}, "h must be"), ({"step_size": 0}, "step_size must be")]:
        with pytest.raises(ValueError, match=message):
            model.cross_validation(wavy(), **bad)


# -- series that go on -----------------------------------------------------------------------------------------------------------------------------


@every_frame
@pytest.mark.parametrize(("learn", "several"), [(False, False), (True, False), (True, True)])
def test_new_rows_are_what_they_are_to_the_lists(convert, learn, several):
    df, until = covered(), cut(covered(), 6)
    new = to_come(cut(df, 4), until).merge(df)
    model = NixtlaForecaster([net(), net()] if several else net()).fit(convert(until)).update(convert(shuffled(new)), learn=learn)
    panel, whole = from_nixtla(until), from_nixtla(cut(df, 4))
    plain = net().fit(panel.X, panel.y).update([x[-2:] for x in whole.X], [y[-2:] for y in whole.y], learn=learn)
    X = to_come(df, cut(df, 4))
    given = model.predict(4, convert(X), level=80)
    np.testing.assert_array_equal(values(given, "RNNForecaster"), np.concatenate(plain.forecast(4, whole.future(X))))
    assert given["ds"].to_list() == from_nixtla(cut(df, 4)).frame({"m": [[0.0] * 4] * 3}).ds.to_list()
    np.testing.assert_array_equal(np.concatenate(model.panel_.y), np.concatenate(whole.y))
    np.testing.assert_array_equal(np.concatenate(model.panel_.X), np.concatenate(whole.X))


@every_frame
def test_some_series_go_on_and_others_stay(convert):
    df = wavy()
    model = NixtlaForecaster(net()).fit(convert(cut(df, 2)))
    before = model.predict(ids=["a", "c"])
    model.update(convert(df[df.unique_id == "b"].iloc[-2:-1])).update(convert(df[df.unique_id == "b"].iloc[-1:]))
    assert model.predict(ids=["a", "c"]).equals(before)
    some = model.predict(2, ids=["b"])
    assert some["ds"].to_list() == [pd.Timestamp("2024-01-31"), pd.Timestamp("2024-02-01")]
    both = NixtlaForecaster(net()).fit(cut(df, 2)).update(df[df.unique_id == "b"].iloc[-2:]).predict(2, ids=["b"])
    np.testing.assert_allclose(values(some, "RNNForecaster"), values(both, "RNNForecaster"), rtol=0, atol=1e-4)


def test_rows_that_do_not_go_on_are_refused_and_nothing_changes():
    df = covered()
    model = NixtlaForecaster([net(missing="mask"), net()]).fit(cut(df, 4))
    X = to_come(df, cut(df, 4))
    new, before = X.merge(df), model.predict(X_df=X)
    for bad, message in [
        (df, r"step 0 of series 'b' in df \(row 0\) is at 2024-01-01.*, expected 2024-01-27"),
        (new.drop(index=1), r"step 1 of series 'b' in df \(row 1\) is at 2024-01-29.*, expected 2024-01-28"),
        (pd.concat([new, new.iloc[:1]], ignore_index=True), "duplicate time: series 'b'"),
        (new.assign(unique_id="z"), "duplicate time"),
        (new.iloc[:2].assign(unique_id="z"), "df has the series 'z', which is none of those that are forecast"),
        (new.drop(columns="promo"), "df has no column 'promo'"),
        (new.drop(columns="y"), "df has no column 'y'"),
        (new.iloc[:0], "df has no rows"),
        (new.assign(y=np.nan), "contains NaN"),  # the first of both models would take it
    ]:
        with pytest.raises(ValueError, match=message):
            model.update(bad)
        pd.testing.assert_frame_equal(model.predict(X_df=X), before)
    with pytest.raises(NotFittedError):
        NixtlaForecaster().update(df)


# -- scores ----------------------------------------------------------------------------------------------------------------------------------------


@every_frame
def test_a_score_is_that_of_the_lists(convert):
    df, until = covered(), cut(covered(), 4)
    panel, new = from_nixtla(until), to_come(df, until).merge(df)
    model = NixtlaForecaster(net()).fit(convert(until))
    X, y = panel.following(new, "y")
    assert model.score(convert(shuffled(new))) == net().fit(panel.X, panel.y).score(X, y)


@pytest.mark.parametrize("settings", [{}, {"past_columns": ["temp"]}, {"time_column": "clock"}, {"strategy": "recursive"}])
def test_series_may_have_different_numbers_of_steps_in_a_score(settings):
    df = covered().assign(clock=lambda df: df.groupby("unique_id").cumcount())
    until = cut(df, 9)
    new = to_come(df, until).merge(df)
    model = NixtlaForecaster(net(**settings)).fit(until)
    parts = {"a": new[new.unique_id == "a"].iloc[:2], "b": new[new.unique_id == "b"]}
    one_by_one = [model.score(part) for part in parts.values()]
    np.testing.assert_allclose(model.score(pd.concat(parts.values())), np.mean(one_by_one), rtol=1e-4)
    with pytest.raises(ValueError, match="R² needs two steps or more of each series; got 1 of series 'c'"):
        model.score(new[new.unique_id == "c"].iloc[:1])


def test_a_search_over_a_long_frame_is_split_by_time():
    df = wavy()[lambda df: df.groupby("unique_id").cumcount() < 24]
    splits = list(PanelSplit(n_splits=2, test_size=4).split(df.set_index(["unique_id", "ds"])))
    model = NixtlaForecaster({"small": net(), "long": net(n_lags=6)})
    search = GridSearchCV(model, {"estimator__small__hidden_size": [2, 3], "estimator__long": [net(n_lags=7)]}, cv=splits).fit(df)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.models_["long"].n_lags == 7
    assert (model.estimator["small"].hidden_size, model.estimator["long"].n_lags) == (4, 6)


# -- models side by side ---------------------------------------------------------------------------------------------------------------------------


@every_frame
def test_each_model_has_its_columns_and_says_what_it_says_alone(convert):
    df, until = covered(), cut(covered(), 4)
    X = convert(to_come(df, until))
    models = {"gru": net(past_columns=["temp"]), "lstm": net(cell="lstm")}
    both = NixtlaForecaster(models).fit(convert(until), static_df=convert(STATIC))
    found, windows = both.predict(X_df=X, level=[80]), both.cross_validation(convert(df), level=[80], static_df=convert(STATIC))
    assert list(found.columns)[2:] == ["gru", "gru-lo-80", "gru-hi-80", "lstm", "lstm-lo-80", "lstm-hi-80"]
    scores = {}
    for name, model in models.items():
        alone = NixtlaForecaster(model).fit(until, static_df=STATIC)
        ahead = alone.predict(X_df=to_come(df, until), level=[80])
        for end in ("", "-lo-80", "-hi-80"):
            np.testing.assert_array_equal(values(found, name + end), values(ahead, "RNNForecaster" + end))
            np.testing.assert_allclose(values(windows, name + end), values(found, name + end), rtol=0, atol=1e-4)
        scores[name] = alone.score(to_come(df, until).merge(df))
    new = convert(to_come(df, until).merge(df))
    assert scores == {name: both.score(new, model=name) for name in models}
    assert both.score(new) == np.mean(list(scores.values()))


def test_models_of_a_list_are_called_as_their_classes():
    class MyForecaster(RNNForecaster):
        pass

    model = NixtlaForecaster([net(), MyForecaster(**SMALL), net(cell="lstm")]).fit(wavy())
    assert list(model.models_) == ["RNNForecaster", "MyForecaster", "RNNForecaster2"]
    assert model.models_["RNNForecaster2"].cell == "lstm"
    with pytest.raises(AttributeError, match="several models"):
        model.estimator_  # noqa: B018
    assert NixtlaForecaster([net()]).fit(wavy()).estimator_.cell == "gru"


@pytest.mark.parametrize("estimator", [{"a": net(), "b": net(n_lags=6)}, [net(), net(n_lags=6)], (net(), net(n_lags=6)), net()])
def test_parameters_of_models_are_got_and_set_and_cloned(estimator):
    model = NixtlaForecaster(estimator)
    prefix = {dict: "estimator__b", list: "estimator__RNNForecaster2", tuple: "estimator__RNNForecaster2"}.get(type(estimator), "estimator")
    copied = clone(model)
    assert model.set_params(freq="D").estimator is estimator
    assert copied.set_params(**{f"{prefix}__n_lags": 3, "freq": "D"}) is copied
    assert copied.get_params()[f"{prefix}__n_lags"] == 3
    assert copied.freq == "D"
    assert model.get_params()[f"{prefix}__n_lags"] != 3
    assert clone(copied).get_params()[f"{prefix}__n_lags"] == 3
    with pytest.raises(ValueError, match="Invalid parameter"):
        copied.set_params(estimator__nothing__n_lags=3)
    if prefix != "estimator":
        copied.set_params(**{prefix: net(n_lags=2)})
        assert copied.get_params()[f"{prefix}__n_lags"] == 2
        assert type(copied.estimator) is type(estimator)
        assert len(copied.estimator) == 2
    assert "RNNForecaster" in repr(copied) + copied._repr_html_()


def test_a_copy_of_several_models_says_the_same():
    model = NixtlaForecaster([net(), net(cell="lstm")]).fit(wavy())
    again = pickle.loads(pickle.dumps(model))
    pd.testing.assert_frame_equal(again.predict(level=[90]), model.predict(level=[90]))
    new = wavy().iloc[[29]].assign(ds=pd.Timestamp("2024-01-31"))
    pd.testing.assert_frame_equal(again.update(new).predict(), model.update(new).predict())


@pytest.mark.parametrize(
    ("estimator", "kind", "message"),
    [
        ([], ValueError, r"estimator must hold a forecaster; got \[\]"),
        ({}, ValueError, "estimator must hold a forecaster"),
        (Ridge(), TypeError, "estimator must be an RNNForecaster or an EchoStateForecaster, or a list or dict of them; got Ridge"),
        ({"r": Ridge()}, TypeError, "of them; 'r' is a Ridge"),
        ({"ds": net()}, ValueError, "the names of forecasters in estimator must be strings .*; got 'ds'"),
        ({"cutoff": net()}, ValueError, "got 'cutoff'"),
        ({"a__b": net()}, ValueError, "got 'a__b'"),
        ({"a-lo-90": net()}, ValueError, "got 'a-lo-90'"),
        ({1: net()}, ValueError, "got 1"),
    ],
)
def test_models_that_cannot_stand_side_by_side_are_refused(estimator, kind, message):
    for call in (NixtlaForecaster(estimator).fit, NixtlaForecaster(estimator).cross_validation):
        with pytest.raises(kind, match=message):
            call(wavy())


def test_models_of_different_horizons_must_be_told_how_far():
    model = NixtlaForecaster({"short": net(horizon=2), "long": net()}).fit(wavy())
    with pytest.raises(ValueError, match=r"h must say how many steps to forecast, .*\{'short': 2, 'long': 4\}"):
        model.predict()
    assert len(model.predict(3)) == 9


# -- what is asked ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"level": [100]}, r"level must lie between 0 and 100, in percent, as a number or a list of them; got \[100\]"),
        ({"level": 0}, "level must lie between 0 and 100"),
        ({"quantiles": [1.5]}, "quantiles must lie between 0 and 1"),
        ({"level": [90, 90.0000001]}, "level and quantiles must differ by more"),
        ({"h": 2.5}, "h must be a whole number from 1 up; got 2.5"),
    ],
)
def test_levels_and_steps_that_are_none_are_named(asked, message):
    model = NixtlaForecaster(net()).fit(wavy())
    for call in (model.predict, lambda **asked: model.cross_validation(wavy(), **asked)):
        with pytest.raises(ValueError, match=message):
            call(**asked)


def test_one_level_is_as_good_as_a_list():
    model = NixtlaForecaster(net()).fit(wavy())
    pd.testing.assert_frame_equal(model.predict(level=80, quantiles=0.1), model.predict(level=[80], quantiles=[0.1]))


@every_frame
def test_other_series_may_come_in_any_order_of_rows_and_columns(convert):
    df, until = covered(), cut(covered(), 4)
    model = NixtlaForecaster(net(past_columns=["temp"])).fit(convert(until), static_df=convert(STATIC))
    X = convert(to_come(df, until).drop(columns="temp"))
    expected = model.predict(X_df=X, ids=["c", "a"])
    some = until[until.unique_id != "b"].sample(frac=1, random_state=2)[["promo", "y", "ds", "temp", "unique_id"]]
    given = model.predict(X_df=convert(to_come(df, until).query("unique_id != 'b'")), df=convert(some), static_df=convert(STATIC), ids=["c", "a"])
    np.testing.assert_allclose(values(given, "RNNForecaster"), values(expected, "RNNForecaster"), rtol=0, atol=1e-4)
    assert given["ds"].to_list() == expected["ds"].to_list()
    with pytest.raises(ValueError, match=r"df has the covariates \['temp'\], that of fit \['temp', 'promo'\]"):
        model.predict(X_df=X, df=convert(some.drop(columns="promo")))
    with pytest.raises(ValueError, match="static_df is that of the series of df; got no df"):
        model.predict(X_df=X, static_df=convert(STATIC))


def test_an_error_about_a_series_says_what_it_is_called():
    df, model = wavy(), NixtlaForecaster(net()).fit(wavy())
    missing = df.assign(y=df.y.where(df.index != 32))
    new = df.iloc[[53]].assign(ds=pd.Timestamp("2024-01-25"), y=np.nan)
    calls = [lambda: model.fit(missing), lambda: model.cross_validation(missing), lambda: model.update(new)]
    for call in [*calls, lambda: model.predict(df=missing), lambda: model.predict(df=df.iloc[:33])]:
        with pytest.raises(ValueError, match=r"Input series 'a' of y contains NaN, the first in row \d|^y of series 'a' has 3 steps"):
            call()


@pytest.mark.parametrize("df", [np.zeros((3, 3)), [1, 2], None])
def test_what_is_no_frame_is_named(df):
    model = NixtlaForecaster(net()).fit(wavy())
    for call in (model.fit, model.update, model.score, model.cross_validation):
        with pytest.raises(TypeError, match=r"df must be a frame of pandas or polars that holds its rows; got (numpy|builtins)\."):
            call(df)


@every_frame
def test_a_row_without_an_id_is_refused(convert):
    df = wavy().astype({"unique_id": object})
    df.loc[3, "unique_id"] = None
    with pytest.raises(ValueError, match="column 'unique_id' of df has no id in row 3"):
        NixtlaForecaster(net()).fit(convert(df))


@every_frame
def test_a_panel_writes_its_series_into_a_long_frame(convert):
    df = wavy()
    history = from_nixtla(convert(shuffled(df))).history()
    assert history.equals(convert(df))


def test_the_default_forecaster_has_parameters_to_set():
    model = NixtlaForecaster().set_params(estimator__horizon=7, freq="1d")
    assert (model.estimator.horizon, model.freq) == (7, "1d")
    with pytest.raises(ValueError, match="Invalid parameter 'horizont'"):
        NixtlaForecaster().set_params(estimator__horizont=7)
