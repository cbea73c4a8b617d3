"""Points in time: every container says the same, cycles close, and the calendar is that of Python's own datetime."""

import datetime
import pickle
import sys
import warnings

import holidays
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skrnn.preprocessing import CalendarFeatures

MOMENTS = [datetime.datetime(1968, 2, 29, 23, 59, 30) + k * datetime.timedelta(days=37, hours=5, minutes=11) for k in range(500)]
TIMES = np.array(MOMENTS, dtype="M8[us]")
EVERY = ["time_of_hour", "time_of_day", "day_of_week", "day_of_month", "day_of_year", "month", "quarter", "weekend", "year"]


def plain(X, features=EVERY):
    return CalendarFeatures(features, encoding="plain").fit_transform(X)


def test_values_are_those_of_python():
    expected = [
        [
            m.minute + m.second / 60,
            m.hour + m.minute / 60 + m.second / 3600,
            m.weekday(),
            m.day,
            m.timetuple().tm_yday,
            m.month,
            (m.month - 1) // 3 + 1,
            m.weekday() >= 5,
            m.year,
        ]
        for m in MOMENTS
    ]
    np.testing.assert_allclose(plain(TIMES), np.array(expected, dtype=float), rtol=1e-12)


CONTAINERS = {
    "list": lambda: MOMENTS,
    "column": lambda: TIMES[:, None],
    "nanoseconds": lambda: TIMES.astype("M8[ns]"),
    "seconds": lambda: TIMES.astype(np.int64)[:, None] / 1e6,
    "objects": lambda: np.array(MOMENTS, dtype=object),
    "pandas series": lambda: pd.Series(TIMES),
    "pandas objects": lambda: pd.DataFrame({"ds": MOMENTS}, dtype=object),
    "pandas frame": lambda: pd.DataFrame({"ds": TIMES}),
    "pandas index": lambda: pd.DatetimeIndex(TIMES),
    "pandas zone": lambda: pd.DataFrame({"ds": pd.Series(TIMES).dt.tz_localize("Asia/Tokyo")}),
    "polars series": lambda: pl.Series("ds", MOMENTS),
    "polars frame": lambda: pl.DataFrame({"ds": MOMENTS}),
    "polars zone": lambda: pl.DataFrame({"ds": pl.Series(MOMENTS).dt.replace_time_zone("Asia/Tokyo")}),
}


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
def test_the_container_does_not_matter(make):
    np.testing.assert_allclose(plain(make()), plain(TIMES), rtol=1e-9)


def test_dates_and_periods():
    dates = [m.date() for m in MOMENTS]
    expected = plain(TIMES.astype("M8[D]"))
    for X in (dates, pl.Series("ds", dates), pd.DataFrame({"ds": pd.Series(TIMES).dt.to_period("D")})):
        np.testing.assert_array_equal(plain(X), expected)


@pytest.mark.parametrize(
    ("feature", "unit", "n"), [("time_of_hour", "s", 3600), ("time_of_day", "m", 1440), ("day_of_week", "D", 7), ("month", "M", 12)]
)
@pytest.mark.parametrize("start", ["2023-01-01", "2024-01-01"])
def test_a_cycle_goes_round_once_in_even_steps(feature, unit, n, start):
    times = np.datetime64(start, unit) + np.arange(n + 1)
    circle = CalendarFeatures([feature]).fit_transform(times)
    np.testing.assert_allclose((circle**2).sum(axis=1), 1)
    np.testing.assert_allclose(circle[0], circle[-1], atol=1e-12)
    steps = np.linalg.norm(np.diff(circle, axis=0), axis=1)
    np.testing.assert_allclose(steps, 2 * np.sin(np.pi / n), rtol=1e-9)


@pytest.mark.parametrize(("year", "days"), [(2023, 365), (2024, 366)])
def test_a_year_closes_whatever_its_length(year, days):
    times = np.datetime64(f"{year}-01-01") + np.arange(days)
    circle = CalendarFeatures(["day_of_year"]).fit_transform(times)
    steps = np.linalg.norm(np.diff(np.vstack([circle, circle[:1]]), axis=0), axis=1)
    np.testing.assert_allclose(steps, 2 * np.sin(np.pi / days), rtol=1e-9)


def test_names_and_frames_out():
    frame = pd.DataFrame({"ds": TIMES, "x": np.arange(len(TIMES))})
    table = make_column_transformer((CalendarFeatures(["month", "weekend"]), ["ds"]), remainder="passthrough", verbose_feature_names_out=False)
    given = table.set_output(transform="pandas").fit_transform(frame)
    assert list(given.columns) == ["ds_month_sin", "ds_month_cos", "ds_weekend", "x"]
    assert CalendarFeatures(["month"], "plain").fit(TIMES).get_feature_names_out().tolist() == ["x0_month"]


def test_several_series():
    given = CalendarFeatures().fit_transform([TIMES[:5], TIMES[5:8]])
    np.testing.assert_array_equal(np.vstack(given), CalendarFeatures().fit_transform(TIMES[:8]))


def test_a_day_repeats_itself_in_a_pipeline():
    times = np.datetime64("2024-05-01T00") + np.arange(24 * 20)
    y = np.sin(2 * np.pi * np.arange(len(times)) / 24)
    model = make_pipeline(CalendarFeatures(["time_of_day"]), LinearRegression()).fit(times[:-24], y[:-24])
    np.testing.assert_allclose(model.predict(times[-24:]), y[-24:], atol=1e-9)


