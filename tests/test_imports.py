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


@pytest.mark.parametrize(("name", "room"), [("RNNClassifier", "sequences"), ("RNNTagger", "steps"), ("Seq2SeqTranslator", "writing")])
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
