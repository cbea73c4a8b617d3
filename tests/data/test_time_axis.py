"""Points in time: what they are steps of is found, and the steps to come are those that pandas would give."""

import numpy as np
import pandas as pd
import pytest
from dateutil.tz import gettz, tzlocal

from skrnn.data._stepping import ABOUT
from skrnn.data._time_axis import TimeAxis, axes_of, check_same, has_times, index_instants, instants_of

DAYS = pd.date_range("2024-01-01", periods=40)
N = 40
FREQUENCIES = ["D", "h", "15min", "s", "W-SUN", "W-WED", "MS", "ME", "QS", "QE", "QE-JAN", "YS", "YE-MAR", "3D", "2MS", "B", "2B", "5B"]
FREQUENCIES += ["BMS", "BME", "SMS", "SME", "BQE"]
STARTS = [("2024-01-30", None), ("2024-03-20 07:30", "Europe/Berlin"), ("2024-10-20", "America/New_York"), ("2024-10-20", "Etc/GMT+3")]
STARTS += [("2024-03-20", "UTC+05:30")]


def axis_of(index, name="the index of y"):
    return TimeAxis.of(index_instants(index), name)


@pytest.mark.parametrize("keeps_freq", [True, False])
@pytest.mark.parametrize(("start", "zone"), STARTS)
@pytest.mark.parametrize("freq", FREQUENCIES)
def test_the_time_goes_on_as_in_pandas(freq, start, zone, keeps_freq):
    index = pd.date_range(start, periods=N + 30, freq=freq, tz=zone)
    axis = axis_of(index[:N] if keeps_freq else pd.DatetimeIndex(list(index[:N])))
    assert axis.steps_ahead(30).equals(pd.DatetimeIndex(index[N:]))
    assert axis.steps_ahead(4, skip=3).equals(index[N + 3 : N + 7])
    assert axis.moved_on(7).steps_ahead(3).equals(index[N + 7 : N + 10])
    for skipped in (0, 3, -2):
        assert axis.steps_to(index_instants(index[N + skipped : N + skipped + 4]), "X") == skipped
    with pytest.raises(ValueError, match="X has a gap between"):
        axis.steps_to(index_instants(index[[N, N + 2]]), "X")


@pytest.mark.parametrize("freq", ["D", "h", "M", "Q-MAR", "Y"])
def test_periods_go_on(freq):
    index = pd.period_range("2024", periods=30, freq=freq, name="when")
    pd.testing.assert_index_equal(axis_of(index[:20]).steps_ahead(10), index[20:])


def test_spans_and_numbers_go_on():
    spans = pd.to_timedelta(np.arange(10) * 30, "s")
    assert axis_of(spans[:6]).steps_ahead(4).equals(spans[6:])
    years = pd.Index(np.arange(1990, 2020), name="year")
    pd.testing.assert_index_equal(axis_of(years[:20]).steps_ahead(10), years[20:])


@pytest.mark.parametrize("freq", FREQUENCIES)
def test_a_missing_step_is_found_where_it_is(freq):
    index = pd.date_range("2024-01-01", periods=N, freq=freq).delete(17)
    with pytest.raises(ValueError, match=r"the index of y has a gap between .*, rows 16 and 17: put in the missing steps") as error:
        axis_of(index)
    assert f"between {index[16]} and {index[17]}" in str(error.value)


@pytest.mark.parametrize(
    "index", [DAYS, DAYS.tz_localize("Europe/Berlin"), DAYS.to_period("D"), DAYS - DAYS[0]], ids=lambda index: type(index).__name__
)
def test_what_is_doubled_or_out_of_order_is_refused(index):
    with pytest.raises(ValueError, match=r"the index of y must increase: .* in row 1 comes after a later one"):
        axis_of(index[::-1])
    with pytest.raises(ValueError, match=r"the index of y must increase: .* in row 3 is there twice"):
        axis_of(index[[0, 1, 2, 2, *range(3, 40)]])


def test_a_missing_time_is_refused():
    with pytest.raises(ValueError, match="the index has no time in row 5"):
        axis_of(DAYS.where(np.arange(40) != 5))


def test_numbers_of_rows_that_were_picked_are_no_time():
    for numbers in ([3, 7, 8, 9], [9, 8, 7, 6], [0, 1, 2, 0, 1, 2], [4]):
        assert axis_of(pd.Index(numbers)) is None
    axis = axis_of(pd.RangeIndex(90))
    assert axis.steps_to(index_instants(pd.RangeIndex(5)), "X") == 0  # counted anew
    assert axis.steps_to(index_instants(pd.RangeIndex(93, 96)), "X") == 3
    assert axis.steps_to(index_instants(DAYS), "X") == 0
    assert axis_of(DAYS).steps_to(index_instants(pd.RangeIndex(7, 9)), "X") == 0