def test_errors():
    missing = TIMES.copy()
    missing[7] = "NaT"
    for X in (missing, pd.DataFrame({"ds": missing}), pl.DataFrame({"ds": missing})):
        with pytest.raises(ValueError, match="NaN: there is no time in row 7, column 0"):
            plain(X)
    with pytest.raises(TypeError, match=r"column 'ds' of X has the type .*: parse it into datetimes first"):
        plain(pd.DataFrame({"ds": ["2024-01-01"]}))
    with pytest.raises(ValueError, match=r"'features' parameter of CalendarFeatures must be .*'day_of_week'.*; got 'month'"):
        plain(TIMES, "month")
    with pytest.raises(ValueError, match="'features' parameter"):
        plain(TIMES, ["hour"])
    with pytest.raises(ValueError, match="'encoding' parameter"):
        CalendarFeatures(encoding="onehot").fit(TIMES)
    with pytest.raises(ValueError, match="X has 2 features, but CalendarFeatures is expecting 1"):
        CalendarFeatures().fit(TIMES).transform(np.column_stack([TIMES, TIMES]))


HOURS = np.arange("2024-12-20", "2025-01-10", dtype="M8[h]")
FREE = [datetime.date(2024, 12, 25), datetime.date(2024, 12, 26), datetime.date(2025, 1, 1)]
LISTS = {
    "list": lambda: FREE,
    "tuple": lambda: tuple(FREE),
    "set": lambda: set(FREE),
    "names": lambda: dict.fromkeys(FREE, "a name"),
    "datetimes": lambda: [datetime.datetime(day.year, day.month, day.day, 17) for day in FREE],
    "datetime64": lambda: np.array(FREE, dtype="M8[D]"),
    "objects": lambda: np.array(FREE, dtype=object),
    "pandas index": lambda: pd.DatetimeIndex(FREE),
    "pandas zone": lambda: pd.DatetimeIndex(FREE, tz="Asia/Tokyo"),
    "pandas series": lambda: pd.Series(pd.DatetimeIndex(FREE)),
    "pandas keys": lambda: dict.fromkeys(pd.DatetimeIndex(FREE), "a name"),
    "polars series": lambda: pl.Series(FREE),
    "country": lambda: "DE",
    "calendar": lambda: holidays.country_holidays("DE"),
    "years": lambda: holidays.country_holidays("DE", years=[2024, 2025], expand=False),
}


def holiday(given, X=HOURS):
    return CalendarFeatures(["year"], "plain", holidays=given).fit_transform(X)[:, 1]


@pytest.mark.parametrize("make", LISTS.values(), ids=LISTS)
def test_holidays_are_the_same_in_every_container(make):
    expected = [hour.date() in FREE for hour in HOURS.tolist()]
    np.testing.assert_array_equal(holiday(make()), expected)


def test_a_subdivision_has_holidays_of_its_own():
    days = np.array(["2025-01-01", "2025-01-06", "2025-01-07"], dtype="M8[D]")
    np.testing.assert_array_equal(holiday("DE", days), [1, 0, 0])
    np.testing.assert_array_equal(holiday(("DE", "BY"), days), [1, 1, 0])


def test_no_holidays_are_a_column_of_zeros():
    for none in ([], (), {}, set(), np.array([])):
        assert not holiday(none).any()


def test_a_holiday_begins_at_midnight_of_its_own_time_zone():
    there = pd.date_range("2024-12-24 22:00", periods=30, freq="h", tz="UTC").tz_convert("Asia/Tokyo")
    marked = holiday([datetime.date(2024, 12, 25)], pd.DataFrame({"ds": there}))
    np.testing.assert_array_equal(marked, there.day == 25)
    assert 0 < marked.sum() < 30


def test_holidays_stand_last_among_the_columns_of_a_time():
    frame = pd.DataFrame({"a": HOURS, "b": HOURS[::-1]})
    calendar = CalendarFeatures(["month"], holidays="DE").set_output(transform="pandas")
    given = calendar.fit_transform(frame)
    assert given.columns.tolist() == ["a_month_sin", "a_month_cos", "a_holiday", "b_month_sin", "b_month_cos", "b_holiday"]
    assert calendar.get_feature_names_out().tolist() == given.columns.tolist()
    np.testing.assert_array_equal(given["a_holiday"], given["b_holiday"][::-1])


def test_copies_know_the_same_holidays_and_the_given_calendar_stays_as_it_is():
    mine = holidays.country_holidays("DE", "BY")
    calendar = CalendarFeatures(holidays=mine).fit(HOURS)
    expected = calendar.transform(HOURS)
    assert expected[:, -1].any()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(calendar)).transform(HOURS), expected)
    np.testing.assert_array_equal(clone(calendar).fit_transform(HOURS), expected)
    assert not dict(mine)


def test_years_without_known_holidays_warn():
    with pytest.warns(UserWarning, match=r"holidays of 'DE' are known from \d+ to \d+, but X has times from 1950 to 2024"):
        assert holiday("DE", np.array(["1950-12-25", "2024-12-25"], dtype="M8[D]")).tolist() == [0, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        holiday("DE")


@pytest.mark.parametrize(
    "wrong", [5, True, "XX", ("DE", "XX"), ("DE", None), ["2024-12-25"], [1, 2], [None], {"2024-12-25": 1}, np.array(5)], ids=repr
)
def test_what_holds_no_holidays_is_refused(wrong):
    with pytest.raises(ValueError, match="'holidays' parameter of CalendarFeatures must be"):
        holiday(wrong)


def test_a_country_without_the_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(ImportError, match="needs the package holidays: pip install holidays"):
        holiday("DE")
    assert holiday(FREE).any()
