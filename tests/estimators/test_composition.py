"""How estimators are put together: words of one skeleton, groups that only add, state that is declared."""

import ast
import copy
import inspect
import io
import json
import os
import pickle
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context, clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.utils.validation import check_is_fitted

import skrnn
from skrnn import estimators
from skrnn.estimators.face._declared import parameters
from skrnn.estimators.face._readers import Rows
from skrnn.estimators.face._settings import Decayed, Recurrence, Stacked, Standardized
from skrnn.estimators.face._state import NumberState, fitted_names
from skrnn.estimators.face._targets import Numbers
from skrnn.estimators.face._trained import Trained
from skrnn.estimators.forecasting import SeriesForecaster
from skrnn.frontends import Conv1d
from skrnn.networks import Recurrent, SequenceNetwork
from tests.estimators.samples import CLASSES, SAMPLES, fit_sample

ROOT = Path(estimators.__file__).parent
every_estimator = pytest.mark.parametrize("name", CLASSES)
every_trained = pytest.mark.parametrize("name", [name for name in CLASSES if issubclass(getattr(estimators, name), Trained)])


def ours(cls):
    return [part for part in cls.__mro__ if part.__module__.startswith("skrnn.")]


def behaves(part):
    """Whether a class has methods of its own, not counting what is made from its parameters."""
    return any(inspect.isfunction(value) or isinstance(value, property | classmethod) for name, value in vars(part).items() if name != "__init__")


# -- groups only add -----------------------------------------------------------------------------------------------------------------------------


@every_estimator
def test_at_most_two_classes_of_ours_behave(name):
    """Beside the face of forecasters, which says how series are read and answered, and stands on whatever learns."""
    assert len([part for part in ours(getattr(estimators, name)) if behaves(part) and part is not SeriesForecaster]) <= 2


@every_estimator
def test_only_the_first_parameter_is_positional(name):
    first, *others = inspect.signature(getattr(estimators, name)).parameters.values()
    assert first.kind is first.POSITIONAL_OR_KEYWORD
    assert {p.kind for p in others} <= {inspect.Parameter.KEYWORD_ONLY}


@every_estimator
def test_no_parameter_is_taken_away_again(name):
    cls = getattr(estimators, name)
    groups = [part for part in ours(cls) if "__dataclass_fields__" in vars(part)]
    declared = {key for part in groups for key, kind in inspect.get_annotations(part).items() if "ClassVar" not in str(kind)}
    assert declared <= set(inspect.signature(cls).parameters)


@every_estimator
def test_help_shows_each_parameter_once_and_in_the_order_of_the_signature(name):
    cls = getattr(estimators, name)
    text = re.search(r"Parameters\n-+\n(.*?)\n\n\w+\n-+\n", inspect.cleandoc(cls.__doc__), re.DOTALL)[1]
    assert re.findall(r"^(\w+) : ", text, re.MULTILINE) == list(inspect.signature(cls).parameters)


@every_estimator
def test_help_tells_the_defaults_of_the_class(name):
    cls = getattr(estimators, name)
    for key, p in inspect.signature(cls).parameters.items():
        shown = f'"{p.default}"' if isinstance(p.default, str) else str(p.default)
        assert re.search(rf"^{key} : .*default={re.escape(shown)}$", inspect.cleandoc(cls.__doc__), re.MULTILINE)


# -- pickles -------------------------------------------------------------------------------------------------------------------------------------


class NumpyOnly(pickle.Unpickler):
    def find_class(self, module, name):
        assert not module.startswith("torch"), f"the pickle holds {module}.{name}"
        return super().find_class(module, name)


def assert_holds_no_torch(model):
    assert type(NumpyOnly(io.BytesIO(pickle.dumps(model))).load()) is type(model)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_pickle_holds_no_torch(name):
    assert_holds_no_torch(fit_sample(name))


@pytest.mark.parametrize(
    "model",
    [
        estimators.RNNClassifier(pooling="recurrent_convolution", max_epochs=1, hidden_size=4),
        estimators.RNNClassifier(pooling="attention", n_layers=2, frontend=Conv1d(4, 2), max_epochs=1, hidden_size=4),
        estimators.Seq2SeqRegressor(attention="bahdanau", coverage=True, max_epochs=1, hidden_size=4),
        estimators.Seq2SeqRegressor("lstm", n_layers=2, context="both", max_epochs=1, hidden_size=4),
    ],
    ids=repr,
)
def test_no_setting_brings_torch_into_a_pickle(model):
    X = np.random.default_rng(0).normal(size=(12, 5, 2))
    assert_holds_no_torch(model.fit(X, X[:, :3, 0] if isinstance(model, estimators.Seq2SeqRegressor) else X[:, 0, 0] > 0))


# -- rooms ---------------------------------------------------------------------------------------------------------------------------------------

TREES = {path.relative_to(ROOT): ast.parse(path.read_text()) for path in ROOT.rglob("*.py")}


def private(name):
    return name.startswith("_") and not name.endswith("__")


def private_names_of(room):
    """What is defined in a room under a private name: functions, attributes, annotations."""
    for path, tree in TREES.items():
        if path.parts[0] == room:
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    yield node.name
                elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    yield node.target.id
                elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    yield node.attr


