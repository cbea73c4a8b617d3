"""``import skrnn`` is cheap: each part is loaded when it is first used."""

import json
import subprocess
import sys
from importlib import import_module

import pytest

import skrnn

PROBE = """
import json, resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
before = cpu()
import skrnn
print(json.dumps([cpu() - before, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def probe():
    return json.loads(subprocess.run([sys.executable, "-c", PROBE], check=True, capture_output=True, timeout=30).stdout)


@pytest.fixture(scope="module")
def probes():
    return [probe() for _ in range(3)]


def test_the_import_loads_nothing_heavy(probes):
    assert not {"numpy", "torch", "sklearn", "scipy", "numba", "joblib", "pandas", "matplotlib"} & set(probes[0][1])


def test_the_import_takes_less_than_a_tenth_of_a_second(probes):
    assert min(seconds for seconds, _ in probes) < 0.1


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
