"""Series of a long frame and their forecasts in a picture."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skrnn import RNNForecaster
from skrnn.adapters import NixtlaForecaster
from tests.adapters.long_frames import LENGTHS, every_frame, long

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

SMALL = {"horizon": 4, "n_lags": 5, "hidden_size": 4, "max_epochs": 2, "season": None, "random_state": 0}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def lines(ax):
    """What is drawn under each label, the pieces of a line together."""
    found = {}
    label = None
    for line in ax.lines:
        label = label if line.get_label().startswith("_") else line.get_label()
        found.setdefault(label, []).append(line)
    return {name: [np.concatenate([line.get_data()[k] for line in parts]) for k in range(2)] for name, parts in found.items()}


@every_frame
def test_known_series_and_their_forecasts_are_drawn(convert):
    model = NixtlaForecaster({"gru": RNNForecaster(**SMALL), "lstm": RNNForecaster("lstm", **SMALL)}).fit(convert(long()))
    axes = model.plot(level=[80, 95])
    assert [ax.get_title() for ax in axes] == ["b", "a", "c"]
    ahead = model.predict(level=[80, 95])
    for k, (ax, name) in enumerate(zip(axes, LENGTHS, strict=True)):
        drawn, rows = lines(ax), slice(4 * k, 4 * k + 4)
        past = long()[lambda df, name=name: df.unique_id == name].iloc[-16:]
        np.testing.assert_array_equal(drawn["y"][0], past.ds)
        np.testing.assert_array_equal(drawn["y"][1], past.y)
        for model_name in ("gru", "lstm"):
            np.testing.assert_array_equal(drawn[model_name][0], ahead["ds"].to_numpy()[rows])
            np.testing.assert_array_equal(drawn[model_name][1], ahead[model_name].to_numpy()[rows])
        wide = ax.collections[0].get_paths()[0].vertices[:, 1]
        assert wide.min() == ahead["gru-lo-95"].to_numpy()[rows].min()
        assert wide.max() == ahead["gru-hi-95"].to_numpy()[rows].max()
        assert len(ax.collections) == 4
    labels = [text.get_text() for text in axes[0].figure.legends[0].get_texts()]
    assert labels == ["y", "gru", "gru 95%", "gru 80%", "lstm", "lstm 95%", "lstm 80%"]
    axes[0].figure.canvas.draw()


@every_frame
def test_windows_of_the_past_are_drawn_piece_by_piece(convert):
    df = convert(long())
    windows = NixtlaForecaster(RNNForecaster(**SMALL)).cross_validation(df, n_windows=2, step_size=2, level=[80])
    (ax,) = NixtlaForecaster().plot(df, windows, ids=["c"], n_history=3)
    past, first, second = ax.lines
    rows = long()[lambda df: df.unique_id == "c"].iloc[-9:]
    np.testing.assert_array_equal(past.get_xdata(), rows.ds)
    np.testing.assert_array_equal(past.get_ydata(), rows.y)
    np.testing.assert_array_equal(first.get_xdata(), rows.ds[3:7])
    np.testing.assert_array_equal(second.get_xdata(), rows.ds[5:])
    assert first.get_color() == second.get_color()
    np.testing.assert_array_equal(np.append(first.get_ydata(), second.get_ydata()), windows["RNNForecaster"].to_numpy()[16:])


def test_a_frame_alone_is_drawn_without_a_fit():
    axes = NixtlaForecaster().plot(long(), max_ids=2)
    assert [ax.get_title() for ax in axes] == ["b", "a"]
    assert [len(ax.lines[0].get_xdata()) for ax in axes] == [30, 24]
    assert len(NixtlaForecaster().plot(long(), ids=["a"], n_history=5)[0].lines[0].get_xdata()) == 5
    with pytest.raises(NotFittedError):
        NixtlaForecaster().plot()


@every_frame
def test_what_came_is_drawn_beside_the_forecasts(convert):
    df = long()
    model = NixtlaForecaster(RNNForecaster(**SMALL)).fit(df[df.ds < "2024-01-20"])
    given = plt.figure().subplots(1, 3)
    axes = model.plot(convert(df), convert(model.predict()), ax=given)
    assert list(axes) == list(given)
    assert axes[0].lines[0].get_xdata()[-1] == df.ds.max().to_numpy()
    assert axes[0].get_legend() is not None


def test_series_are_drawn_as_far_as_they_are_known():
    model = NixtlaForecaster(RNNForecaster(**SMALL)).fit(long())
    model.update(pd.DataFrame({"unique_id": ["a"], "ds": [pd.Timestamp("2024-01-25")], "y": [7.0]}))
    (ax,) = model.plot(ids=["a"])
    assert ax.lines[0].get_ydata()[-1] == 7
    assert ax.lines[1].get_xdata()[0] == np.datetime64("2024-01-26")


def test_times_of_clocks_and_numbers_are_on_the_axis():
    zone = long("h", "2024-10-26").assign(ds=lambda df: df.ds.dt.tz_localize("Europe/Berlin", ambiguous=True))
    (ax,) = NixtlaForecaster().plot(zone, ids=["b"])
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), zone.ds[:30].dt.tz_localize(None))
    (ax,) = NixtlaForecaster(RNNForecaster(**SMALL)).fit(long().assign(ds=lambda df: df.groupby("unique_id").cumcount())).plot(ids=["a"])
    assert ax.lines[1].get_xdata().tolist() == [24, 25, 26, 27]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"ids": ["z"]}, r"ids must hold series that df and forecasts have; got \['z'\]"),
        ({"ids": []}, "there is no series to draw"),
        ({"max_ids": 0}, "there is no series to draw"),
        ({"level": [50]}, r"level=\[50\] asks for intervals of 'RNNForecaster' that forecasts has not"),
        ({"forecasts": long()}, "forecasts has no column of forecasts"),
        ({"forecasts": long().drop(columns="ds")}, "forecasts has no column 'ds'"),
        ({"ax": []}, "ax must hold one axes for each of the 3 series; got 0"),
    ],
)
def test_what_cannot_be_drawn_is_named(asked, message):
    model = NixtlaForecaster(RNNForecaster(**SMALL)).fit(long())
    with pytest.raises(ValueError, match=message):
        model.plot(**{"df": long(), "forecasts": model.predict(level=[80])} | asked)
