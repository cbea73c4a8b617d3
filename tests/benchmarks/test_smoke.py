"""The benchmarks run and print their tables; what they measure is looked at by people."""

import sys

import pytest
import torch

from benchmarks import anomalies, cells, cold, drivers, fit, forecast, growth, hopfield, memory, reservoir, ridge, search, text
from skrnn.engine import explain


def test_cells_prints_ratios_and_verdicts(capsys):
    cells.main(["--quick", "--cells", "LSTM default", "GRU default", "Highway", "Remembering"])
    out = capsys.readouterr().out
    assert "| GRU default" in out
    assert "| Remembering of a user" in out
    assert all(heading in out for heading in ("| / nn.LSTM |", "| / eager |", "| predict / nn.LSTM |", "| claim ", "| holds |"))


@pytest.mark.parametrize("kind", [cells.Highway, cells.Remembering])
def test_cells_of_users_are_compiled(kind):
    assert explain(kind().build(8, 16)) is None


@pytest.mark.slow
def test_cold_prints_seconds_and_verdicts(capsys):
    cold.main(["--quick"])
    out = capsys.readouterr().out
    assert all(heading in out for heading in ("| (default) ", "| first fit beyond the second |", "| claim ", "| holds |"))


@pytest.mark.slow
def test_cells_prints_columns_of_a_gpu_where_there_is_one(capsys):
    """Where there is none, any device stands for it."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with_kernel = "LSTM default" if device == "cuda" else "Clockwork default"
    cells.main(["--quick", "--cells", with_kernel, "Hyper default", "--gpu", device])
    before, _, after = capsys.readouterr().out.partition("The same on ")
    assert "GPU" not in before
    assert all(
        heading in after
        for heading in ("| ours ", "| GPU / nn.LSTM |", "| GPU / eager |", "| GPU ours ms", "| GPU eager ms", "| kernel ", "| eager ")
    )


def test_growth_prints_ratios_and_a_verdict(capsys):
    growth.main(["--quick", "--cells", "GRU default"])
    out = capsys.readouterr().out
    assert all(heading in out for heading in ("| T = 20 |", "| claim ", "| holds |"))


def test_text_prints_ratios_and_verdicts(capsys):
    text.main(["--quick"])
    out = capsys.readouterr().out
    assert all(f"| {row} " in out for row in ("learn, lstm", "learn, gru", "write, lstm", "write, gru"))
    assert all(heading in out for heading in ("| CPU / other |", "| claim ", "| holds |"))


@pytest.mark.slow
def test_search_prints_ratio(capsys):
    search.main(["--quick"])
    out = capsys.readouterr().out
    assert "| ratio 2 / 1 | same scores |" in out


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_prints_growth(capsys):
    memory.main(["--quick", "--cases", "many"])
    out = capsys.readouterr().out
    assert "| data MB | growth MB |" in out


@pytest.mark.slow
def test_fit_prints_comparison(capsys):
    pytest.importorskip("skorch")
    fit.main(["--quick", "--data", "digits", "--cells", "lstm"])
    out = capsys.readouterr().out
    assert "| fit / skorch |" in out


def test_ridge_prints_ratios_and_verdicts(capsys):
    ridge.main(["--quick"])
    out = capsys.readouterr().out
    assert "| RidgeReadout, block_cv" in out
    assert all(heading in out for heading in ("| CPU / RidgeCV |", "| claim ", "| holds |"))


def test_hopfield_prints_ratios_and_verdicts(capsys):
    hopfield.main(["--quick"])
    out = capsys.readouterr().out
    assert all(f"| {row}" in out for row in ("async, 10% flipped", "sync, 50% flipped"))
    assert all(heading in out for heading in ("| CPU / numpy |", "| claim ", "| holds |"))


def test_reservoir_prints_ratios_and_verdicts(capsys):
    reservoir.main(["--quick"])
    out = capsys.readouterr().out
    assert all(what in out for what in ("| states ", "| panel predict ", "| 25 penalties "))
    assert all(heading in out for heading in ("| sklearn / skrnn CPU |", "| claim ", "| holds |"))


def test_forecast_prints_errors_and_verdicts(capsys):
    forecast.main(["--quick"])
    out = capsys.readouterr().out
    assert all(heading in out for heading in ("| skrnn, seq2seq ", "| skrnn, recursive ", "| MASE / seasonal naive |", "| claim ", "| holds |"))


@pytest.mark.slow
def test_anomalies_prints_rows(capsys):
    anomalies.main(["--quick"])
    assert "| false alarms |" in capsys.readouterr().out


@pytest.mark.slow
def test_drivers_prints_rows(capsys):
    drivers.main(["--quick"])
    out = capsys.readouterr().out
    assert all(heading in out for heading in ("| persistence ", "| ridge ", "| DualStageAttentionRegressor |"))
