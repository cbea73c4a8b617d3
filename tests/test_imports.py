"""``import skrnn`` is cheap: each part is loaded when it is first used."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import skrnn
from skrnn import estimators

PROBE = """
import json, resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
before = cpu()
import skrnn
print(json.dumps([cpu() - before, sorted({name.split(".")[0] for name in sys.modules})]))
"""


ONE_ESTIMATOR = """
import sys, torch, sklearn.base
before = set(sys.modules)
from skrnn import {name}
import json
print(json.dumps(sorted(set(sys.modules) - before)))
"""
ROOMS = {path.parent.name for path in Path(skrnn.__file__).parent.glob("estimators/*/__init__.py")} - {"face"}


def probe(program=PROBE):
    return json.loads(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60).stdout)


@pytest.fixture(scope="module")
def probes():
    return [probe() for _ in range(3)]


def test_the_import_loads_nothing_heavy(probes):
    assert not {"numpy", "torch", "sklearn", "scipy", "numba", "joblib", "pandas", "matplotlib"} & set(probes[0][1])


def test_the_import_takes_less_than_a_tenth_of_a_second(probes):
    assert min(seconds for seconds, _ in probes) < 0.1


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("RNNClassifier", "sequences"),
        ("RNNLanguageModel", "writing"),
        pytest.param("RNNTagger", "steps", marks=pytest.mark.slow),
        pytest.param("Seq2SeqTranslator", "writing", marks=pytest.mark.slow),
    ],
)
def test_an_estimator_loads_its_own_room_and_nothing_that_waits_for_fit(name, room):
    loaded = probe(ONE_ESTIMATOR.format(name=name))
    assert {other for other in ROOMS if f"skrnn.estimators.{other}" in loaded} == {room}
    late = {"torch._dynamo", "torch.optim", "sympy", "pandas", "matplotlib", "numba", "scipy.stats", "scipy.optimize", "sklearn.model_selection"}
    late |= {"sklearn.metrics", "sklearn.linear_model", "sklearn.covariance", "skrnn.preprocessing", "skrnn.datasets", "skrnn.inspection"}
    assert not late & set(loaded)


def test_the_list_of_estimators_says_where_each_is():
    assert sorted(estimators._HOMES) == sorted(estimators.__all__)
    assert set(estimators.__all__) <= set(dir(estimators))
    with pytest.raises(AttributeError, match="has no attribute 'LSTMClassifier'"):
        estimators.LSTMClassifier  # noqa: B018


# One process goes through the stages, in this order, and says after each what has come in.
STAGES = {
    "preprocessing": "import skrnn.preprocessing, skrnn.data",
    "torch": "import torch; from skrnn.cells import LSTM, Zoneout; from skrnn.engine import explain, pack, scan",
    "trace": "assert explain(LSTM().build(3, 4)) is None",
    "scan": "scan(Zoneout(LSTM()).build(1, 2).train(), pack(skrnn.as_sequences(np.zeros((2, 40, 1), np.float32))))",
    "default": "X = np.zeros((4, 3, 1)); skrnn.RNNClassifier(max_epochs=1).fit(X, [0, 1, 0, 1]).predict(X)",
    "optimizers": """
for name in ("adamw", "sgd", "rmsprop"):
    skrnn.RNNClassifier(hidden_size=4, max_epochs=1, optimizer=name).fit(X, [0, 1, 0, 1]).predict(X)""",
    "reservoir": "skrnn.EchoStateRegressor(5, spectral_radius=0.9, leak_rate=1.0, input_scaling=0.3).fit(np.eye(30), np.arange(30.0))",
}
WALK = """
import json, sys
import numpy as np, skrnn
come = {}
for stage, code in json.loads(sys.argv[1]).items():
    before = set(sys.modules)
    exec(code)
    come[stage] = sorted(set(sys.modules) - before)
print(json.dumps(come))
"""


@pytest.fixture(scope="module")
def come():
    run = subprocess.run([sys.executable, "-c", WALK, json.dumps(STAGES)], check=True, capture_output=True, timeout=120)
    return {stage: set(names) for stage, names in json.loads(run.stdout).items()}


@pytest.mark.parametrize(
    ("heavy", "stages"),
    [
        ("torch", ["preprocessing"]),
        ("sympy", ["trace"]),
        ("torch._dynamo", list(STAGES)),  # 2 seconds of CPU and 74 MB in every process; without a GPU nothing is compiled by it
        ("dask", list(STAGES)),
    ],
)
def test_what_is_heavy_is_loaded_by_those_who_use_it(come, heavy, stages):
    assert "torch" in come["torch"]
    assert [stage for stage in stages if heavy in come[stage]] == []


@pytest.mark.parametrize("name", skrnn.__all__)
def test_every_public_name_is_there(name):
    assert getattr(skrnn, name).__name__.rpartition(".")[2] == name


@pytest.mark.parametrize("package", sorted(skrnn._MODULES))
def test_every_name_of_a_package_is_there(package):
    module = import_module(f"skrnn.{package}")
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    assert set(module.__all__) <= set(dir(module))


def test_dir_knows_what_is_not_yet_loaded():
    assert set(skrnn.__all__) <= set(dir(skrnn))
    assert "__version__" in dir(skrnn)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="module 'skrnn' has no attribute 'LSTMClassifier'"):
        skrnn.LSTMClassifier  # noqa: B018