def test_steps_that_are_about_alike_go_on_by_the_usual_one():
    jitter = np.random.default_rng(0).integers(0, 3600, 40)
    index = DAYS + pd.to_timedelta(jitter, "s")
    axis = axis_of(index)
    assert axis.stepping.rule == ABOUT
    later = pd.DatetimeIndex([index[-1] + pd.Timedelta(hours=h) for h in (23, 49)])
    assert axis.steps_to(index_instants(later), "X") == 0
    assert axis.follow(index_instants(later), "y").last == later.asi8[-1]


def test_a_frequency_that_only_pandas_knows_is_taken_at_its_word():
    assert axis_of(pd.date_range("2024", periods=30, freq="WOM-3FRI")) is None
    assert axis_of(pd.date_range("2024", periods=30, freq="C")) is not None  # no holidays: business days


def test_other_units_and_zones_of_the_same_times_follow():
    axis = axis_of(pd.date_range("2024-07-01", periods=48, freq="h", tz="Europe/Berlin", unit="s"))
    later = axis.steps_ahead(5)
    assert axis.steps_to(index_instants(later.tz_convert("UTC").as_unit("ns")), "X") == 0
    with pytest.raises(ValueError, match="X holds points in time, that of the series holds points in time with a time zone"):
        axis.steps_to(index_instants(later.tz_localize(None)), "X")
    with pytest.raises(ValueError, match=r"X holds periods \(h\), that of the series holds points in time with a time zone"):
        axis.steps_to(index_instants(later.tz_localize(None).to_period("h")), "X")


def test_zones_are_found_by_their_files_and_what_has_no_name_is_in_utc():
    hours = pd.date_range("2024-10-25", periods=60, freq="h", tz=gettz("Europe/Berlin"))
    pd.testing.assert_index_equal(axis_of(hours[:40]).steps_ahead(20), hours[40:].tz_convert("Europe/Berlin"), check_freq=False)
    local = hours.tz_convert(tzlocal())
    assert axis_of(local[:40]).steps_ahead(20).equals(hours[40:].tz_convert("UTC"))


def test_times_between_the_steps_are_refused():
    axis = axis_of(DAYS)
    with pytest.raises(ValueError, match=r"X holds 2024-02-10 06:00:00, …, which are no steps of the series of fit; the next one is 2024-02-10"):
        axis.steps_to(index_instants(axis.steps_ahead(3) + pd.Timedelta(hours=6)), "X")


def test_a_place_that_is_not_the_next_one_is_refused():
    axis = axis_of(DAYS[:30])
    for rows, what in ((DAYS[28:33], "it begins at 2024-01-29 00:00:00, among the steps that are known"), (DAYS[31:], "1 step too late")):
        with pytest.raises(ValueError, match=f"y must begin at 2024-01-31 00:00:00, behind the end of the series; .*{what}"):
            axis.follow(index_instants(rows), "y")
    assert axis.follow(index_instants(DAYS[30:33]), "y") == axis.moved_on(3)


def test_tables_of_other_times_are_told_apart():
    one, other = (instants_of(pd.Series(0.0, DAYS[k : k + 30])) for k in (0, 1))
    check_same(one, one, ("X", "y"))
    check_same(one, instants_of(pd.Series(0.0, range(30))), ("X", "y"))
    with pytest.raises(ValueError, match="the indexes of X and y differ: row 0 is 2024-01-01 00:00:00 in one and 2024-01-02 00:00:00 in the other"):
        check_same(one, other, ("X", "y"))


def test_what_has_times():
    assert has_times(pd.Series(0.0, DAYS))
    assert has_times(pd.Series([1.0, 2.0], pd.Index([1990, 1991])))
    for data in (pd.Series([1.0, 2.0]), pd.Series([1.0, 2.0], ["a", "b"]), np.zeros(3), [1.0, 2.0]):
        assert not has_times(data)


def axes_of_all(*indexes):
    return axes_of([index_instants(index) for index in indexes], [f"the index of y[{k}]" for k in range(len(indexes))])


def test_series_too_short_to_tell_have_the_step_of_the_others():
    days = pd.DatetimeIndex(list(pd.bdate_range("2024-01-01", periods=30)))
    long, week, one, none = axes_of_all(days, days[:5], days[9:10], days[:0])
    assert none is None
    for axis, last in ((long, 29), (week, 4), (one, 9)):
        assert axis.steps_ahead(3).equals(pd.bdate_range(days[last], periods=4)[1:])
        assert axis.number() - long.number() == last - 29
    assert axis_of(days[:5]).steps_ahead(1)[0] == pd.Timestamp("2024-01-06"), "by itself it is one of days"


def test_series_of_several_steps_have_each_its_own():
    indexes = DAYS, pd.date_range("2024-01-01", periods=9, freq="h"), pd.date_range("2024-01-01", periods=9, freq="MS", tz="UTC")
    for axis, index in zip(axes_of_all(*indexes, DAYS + pd.Timedelta(hours=1)), indexes, strict=False):
        assert axis == axis_of(index)
    with pytest.raises(ValueError, match=r"the index of y\[1\] has a gap"):
        axes_of_all(DAYS, DAYS.delete(7))
