"""The long frame in and out: nothing is lost, mixed up, or dropped in silence."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skrnn import RNNForecaster
from skrnn.adapters import NixtlaForecaster, from_nixtla
from tests.adapters.long_frames import every_frame, long, to_polars

RNG = np.random.default_rng(0)


def shuffled_series(df):
    """Rows in the order of time, so that series are interleaved."""
    return df.sort_values("ds", kind="stable").reset_index(drop=True)


@every_frame
@pytest.mark.parametrize("order", [lambda df: df, shuffled_series])
def test_series_come_out_one_by_one(convert, order):
    df = order(long(promo=lambda n, k: RNG.normal(size=n), day=lambda n, k: np.arange(n) % 7))
    panel = from_nixtla(convert(df))
    assert panel.ids == ["b", "a", "c"]
    assert panel.features == ["promo", "day"]
    for name, y, X in zip(panel.ids, panel.y, panel.X, strict=True):
        rows = df[df.unique_id == name]
        np.testing.assert_array_equal(y, rows.y)
        np.testing.assert_array_equal(X, rows[["promo", "day"]])


FREQS = ["D", "h", "15min", "W-SUN", "W-WED", "MS", "ME", "QS", "YS", "3D", "2MS", "B", "BMS", "BME", "SMS", "SME"]


@every_frame
@pytest.mark.parametrize("freq", FREQS)
def test_the_time_goes_on(convert, freq):
    df = long(freq)
    whole = long(freq)
    head = pd.concat([part.iloc[:-5] for _, part in df.groupby("unique_id", sort=False)])
    tail = pd.concat([part.iloc[-5:] for _, part in whole.groupby("unique_id", sort=False)]).reset_index(drop=True)
    given = from_nixtla(convert(head)).frame({"model": [part.y.to_numpy() for _, part in tail.groupby("unique_id", sort=False)]})
    expected = convert(tail.rename(columns={"y": "model"}))
    if convert is pd.DataFrame:
        pd.testing.assert_frame_equal(given, expected)
    else:
        assert given.equals(expected)
        assert given.schema == expected.schema


@every_frame
def test_times_that_are_whole_numbers(convert):
    df = convert(pd.DataFrame({"unique_id": [1] * 4 + [2] * 3, "ds": [0, 2, 4, 6, 10, 12, 14], "y": np.arange(7.0)}))
    given = from_nixtla(df).frame({"m": [[1.0, 2.0], [3.0]]})
    assert given["ds"].to_list() == [8, 10, 16]
    assert given["unique_id"].to_list() == [1, 1, 2]


def test_types_of_the_columns_stay():
    df = long().assign(
        unique_id=lambda df: df.unique_id.astype("category"), ds=lambda df: df.ds.dt.tz_localize("Asia/Tokyo").astype("datetime64[s, Asia/Tokyo]")
    )
    given = from_nixtla(df).frame({"m": [[1.0]] * 3})
    assert list(given.dtypes[:2]) == list(df.dtypes[:2])
    days = pl.DataFrame({"unique_id": ["x"] * 3, "ds": pl.Series([19000, 19001, 19002]).cast(pl.Date), "y": [1, 2, 3]})
    assert from_nixtla(days).frame({"m": [[4.0]]}).schema == {"unique_id": pl.String, "ds": pl.Date, "m": pl.Float64}


def test_other_names_of_columns():
    df = long().rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    panel = from_nixtla(df, id_col="shop", time_col="day", target_col="sales")
    assert list(panel.frame({"m": [[1.0]] * 3}).columns) == ["shop", "day", "m"]


def test_the_step_of_a_single_row_is_stated():
    df = long().groupby("unique_id", sort=False).head(1)
    with pytest.raises(ValueError, match="one row only: freq must say"):
        from_nixtla(df)
    assert from_nixtla(df, freq="2h").frame({"m": [[1.0]] * 3}).ds.tolist() == [pd.Timestamp("2024-01-01T02:00")] * 3


@pytest.mark.parametrize(
    ("freq", "stated"), [("D", "1d"), ("15min", "15min"), ("h", "H"), ("W-SUN", "W-SUN"), ("MS", "1mo"), ("ME", "ME"), ("QS", "3mo"), ("YS", "12MS")]
)
def test_a_step_that_is_stated_is_the_one_that_is_found(freq, stated):
    found, told = from_nixtla(long(freq)), from_nixtla(long(freq), freq=stated)
    assert found.steps == told.steps


def test_a_step_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"freq must be a count and one of .*; got 'fortnight'"):
        from_nixtla(long(), freq="fortnight")
    with pytest.raises(ValueError, match="freq='B', but the times are not all where its steps are"):
        from_nixtla(long(), freq="B")
    with pytest.raises(ValueError, match="freq='MS', but the times are on different days"):
        from_nixtla(long(), freq="MS")
    with pytest.raises(ValueError, match="the times are whole numbers, so freq must be an int; got 'D'"):
        from_nixtla(pd.DataFrame({"unique_id": 1, "ds": [0, 1], "y": [0.0, 1.0]}), freq="D")
    with pytest.raises(ValueError, match="a gap in the time: in series 'b' step 1"):
        from_nixtla(long(), freq="12h")


def broken(change):
    df = long()
    return change(df)


@every_frame
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda df: df.drop(index=35), r"a gap in the time: in series 'a' step 5 is at 2024-01-07.*, expected 2024-01-06"),
        (lambda df: df.iloc[[*range(36), 35, *range(36, 81)]], r"duplicate time: series 'a' has 2024-01-06.* twice, in rows 35 and 36"),
        (lambda df: df.assign(ds=df.ds.where(df.index != 7)), "column 'ds' has no time in row 7"),
        (lambda df: df.drop(columns="y"), "df has no column 'y'"),
        (lambda df: df.iloc[:0], "df has no rows"),
    ],
)
def test_a_broken_frame_is_refused(convert, change, message):
    with pytest.raises(ValueError, match=message):
        from_nixtla(convert(broken(change).reset_index(drop=True)))


@every_frame
def test_columns_of_other_types_are_refused(convert):
    with pytest.raises(TypeError, match=r"column 'ds' has the type String: parse it into datetimes first"):
        from_nixtla(convert(long().assign(ds=lambda df: df.ds.astype(str))))
    with pytest.raises(TypeError, match="column 'city' of df has the type String, expected numbers"):
        from_nixtla(convert(long(city=lambda n, k: ["x"] * n)))


@every_frame
def test_rows_in_any_order_are_sorted(convert):
    df = long(promo=lambda n, k: RNG.normal(size=n))
    panel, mixed = from_nixtla(convert(df)), from_nixtla(convert(df.sample(frac=1, random_state=0).sort_values("unique_id").reset_index(drop=True)))
    assert mixed.ids == ["a", "b", "c"]
    for name, y, X in zip(mixed.ids, mixed.y, mixed.X, strict=True):
        np.testing.assert_array_equal(y, panel.y[panel.ids.index(name)])
        np.testing.assert_array_equal(X, panel.X[panel.ids.index(name)])


ZONED = [("h", "Europe/Berlin", "2024-10-25", 72), ("h", "America/New_York", "2024-03-08", 50), ("D", "America/New_York", "2024-10-25", 14)]
ZONED += [("MS", "Europe/Berlin", "2024-01-01", 12), ("6h", "Etc/GMT+3", "2024-03-08", 50), ("B", "America/Sao_Paulo", "2024-03-08", 30)]


@every_frame
@pytest.mark.parametrize(("freq", "zone", "start", "n"), ZONED)
def test_the_time_goes_on_where_clocks_are_changed(convert, freq, zone, start, n):
    ds = pd.date_range(start, periods=n + 100, freq=freq, tz=zone)
    df = pd.DataFrame({"unique_id": "a", "ds": ds[:n], "y": np.arange(float(n))})
    if convert is to_polars:
        utc = pl.Series(df.ds.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
        df = pl.DataFrame(
            {"unique_id": df.unique_id.tolist(), "ds": utc.dt.replace_time_zone("UTC").dt.convert_time_zone(zone), "y": df.y.to_numpy()}
        )
    given = from_nixtla(df).frame({"m": [np.zeros(100)]})
    assert given["ds"].to_list() == ds[n:].to_list()


def test_a_gap_of_months():
    df = long("MS").drop(index=4)
    with pytest.raises(ValueError, match=r"in series 'b' step 4 is at 2024-06-01.*, expected 2024-05-01"):
        from_nixtla(df)


# -- the steps to come -----------------------------------------------------------------------------------------------------------------------------


def covariates(n_steps=4, **changes):
    panel = from_nixtla(long(promo=lambda n, k: np.zeros(n)))
    return panel, panel.frame({"promo": [np.arange(n_steps) + 10.0 * k for k in range(3)]}).assign(**changes)


@every_frame
def test_covariates_of_the_steps_to_come(convert):
    panel, df = covariates()
    given = panel.future(convert(shuffled_series(df)), 3)
    np.testing.assert_array_equal(given, [[[0], [1], [2]], [[10], [11], [12]], [[20], [21], [22]]])


def test_covariates_that_do_not_fit_are_refused():
    panel, df = covariates()
    with pytest.raises(ValueError, match="X_df has 0 steps of series 'a', expected 4"):
        panel.future(df[df.unique_id != "a"])
    with pytest.raises(ValueError, match="X_df has 4 steps of series 'b', expected 5"):
        panel.future(df, 5)
    with pytest.raises(ValueError, match="X_df has the series 'z', which is none of those that are forecast"):
        panel.future(pd.concat([df, df.iloc[:4].assign(unique_id="z")]))
    with pytest.raises(ValueError, match=r"step 0 of series 'b' in X_df \(row 0\) is at 2024-02-01.*, expected 2024-01-31"):
        panel.future(df.assign(ds=df.ds + pd.Timedelta(days=1)))
    with pytest.raises(ValueError, match="X_df has no column 'promo'"):
        panel.future(df.drop(columns="promo"))


# -- the forecaster --------------------------------------------------------------------------------------------------------------------------------

SMALL = {"horizon": 7, "n_lags": 7, "hidden_size": 8, "max_epochs": 2, "random_state": 0}


@every_frame
def test_forecasts_are_those_of_the_lists(convert):
    df = long(promo=lambda n, k: np.sin(np.arange(n)))
    panel = from_nixtla(df)
    future = panel.frame({"promo": [np.ones(7)] * 3})
    model = NixtlaForecaster(RNNForecaster(**SMALL)).fit(convert(df))
    plain = RNNForecaster(**SMALL).fit(panel.X, panel.y)
    given = model.predict(7, X_df=convert(future), level=[80, 90])
    assert list(given.columns) == ["unique_id", "ds", "RNNForecaster", *(f"RNNForecaster-{end}-{p}" for p in (80, 90) for end in ("lo", "hi"))]
    assert given["unique_id"].to_list() == ["b"] * 7 + ["a"] * 7 + ["c"] * 7
    X = panel.future(future)
    np.testing.assert_array_equal(given["RNNForecaster"].to_numpy(), np.concatenate(plain.forecast(7, X)))
    np.testing.assert_array_equal(given["RNNForecaster-lo-80"].to_numpy(), np.concatenate(plain.predict_interval(X, 0.8)[0]))
    assert (given["RNNForecaster-lo-90"].to_numpy() <= given["RNNForecaster-hi-90"].to_numpy()).all()


def test_without_covariates_the_horizon_is_enough():
    given = NixtlaForecaster(RNNForecaster(**SMALL)).fit(long()).predict(level=[90])
    assert len(given) == 21
    assert given.notna().all(axis=None)


def test_missing_covariates_are_named():
    model = NixtlaForecaster(RNNForecaster(**SMALL)).fit(long(promo=lambda n, k: np.zeros(n)))
    with pytest.raises(ValueError, match=r"X_df must hold the covariates \['promo'\]"):
        model.predict(7)


def test_what_holds_for_a_series():
    static = pd.DataFrame({"unique_id": ["a", "c", "b"], "size": [1.0, 2.0, 3.0]})
    np.testing.assert_array_equal(from_nixtla(long()).static(static), [[3.0], [1.0], [2.0]])
    NixtlaForecaster(RNNForecaster(**SMALL)).fit(long(), static_df=static).predict(2)
    with pytest.raises(ValueError, match="static_df has 0 rows of series 'a', expected one"):
        from_nixtla(long()).static(static.iloc[1:])


def test_what_is_known_of_the_past_only_is_named_and_not_asked_for():
    df = long(temp=lambda n, k: np.sin(np.arange(n)), promo=lambda n, k: np.cos(np.arange(n)))
    panel = from_nixtla(df)
    model = NixtlaForecaster(RNNForecaster(past_columns=["temp"], **SMALL)).fit(df)
    plain = RNNForecaster(past_columns=[0], **SMALL).fit(panel.X, panel.y)
    future = panel.frame({"promo": [np.ones(7)] * 3})
    expected = np.concatenate(plain.forecast(7, [np.ones((7, 2))] * 3))
    for given in (future, future.assign(temp=np.nan)):
        np.testing.assert_array_equal(model.predict(7, given)["RNNForecaster"], expected)
    only = NixtlaForecaster(RNNForecaster(past_columns=["temp", "promo"], **SMALL)).fit(df)
    assert only.predict(level=[80]).notna().all(axis=None)
    with pytest.raises(ValueError, match=r"past_columns names the column 'rain', which df has not; its covariates are \['temp', 'promo'\]"):
        NixtlaForecaster(RNNForecaster(past_columns=["rain"], **SMALL)).fit(df)


@every_frame
def test_some_series_are_forecast_as_among_all(convert):
    df = long(promo=lambda n, k: np.sin(np.arange(n)))
    model = NixtlaForecaster(RNNForecaster(**SMALL)).fit(convert(df))
    future = from_nixtla(df).frame({"promo": [np.ones(7)] * 3})
    some = model.predict(7, convert(future[future.unique_id != "b"].reset_index(drop=True)), level=[80, 95], quantiles=[0.1], ids=["c", "a"])
    every = model.predict(7, convert(future), level=[80, 95], quantiles=[0.1])
    assert some["unique_id"].to_list() == ["c"] * 7 + ["a"] * 7
    for name in ("a", "c"):
        for column in every.columns[1:]:
            parts = [np.asarray(frame[column])[np.asarray(frame["unique_id"]) == name] for frame in (some, every)]
            np.testing.assert_array_equal(*parts)
    assert (some["RNNForecaster-lo-95"].to_numpy() <= some["RNNForecaster-lo-80"].to_numpy()).all()
    assert (some["RNNForecaster-hi-95"].to_numpy() >= some["RNNForecaster-hi-80"].to_numpy()).all()
    with pytest.raises(ValueError, match="ids must hold series that are there, each once; got \\['z'\\]"):
        model.predict(7, convert(future), ids=["z"])


def test_series_that_were_not_in_fit_are_forecast():
    model = NixtlaForecaster(RNNForecaster(**SMALL)).fit(long())
    again = model.predict(df=long()[lambda df: df.unique_id == "a"])
    pd.testing.assert_frame_equal(again, model.predict(ids=["a"]))
    new = long("h").assign(unique_id=lambda df: df.unique_id + "x")
    given = model.predict(2, df=new)
    assert given.unique_id.tolist() == ["bx", "bx", "ax", "ax", "cx", "cx"]
    assert given.ds[0] == new[new.unique_id == "bx"].ds.max() + pd.Timedelta(hours=1)
    with pytest.raises(ValueError, match=r"df has the covariates \['promo'\], that of fit \[\]"):
        model.predict(df=long(promo=lambda n, k: np.ones(n)))


# -- dates -----------------------------------------------------------------------------------------------------------------------------------------

WEEK = np.array([0, 0, 0, 0, 0, 30, 50.0])
WEEKLY = {"horizon": 7, "n_lags": 7, "hidden_size": 4, "max_epochs": 3, "season": 7, "random_state": 0}


def weekly(starts, n=70):
    """Series that differ in the day of the week with which they begin."""
    parts = [pd.DataFrame({"unique_id": name, "ds": pd.date_range(start, periods=n)}) for name, start in starts.items()]
    return pd.concat(parts, ignore_index=True).assign(y=lambda df: 100 + WEEK[df.ds.dt.day_of_week] + np.sin(df.index))


def in_long(df):
    return df.set_index(["unique_id", "ds"]).y


@every_frame
def test_the_season_follows_the_dates_as_in_a_long_frame(convert):
    df = weekly({"monday": "2024-01-01", "thursday": "2024-01-04"})
    other = weekly({"saturday": "2024-03-02"}, 30)
    model, plain = NixtlaForecaster(RNNForecaster(**WEEKLY)).fit(convert(df)), RNNForecaster(**WEEKLY).fit(None, in_long(df))
    for given, expected in ((model.predict(), plain), (model.predict(df=convert(other)), plain.with_history(None, in_long(other)))):
        np.testing.assert_array_equal(given["RNNForecaster"].to_numpy(), expected.predict().to_numpy())
    counted = RNNForecaster(**WEEKLY).fit(None, from_nixtla(df).y)
    assert np.abs(np.concatenate(counted.predict()) - plain.predict().to_numpy()).max() > 0.1
    assert [part.index[0] for part in model.estimator_.predict()] == [pd.Timestamp("2024-03-11"), pd.Timestamp("2024-03-14")]


@every_frame
def test_the_season_goes_on_after_an_update_and_in_windows_of_the_past(convert):
    df = weekly({"monday": "2024-01-01", "thursday": "2024-01-04"})
    late = df.groupby("unique_id").cumcount() >= 60
    head, tail = df[~late], df[late]
    model, plain = NixtlaForecaster(RNNForecaster(**WEEKLY)).fit(convert(head)), RNNForecaster(**WEEKLY).fit(None, in_long(head))
    windows = NixtlaForecaster(RNNForecaster(**WEEKLY)).cross_validation(convert(df), h=7, n_windows=1, step_size=3)
    after = plain.update(None, in_long(tail)).predict()
    np.testing.assert_array_equal(model.update(convert(tail)).predict()["RNNForecaster"].to_numpy(), after.to_numpy())
    until = in_long(df[df.groupby("unique_id").cumcount() < 63])
    np.testing.assert_array_equal(windows["RNNForecaster"].to_numpy(), RNNForecaster(**WEEKLY).fit(None, until).predict().to_numpy())
