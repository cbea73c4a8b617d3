"""The recipes of the guide for other tools, run as they stand on the page: with the tool where it is installed, and with a stand-in that takes notes.

What is not installed is skipped by name, so that a report of the tests says what was not run.
"""

import re
import sys
from contextlib import nullcontext
from doctest import DocTestParser
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import numpy as np
import pytest

from skrnn import RNNClassifier

TUNING = (Path(__file__).parents[1] / "docs" / "tuning.rst").read_text(encoding="utf-8")
BLOCKS = [dedent(block) for block in re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", TUNING, re.MULTILINE)]
RECIPES = {re.search(r"optuna|mlflow|tensorboard", block)[0]: block for block in BLOCKS}


@pytest.fixture
def page(tmp_path, monkeypatch):
    """What the page has defined before: data, and the callback."""
    monkeypatch.chdir(tmp_path)
    (callback,) = [example.source for example in DocTestParser().get_examples(TUNING) if example.source.startswith("class EachEpoch")]
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(5, 15, size=90)]
    names = {"RNNClassifier": RNNClassifier, "np": np, "X": X, "y": np.array([x[:, 0].sum() > 0 for x in X])}
    exec(callback, names)
    return names


def test_every_recipe_is_run_here():
    assert set(RECIPES) == {"optuna", "mlflow", "tensorboard"}
    assert len(BLOCKS) == 3


def test_optuna_ends_fits_that_are_worse_than_others(page):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    exec(RECIPES["optuna"], page)
    trials = page["study"].trials
    pruned = [trial for trial in trials if trial.state == optuna.trial.TrialState.PRUNED]
    complete = [trial for trial in trials if trial.state == optuna.trial.TrialState.COMPLETE]
    assert len(pruned) + len(complete) == 10
    assert pruned
    assert all(len(trial.intermediate_values) == 20 for trial in complete)
    assert all(len(trial.intermediate_values) < 20 for trial in pruned)
    assert all(trial.intermediate_values[19] == trial.value for trial in complete)


def test_mlflow_keeps_the_curves(page, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/runs.db")
    exec(RECIPES["mlflow"], page)
    run = mlflow.last_active_run()
    curve = [metric.value for metric in mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")]
    np.testing.assert_allclose(curve, page["model"].loss_curve_)
    assert run.data.params["hidden_size"] == "8"


def test_tensorboard_reads_the_curves(page, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    exec(RECIPES["tensorboard"], page)
    read = EventAccumulator(str(tmp_path / "runs" / "gru")).Reload()
    np.testing.assert_allclose([event.value for event in read.Scalars("loss")], page["model"].loss_curve_, rtol=1e-6)
    assert [event.step for event in read.Scalars("accuracy")] == [0, 1, 2, 3, 4]
    assert read.Scalars("accuracy")[-1].value == pytest.approx(page["model"].score(page["X"][60:], page["y"][60:]))
    assert len(read.Tags()["histograms"]) == sum(1 for _ in page["model"].network_.parameters())


# -- with a stand-in, which is always there ----------------------------------------------------------------------------------------------------------


def test_what_mlflow_is_told(page, monkeypatch):
    told = []
    mlflow = ModuleType("mlflow")
    mlflow.log_metrics = lambda metrics, step: told.append((step, metrics))
    mlflow.log_params = lambda params: told.append(("params", params))
    mlflow.start_run = nullcontext
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    exec(RECIPES["mlflow"], page)
    (_, begin), *epochs = [entry for entry in told if isinstance(entry, tuple)]
    assert begin["hidden_size"] == 8
    assert [step for step, _ in epochs] == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal([metrics["loss"] for _, metrics in epochs], page["model"].loss_curve_)
    assert epochs[-1][1]["accuracy"] == page["model"].score(page["X"][60:], page["y"][60:])


def test_what_the_writer_of_tensorboard_is_told(page, monkeypatch):
    told = []

    class SummaryWriter:
        def __init__(self, folder):
            assert folder == "runs/gru"

        def __enter__(self):
            return self

        def __exit__(self, *_):
            told.append("closed")

        def add_scalar(self, name, value, step):
            told.append((name, step, value))

        def add_histogram(self, name, weight, step):
            told.append((name, step, weight.detach().numpy().copy()))

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(RECIPES["tensorboard"], page)
    assert told[-1] == "closed"
    assert [value for name, _, value in told[:-1] if name == "loss"] == page["model"].loss_curve_
    weights = dict(page["model"].network_.named_parameters())
    last = {name: value for name, step, value in told[:-1] if step == 4 and name in weights}
    assert set(last) == set(weights)
    assert all((last[name] == weight.detach().numpy()).all() for name, weight in weights.items())
