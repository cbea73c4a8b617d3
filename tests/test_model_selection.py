"""PanelSplit: all series of a panel are split at one time."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import TimeSeriesSplit

from skrnn.model_selection import PanelSplit

MONTHS = pd.date_range("2020-01-01", periods=24, freq="MS")
PANEL = pd.concat(
    {"a": pd.Series(np.arange(24.0), MONTHS), "b": pd.Series(np.arange(12.0), MONTHS[8:20]), "c": pd.Series(np.arange(6.0), MONTHS[18:])}
)
WAYS = {
    "plain": PanelSplit(3, test_size=4),
    "gap": PanelSplit(2, test_size=3, gap=2),
    "window": PanelSplit(3, test_size=4, max_train_size=6),
    "default": PanelSplit(2),
}
every_way = pytest.mark.parametrize("cv", WAYS.values(), ids=WAYS)


@every_way
def test_nothing_is_learned_that_is_later_than_what_is_tested(cv):
    for train, test in cv.split(PANEL):
        learned, tested = (PANEL.index[rows].get_level_values(1) for rows in (train, test))
        assert learned.max() < tested.min()
        months = (tested.min().to_period("M") - learned.max().to_period("M")).n
        assert months == cv.gap + 1


@every_way
def test_only_series_that_are_learned_are_tested(cv):
    for train, test in cv.split(PANEL):
        assert set(PANEL.index[test].get_level_values(0)) <= set(PANEL.index[train].get_level_values(0))


@every_way
def test_the_order_of_the_rows_does_not_matter(cv):
    by_time = PANEL.sort_index(level=1, kind="stable")
    for here, there in zip(cv.split(PANEL), cv.split(by_time), strict=True):
        for rows, others in zip(here, there, strict=True):
            assert set(PANEL.index[rows]) == set(by_time.index[others])


@every_way
def test_a_panel_of_one_is_split_as_a_series(cv):
    series = PANEL.loc[["a"]]
    single = TimeSeriesSplit(cv.n_splits, test_size=cv.test_size, gap=cv.gap, max_train_size=cv.max_train_size)
    for ours, theirs in zip(cv.split(series), single.split(np.zeros(24)), strict=True):
        for rows, expected in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(rows, expected)


def test_a_series_too_short_to_learn_is_left_out():
    learned = [set(PANEL.index[train].get_level_values(0)) for train, _ in PanelSplit(2, test_size=4, min_train_size=3).split(PANEL)]
    assert learned == [{"a", "b"}, {"a", "b"}]
    assert "c" in PANEL.index[list(PanelSplit(2, test_size=4, min_train_size=2).split(PANEL))[-1][0]].get_level_values(0)


def test_the_index_may_be_that_of_y_alone():
    ours = list(PanelSplit(2, test_size=2).split(np.zeros((len(PANEL), 1)), PANEL))
    assert all(np.array_equal(a, b) for a, b in zip(ours[0], next(PanelSplit(2, test_size=2).split(PANEL)), strict=True))


@pytest.mark.parametrize(
    "X", [np.zeros((9, 1)), [np.zeros((5, 1))] * 2, pd.DataFrame({"x": np.zeros(5)}), None], ids=["array", "list", "frame", "None"]
)
def test_what_has_no_names_and_times_is_refused(X):
    with pytest.raises(ValueError, match=r"needs a long frame, with an \(instance, time\) index"):
        next(PanelSplit().split(X))


def test_a_split_that_no_series_is_in_is_refused():
    later = pd.concat({"a": pd.Series(np.zeros(4), range(4)), "b": pd.Series(np.zeros(8), range(4, 12))})
    with pytest.raises(ValueError, match="no series has min_train_size=1 steps before 4 "):
        next(PanelSplit(2, test_size=4).split(later))


def test_it_says_what_it_is():
    said = " ".join(repr(PanelSplit(2, gap=1)).split())
    assert said == "PanelSplit(gap=1, max_train_size=None, min_train_size=1, n_splits=2, test_size=None)"
    assert PanelSplit(2).get_n_splits() == 2
