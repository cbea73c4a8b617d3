"""Panels: what a score says of several series, long frames in searches, and splits that would ask for series that nobody knows."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, LeaveOneOut, TimeSeriesSplit, cross_val_predict, cross_val_score

from skrnn import Sequences, backtest
from skrnn.model_selection import PanelSplit
from tests.estimators.forecasters import each_kind as each_kind
from tests.estimators.forecasters import small

pytestmark = pytest.mark.usefixtures("each_kind")

T = 60
MONTHS = pd.date_range("2015-01-01", periods=T + 12, freq="MS")
LEVELS = {"a": 1.0, "b": 1000.0, "c": 10.0}


def wave(level, phase, n):
    return level * (1 + 0.3 * np.sin(2 * np.pi * (np.arange(n) + phase) / 12))


def panel(times=MONTHS, lengths=(T, T, T), start=0):
    return pd.concat(
        {k: pd.Series(wave(v, 3 * i, n)[start:], times[start:n]) for (i, (k, v)), n in zip(enumerate(LEVELS.items()), lengths, strict=True)}
    )


def only_index(y):
    return pd.DataFrame(index=y.index)


def apart(forecasts):
    """Forecasts of each series, which come as they came."""
    return [part.to_numpy() for _, part in forecasts.groupby(level=0, sort=False)] if isinstance(forecasts, pd.Series) else forecasts


PANEL, AFTER = panel(), panel(lengths=(T + 3,) * 3, start=T)
LISTS = [PANEL.loc[k].to_numpy() for k in LEVELS]
NEXT = [AFTER.loc[k].to_numpy() for k in LEVELS]
CLOCKS = {
    "months": MONTHS,
    "month ends": pd.date_range("2015-01-31", periods=T + 12, freq="ME"),
    "quarters": pd.date_range("2000-01-01", periods=T + 12, freq="QS"),
    "days": pd.date_range("2024-03-01", periods=T + 12),
    "days where clocks change": pd.date_range("2024-03-01", periods=T + 12, tz="Europe/Berlin"),
    "hours where clocks change": pd.date_range("2024-03-30", periods=T + 12, freq="h", tz="Europe/Berlin"),
    "business days": pd.bdate_range("2024-01-01", periods=T + 12),
    "periods": pd.period_range("2020-01", periods=T + 12, freq="M"),
    "numbers": pd.RangeIndex(5, T + 17),
    "tens": pd.Index(np.arange(T + 12) * 10),
}
every_clock = pytest.mark.parametrize("times", CLOCKS.values(), ids=CLOCKS)


# -- the score ---------------------------------------------------------------------------------------------------------------------------------


def test_the_score_of_a_panel_is_the_mean_of_those_of_its_series():
    model = small().fit(None, LISTS)
    expected = np.mean([r2_score(true, ahead) for true, ahead in zip(NEXT, model.predict(), strict=True)])
    assert model.score(None, NEXT) == expected
    assert small().fit(None, PANEL).score(None, AFTER) == expected
    assert small().fit(only_index(PANEL), PANEL).score(only_index(AFTER), AFTER) == expected


def test_a_panel_of_one_scores_as_the_series():
    assert small().fit(None, [LISTS[0]]).score(None, [NEXT[0]]) == small().fit(None, LISTS[0]).score(None, NEXT[0])


def test_levels_of_series_are_no_skill():
    model = small(target_scaling="last_value", max_epochs=1).fit(None, [np.full(T, 0.0), np.full(T, 1000.0)])
    truth = [np.sin(np.arange(3)), 1000 + np.sin(np.arange(3))]
    assert model.score(None, truth) <= 0.0 < 0.999 < r2_score(np.concatenate(truth), np.concatenate(model.predict()))


def test_a_good_forecast_of_two_series_scores_well():
    w = np.sin(np.arange(132) * np.pi / 6)
    X = lambda n: [np.zeros((n, 1))] * 2  # noqa: E731
    model = small(horizon=12, n_lags="auto", season="auto", hidden_size=32, max_epochs=30).fit(X(120), [w[:120], 1.001 * w[:120]])
    assert model.score(X(12), [w[120:], 1.001 * w[120:]]) > 0.99


def test_steps_are_weighed_and_lengths_may_differ():
    model = small(horizon=4).fit(None, LISTS)
    truth = [NEXT[0], NEXT[1][:2], NEXT[2]]
    weight = [np.arange(1.0, len(y) + 1) for y in truth]
    expected = np.mean([r2_score(y, z[: len(y)], sample_weight=w) for y, z, w in zip(truth, model.predict(), weight, strict=True)])
    assert model.score(None, truth, weight) == pytest.approx(expected, abs=1e-12)


def test_arrays_and_sequences_are_panels_too():
    X, more = np.zeros((3, T, 1)), np.zeros((3, 3, 1))
    expected = small().fit(list(X), LISTS).score(list(more), NEXT)
    assert small().fit(X, np.array(LISTS)).score(more, np.array(NEXT)) == expected
    borders, ends = np.arange(4) * T, np.arange(4) * 3
    Y, Z = Sequences(np.concatenate(LISTS)[:, None], borders), Sequences(np.concatenate(NEXT)[:, None], ends)
    assert small().fit(Sequences(X.reshape(-1, 1), borders), Y).score(Sequences(more.reshape(-1, 1), ends), Z) == expected


def test_several_targets():
    y = [np.column_stack([a, a[::-1]]) for a in LISTS]
    model = small().fit(None, y)
    truth = [np.column_stack([a, -a]) for a in NEXT]
    assert model.score(None, truth) == np.mean([r2_score(true, ahead) for true, ahead in zip(truth, model.predict(), strict=True)])


def test_a_score_of_too_little_is_refused():
    model = small().fit(None, LISTS)
    with pytest.raises(ValueError, match="two steps or more of each series; got 1 of series 1"):
        model.score(None, [NEXT[0], NEXT[1][:1], NEXT[2]])
    with pytest.raises(ValueError, match="what came of the 3 series of fit; got 2"):
        model.score(None, NEXT[:2])


# -- long frames -------------------------------------------------------------------------------------------------------------------------------


@every_clock
def test_a_long_frame_is_the_list_of_its_series(times):
    y = panel(times, (T, T - 9, T))
    model = small().fit(None, y)
    expected = small().fit(None, [y.loc[k].to_numpy() for k in LEVELS]).predict()
    for ours, theirs in zip(apart(model.predict()), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@every_clock
def test_rows_to_come_get_their_own_forecasts(times):
    y, after = panel(times), panel(times, (T + 3,) * 3, T)
    model = small().fit(only_index(y), y)
    rows = pd.Series(np.concatenate(apart(model.predict())), after.index)
    for other in (after, after.loc[["c", "a"]], after.sort_index(level=1), after.loc[["b"]].groupby(level=0).head(2)):
        np.testing.assert_allclose(model.predict(only_index(other)), rows.loc[other.index], rtol=1e-12)


@every_clock
def test_rows_that_begin_later_are_forecast_where_they_are(times):
    y, after = panel(times), panel(times, (T + 3,) * 3, T)
    model = small().fit(None, y)
    late = after.groupby(level=0).tail(2)
    np.testing.assert_allclose(model.predict(only_index(late)), pd.Series(np.asarray(model.predict(only_index(after))), after.index).loc[late.index])


def test_series_of_different_lengths_are_forecast_each_with_its_own_covariates():
    y, after = panel(), panel(lengths=(T + 3, T + 1, T + 2), start=T)
    X, more = (pd.DataFrame({"x": np.random.default_rng(0).normal(size=len(part))}, part.index) for part in (y, after))
    model = small(bidirectional=True).fit(X, y)
    whole = pd.Series(np.asarray(model.predict(more)), after.index)
    for name in LEVELS:
        np.testing.assert_allclose(model.predict(more.loc[[name]]), whole.loc[name], rtol=1e-6)


def test_intervals_quantiles_and_draws_come_by_rows():
    model = small().fit(None, PANEL)
    rows = only_index(AFTER.loc[["b", "a"]])
    lower, upper = model.predict_interval(rows)
    assert lower.shape == upper.shape == (6,)
    assert (lower <= upper).all()
    assert model.predict_quantiles(rows, [0.1, 0.5, 0.9]).shape == (6, 3)
    assert model.sample(5, rows).shape == (6, 5)


def test_update_takes_the_series_in_any_order():
    model, lists = small().fit(None, PANEL), small().fit(None, LISTS)
    model.update(None, AFTER.loc[["c", "a", "b"]])
    for ours, theirs in zip(apart(model.predict()), lists.update(None, NEXT).predict(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert model.n_steps_.tolist() == [T + 3] * 3


@pytest.mark.parametrize("refit", [False, True])
def test_backtest_takes_long_frames_by_series_or_by_time(refit):
    tables = [backtest(small(), y, initial_window=50, step=4, refit=refit) for y in (LISTS, PANEL, PANEL.sort_index(level=1, kind="stable"))]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table.reset_index(drop=True), tables[0])


def test_backtest_of_a_frozen_model_finds_its_series():
    frozen = FrozenEstimator(small().fit(None, PANEL.groupby(level=0).head(50)))
    table = backtest(frozen, PANEL.loc[["c", "b", "a"]], initial_window=50, step=4)
    pd.testing.assert_frame_equal(table.reset_index(drop=True), backtest(small(), LISTS, initial_window=50, step=4))


def test_copies_know_the_series():
    model, rows = small().fit(None, PANEL), only_index(AFTER.loc[["b"]])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(rows), model.predict(rows))
    np.testing.assert_array_equal(clone(model).fit(None, PANEL).predict(rows), model.predict(rows))


# -- searches ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scoring", [None, "r2", "neg_mean_absolute_error"])
@pytest.mark.parametrize("gap", [0, 2])
def test_a_search_over_a_panel_scores_each_fold_by_hand(scoring, gap):
    y, cv = panel(lengths=(T, T - 2, T)), PanelSplit(2, test_size=6, gap=gap)
    search = GridSearchCV(small(horizon=6), {"n_lags": [1, 12]}, cv=cv, scoring=scoring, error_score="raise").fit(only_index(y), y)
    for k, (train, test) in enumerate(cv.split(y)):
        model = small(horizon=6, n_lags=12).fit(None, y.iloc[train])
        true, ahead = y.iloc[test], model.predict(only_index(y.iloc[test]))
        by_series = np.mean([r2_score(true[k], pd.Series(np.asarray(ahead), true.index)[k]) for k in true.index.unique(0)])
        expected = {None: by_series, "r2": r2_score(true, ahead), "neg_mean_absolute_error": -np.abs(true - ahead).mean()}[scoring]
        assert search.cv_results_[f"split{k}_test_score"][1] == pytest.approx(expected, rel=1e-9)
    assert search.predict(only_index(AFTER)).shape == (9,)


def test_a_search_finds_that_a_year_is_needed():
    y = panel()
    search = GridSearchCV(small(horizon=6, season="auto", hidden_size=32, max_epochs=20), {"n_lags": [1, 12]}, cv=PanelSplit(2, test_size=6)).fit(
        only_index(y), y
    )
    assert search.best_params_ == {"n_lags": 12}
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("cv", [KFold(2), KFold(3, shuffle=True, random_state=0), GroupKFold(3), TimeSeriesSplit(3)], ids=repr)
def test_splits_between_series_of_a_long_frame_are_refused(cv):
    groups = {"groups": PANEL.index.get_level_values(0)} if isinstance(cv, GroupKFold) else {}
    with pytest.raises(ValueError, match=r"were not in fit|has a gap|go on after"):
        cross_val_score(small(), only_index(PANEL), PANEL, cv=cv, error_score="raise", **groups)


@pytest.mark.parametrize("lengths", [(T, T), (T, 20), (20, T), (T, T, T, T)], ids=str)
@pytest.mark.parametrize("container", [list, tuple])
def test_splits_between_series_of_a_list_are_refused(lengths, container):
    y = container(1000.0 * k + np.sin(np.arange(n)) for k, n in enumerate(lengths))
    X = container(np.zeros((n, 1)) for n in lengths)
    for ask in (cross_val_predict, lambda *data, cv: cross_val_score(*data, cv=cv, error_score="raise")):
        with pytest.raises(ValueError, match=r"not those of fit|of the . series of fit"):
            ask(small(), X, y, cv=2)
    with pytest.raises(ValueError, match=r"not those of fit|of the . series of fit"):
        cross_val_predict(small(), X, y, cv=LeaveOneOut())


def test_who_says_how_many_steps_may_have_more_than_were_learned():
    model = small(strategy="recursive").fit([np.zeros((T, 1))] * 3, LISTS)
    assert [len(part) for part in model.forecast(8, [np.zeros((8, 1))] * 3)] == [8] * 3
    with pytest.raises(ValueError, match=r"forecast\(8, X\)"):
        model.predict([np.zeros((8, 1))] * 3)


# -- refusals ----------------------------------------------------------------------------------------------------------------------------------


def test_what_is_of_other_series_or_times_is_refused():
    model = small().fit(None, PANEL)
    other = pd.concat({"z": AFTER.loc["a"]})
    for ask in (model.predict, lambda rows: model.score(None, pd.Series(0.0, rows.index)), lambda rows: model.predict_interval(rows)):
        with pytest.raises(ValueError, match="series 'z' were not in fit"):
            ask(only_index(other))
        with pytest.raises(ValueError, match="go on after the end of each series"):
            ask(only_index(PANEL))
    with pytest.raises(ValueError, match="they must be the same"):
        model.update(None, AFTER.loc[["a"]])
    with pytest.raises(ValueError, match="1 step too late"):
        model.update(None, AFTER.groupby(level=0).tail(2))
    with pytest.raises(ValueError, match="among the steps that are known"):
        model.update(None, PANEL.groupby(level=0).tail(2))
    holes = AFTER.drop(AFTER.index[1])
    with pytest.raises(ValueError, match="has a gap between"):
        model.predict(only_index(holes))


def test_names_are_not_lost_on_the_way():
    model = small().fit(None, PANEL)
    with pytest.raises(ValueError, match="fit got a long frame"):
        model.predict([np.zeros((3, 1))] * 3)
    with pytest.raises(ValueError, match="fit got a long frame"):
        model.score(None, NEXT)
    with pytest.raises(ValueError, match="fit got series without an"):
        small().fit(None, LISTS).predict(only_index(AFTER))
    with pytest.raises(ValueError, match="X needs the same"):
        small().fit(np.zeros((len(PANEL), 1)), PANEL)
    with pytest.raises(ValueError, match="they must be the same, in one order"):
        small().fit(only_index(PANEL), PANEL.loc[["c", "b", "a"]])


def test_a_gap_within_a_series_is_refused():
    with pytest.raises(ValueError, match="has a gap between 2015-05-01"):
        small().fit(None, PANEL.drop(("b", MONTHS[5])))
    with pytest.raises(ValueError, match="duplicate timestamps"):
        small().fit(None, pd.concat([PANEL.iloc[:1], PANEL]))


@pytest.mark.parametrize("strategy", ["recursive", "seq2seq"])
def test_what_is_drawn_for_a_series_does_not_depend_on_the_others(strategy):
    waves = [np.sin(np.arange(50.0) / 3 + k) for k in range(3)]
    model = small(strategy=strategy, hidden_size=3, max_epochs=1, n_lags=5, horizon=2, season="auto").fit(None, waves)
    alone = [model.with_history(None, [wave]).predict_interval([np.empty((2, 0))])[0][0] for wave in waves]
    turned = model.with_history(None, waves[::-1]).predict_interval([np.empty((2, 0))] * 3)[0][::-1]
    np.testing.assert_array_equal(alone, turned)
    np.testing.assert_array_equal(alone, model.predict_interval([np.empty((2, 0))] * 3)[0])


def test_the_season_of_dated_series_follows_their_dates():
    week = np.array([0, 0, 0, 0, 0, 30, 50.0])

    def dated(start, n):
        days = pd.date_range(start, periods=n)
        return pd.Series(100 + week[days.day_of_week], days)

    model = small(hidden_size=6, horizon=7, n_lags=14, season=7, max_epochs=40)
    model.fit(None, [dated("2024-01-01", 120), dated("2024-01-04", 120)])  # a Monday, a Thursday
    for start in ("2024-03-04", "2024-03-07", "2024-03-09"):
        (ahead,) = model.with_history(None, [dated(start, 60)]).predict()
        np.testing.assert_allclose(np.ravel(ahead), 100 + week[ahead.index.day_of_week], atol=8)


def test_a_short_series_of_business_days_goes_on_as_the_others():
    days = pd.DatetimeIndex(list(pd.bdate_range("2024-01-01", periods=T)))
    waves = [pd.Series(np.sin(np.arange(n)), days[:n]) for n in (T - 1, 5)]
    model = small(horizon=2, n_lags=2).fit(None, waves)
    assert [part.index[0] for part in model.predict()] == [days[T - 1], days[5]]
    ahead = model.update(None, [pd.Series([0.0], days[k : k + 1]) for k in (T - 1, 5)]).predict()
    assert ahead[1].index[0] == days[6]
