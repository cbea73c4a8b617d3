"""Indexes of times count in everything that reads series by steps, and come back with what is said of them."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import (
    DualStageAttentionRegressor,
    EchoStateRegressor,
    EchoStateTransformer,
    RNNAnomalyDetector,
    RNNSequenceRegressor,
    RNNTagger,
    SeasonalNaiveDetector,
    backtest,
)
from skrnn.preprocessing import Differencer, make_windows
from tests.estimators.forecasters import each_kind as each_kind
from tests.estimators.forecasters import small

pytestmark = pytest.mark.usefixtures("each_kind")

TINY = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}
DATES = pd.date_range("2024-01-01", periods=80, name="day")
WAVE = np.sin(np.arange(80) / 3)
SALES = pd.Series(WAVE, DATES, name="sales")
PROMO = pd.DataFrame({"promo": np.cos(np.arange(80))}, DATES)
T = 60


def make(**settings):
    return small(**{"n_lags": 6} | settings)


# -- what does not fit is refused ------------------------------------------------------------------------------------------------------------------


def test_covariates_must_be_of_the_same_times():
    with pytest.raises(ValueError, match="the indexes of X and y differ: row 0 is 2024-01-06 00:00:00 in one and 2024-01-01 00:00:00 in the other"):
        make().fit(PROMO[5:65], SALES[:60])
    with pytest.raises(ValueError, match=r"the indexes of X\[1\] and y\[1\] differ"):
        make().fit([PROMO[:60], PROMO[5:65]], [SALES[:60], SALES[:60]])
    for estimator in (RNNSequenceRegressor(**TINY), EchoStateRegressor(hidden_size=8, random_state=0)):
        with pytest.raises(ValueError, match="the indexes of X and y differ"):
            estimator.fit(PROMO[5:65], SALES[:60])


@pytest.mark.parametrize("several", [False, True])
def test_the_future_must_be_the_future(several):
    pack = (lambda part: [part, part]) if several else lambda part: part
    model = make().fit(pack(PROMO[:T]), pack(SALES[:T]))
    assert np.shape(model.predict(pack(PROMO[T : T + 3]))) == ((2, 3) if several else (3,))
    with pytest.raises(ValueError, match="X begins 11 steps after the end of the series: the covariates of the steps between are not known"):
        model.predict(pack(PROMO[T + 10 : T + 13]))
    with pytest.raises(ValueError, match=r"index of X.* must begin behind the end of its series, at 2024-03-01 00:00:00; it begins at 2024-02-28"):
        model.predict(pack(PROMO[T - 2 : T + 3]))
    with pytest.raises(ValueError, match=r"index of X.* must increase: .* in row 1 comes after a later one"):
        model.predict(pack(PROMO[T : T + 3][::-1]))
    with pytest.raises(ValueError, match=r"index of X.* has a gap"):
        model.predict(pack(PROMO.iloc[[T, T + 2]]))


def test_rows_after_a_gap_are_forecast_where_they_are():
    model = make(past_columns=["promo"]).fit(PROMO[:T], SALES[:T])
    later = model.predict(PROMO[T + 2 : T + 4])
    pd.testing.assert_series_equal(later, model.forecast(4)[2:])


@pytest.mark.parametrize("several", [False, True])
def test_an_update_must_follow(several):
    pack = (lambda part: [part, part]) if several else lambda part: part
    model = make().fit(None, pack(SALES[:T]))
    before = np.asarray(model.predict())
    for rows, message in (
        (SALES[T - 3 : T], "must begin at 2024-03-01 00:00:00, behind the end of the series; it begins at 2024-02-27 00:00:00, among the steps"),
        (SALES[T + 1 : T + 4], "it begins at 2024-03-02 00:00:00, 1 step too late"),
        (SALES[T : T + 3][::-1], "must increase"),
        (SALES.iloc[[T, T, T + 1]], "is there twice"),
        (SALES.iloc[[T, T + 2]], "has a gap"),
    ):
        with pytest.raises(ValueError, match=message):
            model.update(None, pack(rows))
    np.testing.assert_array_equal(np.asarray(model.predict()), before)
    model.update(None, pack(SALES[T : T + 3])).update(None, pack(WAVE[T + 3 : T + 5]))
    ahead = model.predict()
    assert (ahead[0] if several else ahead).index.equals(DATES[T + 5 : T + 8])


def test_lists_are_looked_at_as_single_series():
    with pytest.raises(ValueError, match=r"the index of y\[1\] must increase"):
        make().fit(None, [SALES, SALES[::-1]])
    with pytest.raises(ValueError, match=r"the index of y\[1\] has a gap"):
        make().fit(None, [SALES, SALES.drop(DATES[7])])


READERS = {
    "forecaster": lambda X: make().fit(X, X.promo.to_numpy()),
    "detector": lambda X: RNNAnomalyDetector(horizon=3, **TINY).fit(X),
    "naive detector": lambda X: SeasonalNaiveDetector(7).fit(X),
    "DA-RNN": lambda X: DualStageAttentionRegressor(n_lags=3, **TINY).fit(X, X.promo.to_numpy()),
    "reservoir": lambda X: EchoStateRegressor(hidden_size=8, random_state=0).fit(X, X.promo.to_numpy()),
    "features": lambda X: EchoStateTransformer(hidden_size=8, random_state=0).fit([X, PROMO]),
    "tagger": lambda X: RNNTagger(**TINY).fit(X, X.promo.to_numpy() > 0),
    "regressor": lambda X: RNNSequenceRegressor(**TINY).fit([PROMO, X], [WAVE, np.zeros(len(X))]),
    "windows": lambda X: make_windows(X, 3),
    "differences": lambda X: Differencer().fit_transform(X),
}
every_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS)


@every_reader
def test_time_that_does_not_run_on_is_refused(read):
    read(PROMO)
    with pytest.raises(ValueError, match=r"the index of \S+ must increase: 2024-03-19 00:00:00 in row 1 comes after a later one"):
        read(PROMO[::-1])
    with pytest.raises(ValueError, match=r"the index of \S+ must increase: 2024-01-02 00:00:00 in row 2 is there twice"):
        read(PROMO.iloc[[0, 1, 1, *range(2, 80)]])


@pytest.mark.parametrize("read", [READERS[name] for name in ("forecaster", "detector", "naive detector", "DA-RNN")])
def test_a_missing_step_is_refused_by_those_that_count_steps(read):
    hours = PROMO.set_axis(pd.date_range("2024-03-30", periods=80, freq="h", tz="Europe/Berlin"))
    read(hours)
    with pytest.raises(ValueError, match=r"the index of X has a gap between 2024-03-30 06:00:00\+01:00 and 2024-03-30 08:00:00\+01:00, rows 6 and 7"):
        read(hours.drop(hours.index[7]))
    read(hours.drop(hours.index[7]).reset_index(drop=True))


def test_a_detector_looks_at_what_it_judges():
    detector = RNNAnomalyDetector(horizon=3, **TINY).fit(PROMO)
    with pytest.raises(ValueError, match="the index of X, instance 'b', has a gap"):
        detector.predict(pd.concat({"a": PROMO, "b": PROMO.drop(DATES[7])}))
    with pytest.raises(ValueError, match="the index of X has a gap"):
        detector.predict(PROMO.drop(DATES[7]))
    with pytest.raises(ValueError, match=r"the index of X\[1\] must increase"):
        detector.score_samples([PROMO, PROMO[::-1]])


def test_numbers_of_rows_follow_where_they_go_on():
    X = PROMO.reset_index(drop=True)
    model = make(past_columns=["promo"]).fit(X[:T], WAVE[:T])
    np.testing.assert_array_equal(model.predict(X[T + 2 : T + 4]), model.forecast(4)[2:])
    np.testing.assert_array_equal(model.predict(X[:3]), model.forecast(3))
    with pytest.raises(ValueError, match=r"must begin behind the end of its series, at 60; it begins at 40; an index that is not to count"):
        model.predict(X[40:43])


# -- forecasts come back with their times ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["direct", "recursive", "seq2seq"])
def test_dates_in_dates_out(strategy):
    model = make(strategy=strategy, n_paths=20).fit(None, SALES[:T])
    plain = make(strategy=strategy, n_paths=20).fit(None, WAVE[:T])
    ahead = DATES[T : T + 3]
    pd.testing.assert_series_equal(model.predict(), pd.Series(plain.predict(), ahead, name="sales"), check_freq=False)
    assert model.forecast(7).index.equals(DATES[T : T + 7])
    quantiles = model.predict_quantiles(quantiles=[0.1, 0.9])
    np.testing.assert_array_equal(quantiles, plain.predict_quantiles(quantiles=[0.1, 0.9]))
    assert (quantiles.columns.tolist(), quantiles.columns.name, quantiles.index.equals(ahead)) == ([0.1, 0.9], "quantile", True)
    for found, expected in zip(model.predict_interval(coverage=0.8), plain.predict_interval(coverage=0.8), strict=True):
        pd.testing.assert_series_equal(found, pd.Series(expected, ahead, name="sales"), check_freq=False)
    assert model.sample(4).shape == (3, 4)
    assert model.sample(4).index.equals(ahead)


def test_frames_have_their_columns():
    y = pd.DataFrame({"a": WAVE, "b": 2 * WAVE}, DATES)
    model, plain = make().fit(None, y[:T]), make().fit(None, y[:T].to_numpy())
    pd.testing.assert_frame_equal(model.predict(), pd.DataFrame(plain.predict(), DATES[T : T + 3], ["a", "b"]), check_freq=False)
    quantiles = model.predict_quantiles(quantiles=[0.1, 0.9])
    np.testing.assert_array_equal(quantiles["b"][0.9], plain.predict_quantiles(quantiles=[0.1, 0.9])[:, 1, 1])
    assert model.predict_interval(coverage=[0.5, 0.9])[0].columns.tolist() == [("a", 0.5), ("a", 0.9), ("b", 0.5), ("b", 0.9)]


def test_every_series_has_its_own_times():
    hours = pd.Series(WAVE, pd.date_range("2024-10-26", periods=80, freq="h", tz="Europe/Berlin"), name="load")
    days, load = make().fit(None, [SALES[:T], hours[:T]]).predict()
    assert (days.index.equals(DATES[T : T + 3]), days.name) == (True, "sales")
    assert (load.index.equals(hours.index[T : T + 3]), load.name) == (True, "load")


def test_a_frame_of_instances_comes_back_as_one():
    df = pd.DataFrame({"shop": np.repeat(["b", "a"], 40), "day": [*DATES[:40], *DATES[5:45]], "sales": WAVE, "promo": np.cos(np.arange(80))})
    table = df.set_index(["shop", "day"])
    model, plain = make().fit(None, table.sales), make().fit(None, [WAVE[:40], WAVE[40:]])
    ahead = model.predict()
    np.testing.assert_array_equal(ahead, np.concatenate(plain.predict()))
    assert ahead.index.names == ["shop", "day"]
    assert ahead.loc["a"].index.equals(pd.DatetimeIndex(DATES[45:48]))
    mixed = table.iloc[np.argsort(df.day, kind="stable")]
    np.testing.assert_array_equal(make().fit(None, mixed.sales).predict(), ahead)
    for swapped in (table.sales[40:], table.sales[:40]), (table.sales[40:],):
        with pytest.raises(ValueError, match=r"they must be the same|among the steps that are known"):
            model.update(None, pd.concat(swapped))
    with pytest.raises(ValueError, match="the series of X are"):
        make().fit(pd.concat([table[40:], table[:40]])[["promo"]], table.sales)
    driven = make(past_columns=["promo"]).fit(table[["promo"]], table.sales)
    assert driven.predict().index.equals(ahead.index)


def test_arrays_in_arrays_out():
    for y in (WAVE[:T], SALES[:T].reset_index(drop=True), SALES[:T].to_list()):
        assert type(make().fit(None, y).predict()) is np.ndarray
    assert type(make().fit(PROMO[:T], WAVE[:T]).predict(PROMO[T : T + 3])) is np.ndarray


def test_years_are_times():
    ahead = make().fit(None, pd.Series(WAVE[:T], pd.Index(np.arange(1950, 2010), name="year"))).predict()
    assert (ahead.index.tolist(), ahead.index.name) == ([2010, 2011, 2012], "year")


@pytest.mark.parametrize("freq", ["B", "BME", "SMS", "W-MON", "QS"])
def test_calendars_need_no_frequency(freq):
    index = pd.date_range("2001-01-01", periods=T + 3, freq=freq)
    assert make().fit(None, pd.Series(WAVE[:T], pd.DatetimeIndex(list(index[:T])))).predict().index.equals(pd.DatetimeIndex(list(index[T:])))


def test_a_backtest_has_the_times_of_its_steps():
    table = backtest(make(), SALES[:T], initial_window=50, step=4)
    pd.testing.assert_index_equal(table.index, DATES[table.origin + table.step - 1])
    np.testing.assert_array_equal(table.y_true, SALES[table.index])
    panel = backtest(make(), [SALES[:T], SALES[10:70]], PROMO[:T].pipe(lambda X: [X, PROMO[10:70]]), initial_window=50, step=4, refit=True)
    np.testing.assert_array_equal(panel.y_true, SALES[panel.index])
    frozen = backtest(FrozenEstimator(make().fit(None, SALES[:50])), SALES[:T], initial_window=50, step=4)
    pd.testing.assert_frame_equal(frozen, table)


def test_pickles_hold_no_pandas():
    model = make().fit(None, SALES[:T])
    dumped = pickle.dumps(model)
    assert b"pandas" not in dumped
    pd.testing.assert_series_equal(pickle.loads(dumped).predict(), model.predict())


def test_scikit_learns_tools_go_with_dates():
    cv = TimeSeriesSplit(3, test_size=3, gap=2)
    by_date = cross_val_score(make(past_columns=["promo"]), PROMO, SALES, cv=cv, error_score="raise")
    by_column = cross_val_score(make(time_column=0), np.arange(80)[:, None], WAVE, cv=cv, error_score="raise")
    assert np.isfinite(by_date).all()
    assert by_column.shape == (3,)
    search = GridSearchCV(make(), {"n_lags": [3, 6]}, cv=TimeSeriesSplit(2, test_size=3), error_score="raise").fit(PROMO[:T], SALES[:T])
    assert search.predict(PROMO[T : T + 3]).index.equals(DATES[T : T + 3])
    scaled = TransformedTargetRegressor(make_pipeline(StandardScaler(), make()), transformer=StandardScaler()).fit(PROMO[:T], SALES[:T])
    assert scaled.predict(PROMO[T : T + 3]).shape == (3,)
    with pytest.raises(ValueError, match="the covariates of the steps between are not known"):
        cross_val_score(make(), PROMO, SALES, cv=cv, error_score="raise")


def test_the_driven_series_has_its_times():
    model = DualStageAttentionRegressor(n_lags=3, **TINY).fit(PROMO[:T], SALES[:T])
    ahead = model.predict(PROMO[T : T + 3])
    assert (ahead.index.equals(DATES[T : T + 3]), ahead.name) == (True, "sales")
    for rows in (slice(T + 1, T + 3), slice(T - 1, T + 3)):
        with pytest.raises(ValueError, match="must begin at 2024-03-01 00:00:00"):
            model.predict(PROMO[rows])
        with pytest.raises(ValueError, match="must begin at 2024-03-01 00:00:00"):
            model.update(PROMO[rows], SALES[rows])
    moved = model.update(PROMO[T : T + 2], SALES[T : T + 2])
    assert moved.predict(PROMO[T + 2 : T + 5], SALES[T + 2 : T + 5]).index.equals(DATES[T + 2 : T + 5])
    assert type(DualStageAttentionRegressor(n_lags=3, **TINY).fit(PROMO[:T], WAVE[:T]).predict(PROMO[T : T + 3])) is np.ndarray


@pytest.mark.parametrize("detector", [RNNAnomalyDetector(horizon=3, **TINY), SeasonalNaiveDetector(7)])
def test_scores_and_flags_have_the_times_of_what_is_judged(detector):
    plain = detector.fit(PROMO.to_numpy()).predict(PROMO.to_numpy())
    assert type(plain) is np.ndarray
    pd.testing.assert_series_equal(detector.fit(PROMO).predict(PROMO), pd.Series(plain, DATES))
    assert detector.decision_function([PROMO[:30], PROMO[30:]])[1].index.equals(DATES[30:])
    table = pd.concat({"b": PROMO[:40], "a": PROMO[40:]}, names=["sensor"])
    np.testing.assert_array_equal(detector.score_samples(table).loc["a"], detector.score_samples(PROMO[40:]))
    assert type(detector.score_samples(PROMO.reset_index(drop=True))) is np.ndarray


# -- times in a column -------------------------------------------------------------------------------------------------------------------------------


def test_a_column_of_datetimes_is_an_index():
    table = PROMO.reset_index()
    by_column = make(time_column="day", past_columns=["promo"]).fit(table[:T], SALES[:T].to_numpy())
    by_index = make(past_columns=["promo"]).fit(PROMO[:T], SALES[:T].to_numpy())
    assert by_column.feature_names_in_.tolist() == ["promo"]
    np.testing.assert_array_equal(by_column.predict(table[T + 2 : T + 4]), by_index.predict(PROMO[T + 2 : T + 4]))
    np.testing.assert_array_equal(by_column.predict(table[["day"]][T : T + 3]), by_index.predict())
    with pytest.raises(ValueError, match="the index of X has a gap"):
        make(time_column="day").fit(table[:T].drop(index=7), SALES[: T - 1].to_numpy())
    with pytest.raises(ValueError, match="the indexes of X and y differ"):
        make(time_column="day").fit(table[1 : T + 1], SALES[:T])
    with pytest.raises(ValueError, match=r"time_column names the column 'when', which X has not; it has \['promo'\]"):
        make(time_column="when").fit(PROMO[:T], SALES[:T])


def test_a_column_of_datetimes_needs_no_others():
    times = pd.DataFrame({"day": DATES})
    model = make(time_column="day").fit(times[:T], WAVE[:T])
    np.testing.assert_array_equal(model.predict(times[T + 2 : T + 4]), make().fit(None, WAVE[:T]).forecast(4)[2:])
    model.update(times[T : T + 3], WAVE[T : T + 3])
    with pytest.raises(ValueError, match="the index of X must begin at 2024-03-04 00:00:00"):
        model.update(times[T : T + 3], WAVE[T : T + 3])
    scores = cross_val_score(make(time_column="day"), times, WAVE, cv=TimeSeriesSplit(2, test_size=3, gap=2), error_score="raise")
    numbers = cross_val_score(make(time_column=0), np.arange(80)[:, None], WAVE, cv=TimeSeriesSplit(2, test_size=3, gap=2))
    np.testing.assert_array_equal(scores, numbers)
    with pytest.raises(ValueError, match=r"X must have a row for each step of y; got \[60\] and \[59\] steps"):
        make(time_column="day").fit(times[:T], WAVE[: T - 1])


DAYS = DATES.to_pydatetime().tolist()
COLUMNS = {
    "pandas": pd.DataFrame({"day": DATES, "promo": PROMO.promo.to_numpy()}),
    "pandas dates": pd.DataFrame({"day": [day.date() for day in DAYS], "promo": PROMO.promo.to_numpy()}),
    "polars": pl.DataFrame({"day": DAYS, "promo": PROMO.promo.to_numpy()}),
    "polars dates": pl.DataFrame({"day": [day.date() for day in DAYS], "promo": PROMO.promo.to_numpy()}),
    "polars, time last": pl.DataFrame({"promo": PROMO.promo.to_numpy(), "day": DAYS}),
    "polars spans": pl.DataFrame({"day": [day - DAYS[0] for day in DAYS], "promo": PROMO.promo.to_numpy()}),
    "polars zone": pl.DataFrame({"day": pl.Series(DAYS).dt.replace_time_zone("Europe/Berlin"), "promo": PROMO.promo.to_numpy()}),
}


@pytest.mark.parametrize("by_place", [False, True])
@pytest.mark.parametrize("table", COLUMNS.values(), ids=COLUMNS)
def test_a_column_of_dates_is_read_in_every_frame(table, by_place):
    column = list(table.columns).index("day") if by_place else "day"
    by_column = make(time_column=column, past_columns=["promo"]).fit(table[:T], WAVE[:T])
    expected = make(past_columns=["promo"]).fit(PROMO[:T], WAVE[:T])
    assert by_column.feature_names_in_.tolist() == ["promo"]
    np.testing.assert_array_equal(by_column.predict(table[T + 2 : T + 4]), expected.forecast(4)[2:])
    if not by_place:
        np.testing.assert_array_equal(by_column.predict(table[["day"]][T : T + 3]), expected.predict())
    with pytest.raises(ValueError, match="the index of X must begin behind the end"):
        by_column.predict(table[T - 1 : T + 2])
    by_column.update(table[T : T + 3], WAVE[T : T + 3])
    np.testing.assert_array_equal(by_column.predict(), expected.update(PROMO[T : T + 3], WAVE[T : T + 3]).predict())


@pytest.mark.parametrize("name", ["polars", "polars dates", "polars zone"])
def test_polars_times_are_checked_and_need_no_other_columns(name):
    table = COLUMNS[name]
    model = make(time_column="day").fit([table[["day"]][:T]] * 2, [WAVE[:T], SALES[:T].to_numpy()])
    np.testing.assert_array_equal(model.predict([table[["day"]][T : T + 3]] * 2), make().fit(None, [WAVE[:T]] * 2).predict())
    series = pl.Series("sales", WAVE)
    one = make(time_column="day").fit(table[["day"]][:T], series[:T])
    np.testing.assert_array_equal(one.predict(table[["day"]][T + 1 : T + 3]), make().fit(None, WAVE[:T]).forecast(3)[1:])
    with pytest.raises(ValueError, match="the index of X has a gap"):
        make(time_column="day").fit(pl.concat([table[:7], table[8:T]]), WAVE[: T - 1])
    with pytest.raises(ValueError, match="the index has no time in row 0"):
        make(time_column="day").fit(table.with_columns(pl.col("day").shift(1))[:T], WAVE[:T])


def test_places_of_columns_are_counted_with_that_of_the_time():
    table = PROMO.reset_index().assign(price=WAVE)
    for order in (["day", "promo", "price"], ["promo", "day", "price"], ["promo", "price", "day"]):
        named = make(time_column="day", past_columns=["price"]).fit(table[order][:T], WAVE[:T])
        placed = make(time_column=order.index("day"), past_columns=[order.index("price")]).fit(table[order][:T], WAVE[:T])
        np.testing.assert_array_equal(placed.predict(table[order][T : T + 3]), named.predict(table[order][T : T + 3]))
        counted_back = make(time_column="day", past_columns=[order.index("price") - 3]).fit(table[order][:T], WAVE[:T])
        np.testing.assert_array_equal(counted_back.predict(table[order][T : T + 3]), named.predict(table[order][T : T + 3]))
    with pytest.raises(ValueError, match="past_columns is column 0, but X has 2 columns beside the time"):
        make(time_column="day", past_columns=[0]).fit(table[:T], WAVE[:T])
