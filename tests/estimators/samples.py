"""Small data and small nets for the tests of the estimators."""

import copy
from functools import cache
from inspect import isclass, signature

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import get_tags

from skrnn import cells, estimators
from skrnn.data import as_sequences
from skrnn.datasets import make_boolean_trees

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(n, 3)) for n in RNG.integers(2, 9, size=40)]
EQUAL = RNG.normal(size=(40, 6, 3))
TABLE = RNG.normal(size=(40, 6))
CLASSES = [  # of those that can be made without arguments
    name
    for name in estimators.__all__
    if isclass(kind := getattr(estimators, name)) and all(p.default is not p.empty for p in signature(kind).parameters.values())
]
EVERY = [name for name in CLASSES if "pooling" in getattr(estimators, name)().get_params()]  # one row of answers for each sequence
NAMES = [name for name in EVERY if "max_epochs" in getattr(estimators, name)().get_params()]  # trained by epochs
SUPERVISED = [name for name in NAMES if get_tags(getattr(estimators, name)()).target_tags.required]
TRAINED_CELLS = [name for name in cells.__all__ if any(True for _ in getattr(cells, name)().build(3, 6).parameters())]  # all but reservoirs
NETS = {  # settings worth testing, of networks that are trained and of reservoirs
    True: [
        {},
        {"cell": "lstm", "pooling": "mean"},
        {"cell": "elman", "pooling": "last", "n_layers": 2, "dropout": 0.5},
        {"pooling": "attention", "bidirectional": False, "dtype": "float64"},
    ],
    False: [
        {},
        {"cell": "lstm", "pooling": "segments"},
        {"pooling": "last", "n_layers": 2, "n_groups": 2, "leak_rate": (0.3, 0.9)},
        {"pooling": "model", "spectral_radius": 0.5, "dtype": "float64"},
    ],
}


def known(name, settings):
    """Those that an estimator has."""
    return {key: value for key, value in settings.items() if key in getattr(estimators, name)().get_params()}


def nets(name):
    """Settings worth testing."""
    return [known(name, settings) for settings in NETS[name in NAMES]]


def make(name, **settings):
    """An estimator that fits within a few hundredths of a second."""
    return getattr(estimators, name)(**known(name, {"hidden_size": 8, "max_epochs": 3, "learning_rate": 0.02, "random_state": 0}) | settings)


def target(estimator, X):
    """What a network can learn about sequences: the largest value of the first channel, or whether it is above 1."""
    largest = np.array([x[:, 0].max() for x in as_sequences(X)])
    return np.where(largest > 1, "high", "low") if hasattr(estimator, "predict_proba") else largest


def fit(name, X, **settings):
    estimator = make(name, **settings)
    return estimator.fit(X, target(estimator, X))


DATA = {"ragged": RAGGED, "equal": EQUAL, "table": TABLE}


@cache
def _fitted(name, kind, settings):
    return fit(name, DATA[kind], **dict(settings))


def fitted(name, kind="equal", **settings):
    """A copy, for tests that need any fitted estimator."""
    return copy.deepcopy(_fitted(name, kind, tuple(settings.items())))


def answers(estimator, X):
    """Everything that an estimator says about sequences, but for the labels: a row of numbers for each."""
    said = [getattr(estimator, method)(X) for method in ("predict_proba", "transform") if hasattr(estimator, method)]
    return np.column_stack([*said, estimator.predict(X)] if is_regressor(estimator) else said)


def labels(estimator, X):
    """What it predicts, if anything."""
    return estimator.predict(X) if hasattr(estimator, "predict") else np.zeros(len(X))


class Hook:
    """A scikit-learn callback that calls a function with the estimator after every epoch; training stops when it returns True."""

    def __init__(self, function):
        self.function = function

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context, **kwargs): ...

    def on_fit_task_end(self, estimator, context, **kwargs):
        return self.function(estimator) if context.task_name == "epoch" else None


def objects(items):
    """An object array with an item in each cell."""
    cells = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        cells[i] = item
    return cells


# Of every estimator two sets of data and settings that take next to no time.