DEFINED = {room: {n for n in private_names_of(room) if private(n)} for room in {path.parts[0] for path in TREES if len(path.parts) > 1}}


@pytest.mark.parametrize("path", [path for path in TREES if len(path.parts) > 1], ids=str)
def test_no_room_reaches_into_the_private_things_of_another(path):
    elsewhere = set().union(*(names for room, names in DEFINED.items() if room != path.parts[0])) - DEFINED[path.parts[0]]
    reached = {
        ast.unparse(node)
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Attribute)
        and private(node.attr)
        and node.attr in elsewhere
        and ast.unparse(node.value) not in ("self", "cls", "super()")
    }
    assert not reached


# -- what a fit leaves ---------------------------------------------------------------------------------------------------------------------------


@every_estimator
@pytest.mark.parametrize("sample", range(2))
def test_all_that_a_fit_leaves_is_declared(name, sample):
    estimator = fit_sample(name, sample)
    left = set(vars(estimator)) - set(estimator.get_params(deep=False))
    assert left == set(fitted_names(estimator)), "declared in _leaves are other attributes than fit leaves"
    for entry in estimator._fitted:
        for attribute in entry.attributes:
            if not entry.derived and attribute in left:
                assert_is(getattr(estimator, attribute), entry)


def assert_is(value, entry):
    """A value is of the kind and has the axes that are declared."""
    numbers = {"int": (int, np.integer), "float": (float, np.floating), "bool": (bool, np.bool_)}
    kinds = numbers | {"str": str, "dict": dict, "torch.nn.Module": torch.nn.Module}
    allowed = re.split(r",? or |, ", entry.kind)
    plain = [kinds[kind] for kind in allowed if kind in kinds]
    if value is None:
        assert "None" in allowed, entry
    elif isinstance(value, np.ndarray):
        assert any("ndarray" in kind for kind in allowed), entry
        least = sum(not axis.startswith("[") for axis in entry.shape)  # an axis in brackets may be missing
        assert not entry.shape or least <= value.ndim <= len(entry.shape), (entry, value.shape)
    elif isinstance(value, list):
        assert any(kind.startswith("list") for kind in allowed), entry
    elif plain and not [kind for kind in allowed if kind not in kinds and kind not in ("None", "ndarray")]:
        assert any(isinstance(value, kind) for kind in plain), (entry, type(value))
    else:
        assert entry.kind


@every_estimator
def test_a_pickle_holds_what_is_declared_to_be_kept(name):
    estimator = fit_sample(name)
    back = pickle.loads(pickle.dumps(estimator))
    kept = {attribute for entry in estimator._fitted if entry.kept for attribute in entry.attributes}
    assert set(fitted_names(back)) == set(fitted_names(estimator)) & kept


# -- scikit-learn's callbacks --------------------------------------------------------------------------------------------------------------------


def anything(estimator, X, y=None):
    """A score, for estimators that have none: it only asks that the copy can be used at all."""
    check_is_fitted(estimator)
    return float(len(pickle.dumps(estimator)) > 0)


@every_trained
@pytest.mark.parametrize("callback", [ProgressBar, ScoringMonitor])
def test_the_callbacks_of_scikit_learn_work(name, callback, capsys):
    cls = getattr(estimators, name)
    own = cls.score if "score" in dir(cls) else anything
    given = callback() if callback is ProgressBar else callback(scoring={"score": own})  # None is an error of scikit-learn 1.9.1
    estimator = fit_sample(name, callbacks=[given])
    if callback is ScoringMonitor:
        (log,) = given.get_logs(select="all")
        n_starts = estimator.get_params().get("n_init", 1)
        assert len(log.data) == n_starts * estimator.n_iter_ + 1  # after each epoch, and at the end
    plain = fit_sample(name)
    for attribute in ("loss_curve_", "n_iter_"):
        assert getattr(estimator, attribute) == getattr(plain, attribute)  # who looks on changes nothing


# -- a new estimator is a sentence ---------------------------------------------------------------------------------------------------------------


@parameters
class Mean(RegressorMixin, Decayed, Trained, Standardized, Stacked, Recurrence, NumberState):
    """Numbers for sequences from the mean of the states: an estimator that nobody needs, in one place.

    Parameters
    ----------
    reverse : bool, default=False
        Read sequences from their end.
    """

    reverse: bool = False

    _parameter_constraints = {"reverse": ["boolean"]}

    def _reader(self):
        return Rows(self.dtype, self.standardize)

    def _target(self):
        return Numbers(self, self.dtype)

    def _assemble(self, bias, generator):
        stack = Recurrent(skrnn.cells.resolve(self.cell), len(self.mean_), self.hidden_size, n_layers=self.n_layers, generator=generator)
        return SequenceNetwork(stack, "mean", bias)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        return self._fit(X, y, sample_weight)

    def predict(self, X):
        return self._predictor().answers(X)