SERIES = np.sin(0.7 * np.arange(120))[:, None] + 0.1 * np.random.default_rng(1).normal(size=(120, 2))
STEPWISE = [np.cumsum(x[:, 0]) for x in RAGGED]
WORDS = [list("abba"[: 1 + k % 4]) for k in range(20)]
LABELS = np.arange(len(RAGGED)) % 3
FORMULAS, TRUTH = make_boolean_trees(20, max_depth=3, random_state=0)
TRUTHS = make_boolean_trees(20, max_depth=3, per_node=True, random_state=0)[1]
STORIES = [([["a", "saw", "b"][: 1 + k % 3], ["c", "left"]][: 1 + k % 2], ["who", "left"]) for k in range(20)]
SAMPLES = {
    "BingoCluster": [(RAGGED,), (TABLE,)],
    "DualStageAttentionRegressor": [(SERIES, SERIES.sum(axis=1)), (SERIES[:60], SERIES[:60, 0])],
    "EchoStateClassifier": [(RAGGED, LABELS), (TABLE, LABELS % 2)],
    "EchoStateForecaster": [(None, SERIES[:, 0]), (SERIES, SERIES[:, 0])],
    "EchoStateRegressor": [(SERIES[:-1], SERIES[1:]), (RAGGED, STEPWISE)],
    "EchoStateTransformer": [(RAGGED,), (TABLE,)],
    "HistoryCompressor": [(["ab" * (2 + k % 4) for k in range(20)],), (TABLE,)],
    "HopfieldNetwork": [(np.sign(TABLE[:4]),), (TABLE[:4] > 0,)],
    "LiquidStateClassifier": [(EQUAL, LABELS), (TABLE, LABELS % 2)],
    "LiquidStateTransformer": [(EQUAL,), (TABLE,)],
    "ModernHopfield": [(TABLE,), (TABLE.astype(np.float32),)],
    "NeoTransformer": [(RAGGED,), (TABLE,)],
    "NeuralTuringMachine": [
        (RAGGED, [np.column_stack([y > 0, y > 1]).astype(float) for y in STEPWISE]),
        (SERIES, np.where(np.arange(120)[:, None] < 9, np.nan, SERIES > 0)),
    ],
    "MemoryNetworkClassifier": [(STORIES, LABELS[:20]), (STORIES, np.eye(3, dtype=int)[LABELS[:20]])],
    "PointerNetwork": [(RAGGED, [np.argsort(x[:, 0]).tolist() for x in RAGGED]), (EQUAL, [[k % 6] * (k % 2) for k in range(len(EQUAL))])],
    "RNNAnomalyDetector": [(SERIES,), ([SERIES, SERIES[:90]],)],
    "RNNAutoencoder": [(RAGGED,), (TABLE,)],
    "RNNCaptioner": [(TABLE[:20], WORDS), (TABLE[:20], ["".join(word) for word in WORDS])],
    "RNNClassifier": [(RAGGED, LABELS), (TABLE, np.eye(3, dtype=int)[LABELS])],
    "RNNForecaster": [(None, SERIES[:, 0]), (SERIES, SERIES[:, 0])],
    "RNNLanguageModel": [("to be or not to be",), (["".join(word) for word in WORDS],)],
    "RNNRegressor": [(RAGGED, TABLE[:, 0]), (TABLE, TABLE[:, :2])],
    "RNNSequenceRegressor": [(RAGGED, STEPWISE), (SERIES, SERIES)],
    "RNNTagger": [(RAGGED, [(y > 0).astype(int) for y in STEPWISE]), (SERIES, (SERIES > 0).astype(int))],
    "RidgeReadout": [(TABLE, TABLE[:, 0]), (TABLE, TABLE[:, :2])],
    "SeasonalNaiveDetector": [(SERIES,), ([SERIES, SERIES[:90]],)],
    "Seq2SeqRegressor": [(EQUAL, EQUAL[:, :2, 0]), (RAGGED, [x[:1] for x in RAGGED])],
    "Seq2SeqTranslator": [(WORDS, WORDS), (["".join(word) for word in WORDS], WORDS)],
    "SequenceTranscriber": [(RAGGED, ["ab"[: len(x) // 2] for x in RAGGED]), (EQUAL, [[k % 3] * (k % 4) for k in range(len(EQUAL))])],
    "TreeClassifier": [(FORMULAS, TRUTH), (list(FORMULAS), TRUTHS)],
    "TreeRegressor": [(FORMULAS, TRUTH), (list(FORMULAS), TRUTHS)],
    "Vec2SeqRegressor": [(TABLE, TABLE[:, :3]), (TABLE, TABLE[:, 0])],
}
QUICK = {"hidden_size": 5, "max_epochs": 2, "random_state": 0, "horizon": 3, "n_lags": 4, "window": 20}


def fit_sample(name, sample=0, callbacks=()):
    """A fitted estimator of a class, on small data of its own kind."""
    quick = known(name, QUICK) if "season" in known(name, {"season": 0}) else {k: v for k, v in known(name, QUICK).items() if k != "n_lags"}
    estimator = getattr(estimators, name)(**quick)
    if callbacks:
        estimator.set_callbacks(*callbacks)
    return estimator.fit(*SAMPLES[name][sample])