def test_a_new_estimator_names_its_words_and_has_everything():
    X, y = SAMPLES["RNNRegressor"][0]
    model = Mean("elman", hidden_size=4, max_epochs=2, reverse=True, random_state=0).fit(X, y)
    assert clone(model).get_params()["reverse"] is True
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert model.set_params(cell__activation="relu").get_params()["cell__activation"] == "relu"
    assert "reverse : bool, default=False" in Mean.__doc__
    assert "target_mean_, target_scale_ : ndarray" in Mean.__doc__
    monitor = ScoringMonitor(scoring="r2")
    Mean(max_epochs=2).set_callbacks(monitor).fit(X, y)
    assert len(monitor.get_logs(select="all")[0].data) == 3
    with pytest.raises(ValueError, match="'max_epochs' parameter of Mean"):
        Mean(max_epochs=0).fit(X, y)
    with pytest.raises(TypeError, match="positional"):
        Mean("elman", 4)


# -- tools understand constructors ---------------------------------------------------------------------------------------------------------------

SNIPPET = "from skrnn import {name}\n\n{name}({good}={value!r})\n{name}({good}={value!r}, no_such_parameter=1)\n"
CALLS = """from skrnn import RNNClassifier, RNNForecaster, as_sequences, backtest
from skrnn.cells import LSTM
RNNClassifier("lstm", hidden_size=16, max_epochs=5)
RNNClassifier(LSTM(peephole=True)).fit([[0.0]], [0]).predict_proba([[0.0]])
RNNForecaster(horizon=12, objective="squared").predict_interval(coverage=0.9)
backtest(RNNForecaster(), [1.0], initial_window=72, coverage=0.9)
as_sequences([[[0.0]]]).lengths.sum()
RNNClassifier("lstm", 16)
RNNForecaster(horizon="a year")
as_sequences([[[0.0]]]).length
"""


def snippets(folder):
    """For each estimator a right call in line 3 and one with a misspelt keyword in line 4; five right calls and three wrong ones in calls.py."""
    (folder / "calls.py").write_text(CALLS)
    for name in CLASSES:
        good, p = list(inspect.signature(getattr(estimators, name)).parameters.items())[-1]
        (folder / f"{name}.py").write_text(SNIPPET.format(name=name, good=good, value=p.default))
    return folder


# Types of other libraries, which no name of a parameter and no answer comes from, would be most of what mypy reads.
MYPY = "[mypy]\n[mypy-numba.*,pandas.*,scipy.*,sklearn.*,torch.*]\nfollow_imports = skip\n"
CHECKERS = {
    "mypy": ["mypy", "--no-error-summary", "--config-file", "mypy.ini", "--cache-dir", "cache", "."],
    "pyright": ["pyright", "--pythonpath", sys.executable],
}


@pytest.mark.parametrize("checker", ["pyright", pytest.param("mypy", marks=pytest.mark.slow)])
def test_type_checkers_see_all_parameters_and_refuse_a_misspelt_one(checker, tmp_path):
    run = partial(subprocess.run, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    if run([sys.executable, "-m", checker, "--version"]).returncode:
        pytest.skip(f"{checker} is not installed, or cannot be fetched")
    home = Path(skrnn.__file__).parent.parent
    installed = "site-packages" in home.parts  # where type checkers look by themselves
    snippets(tmp_path)
    (tmp_path / "mypy.ini").write_text(MYPY)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [] if installed else [str(home)]}))
    found = run([sys.executable, "-m", *CHECKERS[checker]], env=os.environ | ({} if installed else {"MYPYPATH": str(home)}))
    errors = {(name, int(line)) for name, line in re.findall(r"(\w+)\.py:(\d+):.*error", found.stdout)}
    wrong = {(name, 4) for name in CLASSES} | {("calls", line) for line in (8, 9, 10)}
    theirs = {*CLASSES, "calls"}  # and not what libraries without types make of the files of the package
    assert {error for error in errors if error[0] in theirs} == wrong, found.stdout + found.stderr


def test_jedi_which_editors_ask_knows_names_and_parameters():
    jedi = pytest.importorskip("jedi")
    project = jedi.Project(ROOT, added_sys_path=[str(Path(skrnn.__file__).parent.parent)])
    code = "from skrnn import RNNClassifier\nRNNClassifier("
    (call,) = jedi.Script(code, project=project).get_signatures()
    assert {"cell", "hidden_size", "max_epochs", "random_state"} <= {parameter.name for parameter in call.params}
    completed = jedi.Script("from skrnn import RNN", project=project).complete()
    assert {c.name for c in completed} == {name for name in skrnn.__all__ if name.startswith("RNN")}
    methods = jedi.Script("from skrnn import RNNTagger\nRNNTagger().fit(0, 0).pred", project=project).complete()
    assert {"predict", "predict_proba"} <= {c.name for c in methods}


@every_estimator
def test_copies_share_no_state(name):
    estimator = fit_sample(name)
    twin = copy.deepcopy(estimator)
    arrays = [a for a in fitted_names(estimator) if isinstance(getattr(estimator, a), np.ndarray)]
    assert not any(np.shares_memory(getattr(estimator, a), getattr(twin, a)) for a in arrays)
    assert isinstance(twin, BaseEstimator)
