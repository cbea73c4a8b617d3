"""Answers about trees: for each of them, or for each of their nodes."""

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import networkx
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import RNNClassifier, TreeClassifier, TreeRegressor, as_trees, read_ptb
from skrnn.cells.trees import ChildSumLSTM, NAryLSTM
from skrnn.datasets import make_boolean_trees
from skrnn.engine import BPTT
from skrnn.frontends import Conv1d, Embedding
from skrnn.training import ActivationPenalty, WeightNoise
from tests.estimators.samples import objects

X, Y = make_boolean_trees(40, max_depth=3, random_state=0)
NODES = make_boolean_trees(40, max_depth=3, per_node=True, random_state=0)[1]
VECTORS = X.with_tokens(np.random.default_rng(0).normal(size=(len(X.parents), 2)))
WAYS = [
    {},
    {"cell": "n_ary", "dropout": 0.3},
    {"cell": NAryLSTM(leaf="linear"), "dtype": "float64"},
    {"cell": "recursive", "frontend": Embedding(4)},
    {"cell": "rntn"},
]
KINDS = [TreeClassifier, TreeRegressor]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)
every_kind = pytest.mark.parametrize("kind", KINDS)
every_target = pytest.mark.parametrize("y", [Y, NODES], ids=["trees", "nodes"])


def make(kind=TreeClassifier, **settings):
    return kind(**{"hidden_size": 8, "max_epochs": 3, "learning_rate": 0.02, "random_state": 0} | settings)


def said(model, trees):
    """All that a model says of each tree."""
    methods = [m for m in ("predict", "predict_nodes", "transform", "predict_proba", "predict_log_proba", "decision_function") if hasattr(model, m)]
    return [[np.asarray(row) for row in getattr(model, m)(trees)] for m in methods]


def assert_same(one, other, rows=slice(None)):
    for of_one, of_other in zip(one, other, strict=True):
        for a, b in zip(of_one, np.array([*of_other, None], dtype=object)[:-1][rows], strict=True):
            np.testing.assert_array_equal(a, b)


# -- what is said depends on the tree alone ------------------------------------------------------------------------------------------------------


@every_way
@every_kind
@every_target
def test_company_order_and_container_do_not_matter(kind, way, y):
    model = make(kind, **way).fit(X, y)
    together = said(model, X)
    for rows in ([5], [17, 3], [*range(39, -1, -1)]):
        for dress in (lambda trees: trees, list, lambda trees: objects(list(trees))):
            assert_same(said(model, dress(X[rows])), together, rows)


@every_kind
@every_target
def test_the_size_of_a_chunk_does_not_matter(kind, y):
    model = make(kind).fit(X, y)
    many = X[np.tile(np.arange(40), 15)]
    assert_same(said(model, many), [part * 15 for part in said(model, X)])


@every_way
@every_target
def test_copies_say_the_same_and_learn_on_their_own(way, y):
    model = make(**way).fit(X, y)
    expected = said(model, X)
    assert_same(said(clone(model).fit(X, y), X), expected)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_same(said(other, X), expected)
        other.partial_fit(X, y)
        assert not np.array_equal(other.transform(X), model.transform(X))
    assert_same(said(model, X), expected)


def test_the_answer_at_a_node_is_that_of_the_tree_below_it():
    model = make(cell="n_ary").fit(X, Y)
    formula = ("and", ("or", "0", "1"), ("xor", ("and", "1", "1"), "0"))
    parts = [formula, ("or", "0", "1"), ("0",), ("1",), ("xor", ("and", "1", "1"), "0"), ("and", "1", "1"), ("1",), ("1",), ("0",)]
    np.testing.assert_array_equal(model.predict_nodes([formula])[0], model.predict(parts))


@every_kind
def test_predictions_of_nodes_are_predict_nodes(kind):
    model = make(kind).fit(X, NODES)
    for one, other in zip(model.predict(X), model.predict_nodes(X), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [len(row) for row in model.predict(X)] == X.n_nodes.tolist()


def test_names_of_graphs_and_labels_of_texts_are_no_inputs():
    trees = ["(3 (2 a) (1 b))", "(0 (0 a) (4 c))"]
    model = make().fit(trees, [0, 1])
    np.testing.assert_array_equal(model.transform(["(x (y a) (z b))"]), model.transform(trees[:1]))
    graph = networkx.DiGraph([("p", "q"), ("p", "r")])
    networkx.set_node_attributes(graph, {"q": "a", "r": "b"}, "token")
    np.testing.assert_array_equal(model.transform([graph]), model.transform(trees[:1]))


# -- learning ------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["child_sum", "n_ary", "recursive", "rntn"])
def test_formulas_are_learned(cell):
    trees, nodes = make_boolean_trees(100, min_depth=1, max_depth=2, per_node=True, random_state=0)
    model = make(cell=cell, hidden_size=16, max_epochs=30).fit(trees, nodes)
    assert model.score(trees, nodes) > 0.9


def test_numbers_of_trees_and_nodes_are_learned():
    total = X.n_nodes
    assert make(TreeRegressor, max_epochs=100).fit(X, total).score(X, total) > 0.9
    heights = [depth.max() - depth for depth in np.split(X.depths.astype(float), X.offsets[1:-1])]
    model = make(TreeRegressor, max_epochs=60).fit(X, heights)
    assert model.per_node_
    assert model.score(X, heights) > 0.7


def test_vectors_are_learned_from():
    sums = np.add.reduceat(VECTORS.tokens[:, 0], VECTORS.offsets[:-1])
    model = make(TreeRegressor, max_epochs=80).fit(VECTORS, sums)
    assert model.score(VECTORS, sums) > 0.9
    assert model.n_features_in_ == 2
    shifted = VECTORS.with_tokens(VECTORS.tokens * [1e6, 1e-6] + [1e7, 3])
    assert make(TreeRegressor, max_epochs=80).fit(shifted, sums).score(shifted, sums) > 0.9


def test_sequences_are_chains():
    """What a word before another one says goes up a chain as it goes along a sequence."""
    chains = [([*"abba"], [1, 2, 3, -1]), ([*"baab"], [1, 2, 3, -1])] * 8
    assert make(max_epochs=30).fit(chains, ["ab", "ba"] * 8).score(chains, ["ab", "ba"] * 8) == 1


def test_several_classes_and_sets_of_labels():
    three = np.array(["low", "mid", "high"])[np.searchsorted([9, 13], X.n_nodes)]
    model = make(max_epochs=40).fit(X, three)
    assert model.predict_proba(X).shape == (40, 3)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert model.score(X, three) > 0.8
    sets = np.column_stack([Y, 1 - Y])
    assert make(max_epochs=2).fit(X, sets).predict(X).shape == (40, 2)
    assert [row.shape for row in make(TreeRegressor).fit(X, [np.column_stack([row, row]) for row in NODES]).predict(X[:2])] == [
        (n, 2) for n in X.n_nodes[:2]
    ]


# -- targets of nodes ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dress", [list, objects, lambda y: [row.tolist() for row in y]], ids=["list", "objects", "lists"])
def test_targets_of_nodes_come_in_every_list(dress):
    model = make().fit(X, dress(NODES))
    assert model.per_node_
    assert_same(said(model, X), said(make(per_node=True).fit(X, NODES), X))
    assert model.score(X, dress(NODES)) == make().fit(X, NODES).score(X, NODES)


@every_kind
def test_nodes_without_a_target_are_seen_but_do_not_count(kind):
    rng = np.random.default_rng(1)
    holes = [np.where(rng.random(len(row)) < 0.4, np.nan, row) for row in NODES]
    weight = [(~np.isnan(row)).astype(float) for row in holes]
    exact = {"dtype": "float64", "batch_size": None, "optimizer": "sgd"}
    left_out, weightless = make(kind, **exact).fit(X, holes), make(kind, **exact).fit(X, NODES, sample_weight=weight)
    np.testing.assert_allclose(left_out.transform(X), weightless.transform(X), rtol=1e-9 if kind is TreeClassifier else 0.1)
    assert left_out.score(X, holes) == pytest.approx(left_out.score(X, NODES, sample_weight=weight))


def test_labels_of_a_treebank_are_targets_of_nodes():
    texts = ["(3 (2 a) (1 (1 b) (2 c)))", "(1 (1 b) (2 a))", "(S (2 a) and (1 b))"]
    trees, labels = read_ptb(texts)
    model = make(max_epochs=2).fit(trees, labels)
    assert model.classes_.tolist() == ["1", "2", "3", "S"]
    assert [len(row) for row in model.predict(texts)] == [5, 3, 4]


@pytest.mark.parametrize(
    ("y", "settings", "match"),
    [
        ([*NODES[:3], NODES[3][:-1], *NODES[4:]], {}, rf"y\[3\] has {X.n_nodes[3] - 1} entries, but tree 3 has {X.n_nodes[3]} nodes"),
        (NODES[:-1], {}, "targets for each of the 40 trees, one for each node; got 39 of them"),
        (Y, {"per_node": True}, "y must hold a list of targets for each of the 40 trees"),
        (NODES, {"per_node": False}, r"got lists of 5 to 15 \(per_node=True is for one at each node\)"),
        (Y[:-1], {}, "inconsistent numbers of samples"),
        ([[None] * n for n in X.n_nodes], {}, "holds no target"),
        (None, {}, "requires y to be passed"),
    ],
    ids=["length", "fewer", "no lists", "lists", "fewer of trees", "none", "missing"],
)
def test_targets_that_do_not_fit_are_refused_and_nothing_is_left(y, settings, match):
    model = make(**settings)
    before = set(vars(model))
    with pytest.raises(ValueError, match=match):
        model.fit(X, y)
    assert set(vars(model)) == before


def test_a_table_of_as_many_columns_as_nodes_has_to_be_explained():
    alike = [("or", "0", "1"), ("and", "0", "1")] * 5
    table = np.tile([[1, 0, 1], [0, 0, 1]], (5, 1))
    with pytest.raises(ValueError, match="y has 3 columns, and every tree has 3 nodes: per_node=True"):
        make().fit(alike, table)
    assert [row.shape for row in make(per_node=True).fit(alike, table).predict(alike)] == [(3,)] * 10
    assert make(per_node=False).fit(alike, table).predict(alike).shape == (10, 3)


def test_training_goes_on_with_targets_of_the_same_kind():
    model = make(warm_start=True).fit(X, NODES)
    with pytest.raises(ValueError, match="y must hold a list of targets"):
        model.partial_fit(X, Y)
    with pytest.raises(ValueError, match="per_node=auto, but the estimator now has per_node=False"):
        model.set_params(per_node=False).fit(X, Y)


# -- bad trees -----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trees", "match"),
    [
        ([("0",), (["0", "1"], [1, 0])], "tree 1 has no root"),
        ([("0",), (["0", "1", "0"], [-1, 2, 1])], "tree 1 has a cycle"),
        ([("0",), ()], "tree 1 is empty"),
        ([("0",), (None, None)], "tree 1 has no token at any node"),
        ([], "0 sample"),
        ([("and", "0", "1"), (3.0, 1.0)], "strings or numbers, not both: tree 1, node 0"),
        ([(3.0, 1.0)], "held strings in fit"),
        (X[:0], "0 sample"),
    ],
    ids=str,
)
def test_bad_trees_are_refused_in_fit_and_afterwards(trees, match):
    model = make().fit(X, Y)
    for method in (model.predict, model.predict_nodes, model.transform):
        with pytest.raises(ValueError, match=match):
            method(trees)
    if "in fit" not in match:
        before = pickle.dumps(model)
        with pytest.raises(ValueError, match=match):
            model.fit(trees, Y[: len(trees)])
        assert pickle.dumps(model) == before


def test_unknown_tokens_are_told_by_tree_and_node_or_are_alike():
    strict = make(frontend=Embedding(handle_unknown="error")).fit(X, Y)
    with pytest.raises(ValueError, match=r"unknown category 'nor' .*tree 1, node 2"):
        strict.predict([("0",), (None, "0", ("nor", "1", "0"))])
    model = make().fit(X, Y)
    np.testing.assert_array_equal(model.transform([("nor", "0")]), model.transform([("nand", "0")]))
    with pytest.warns(UserWarning, match="Nothing in sequence 1"):
        model.predict([("0",), ("zero",)])


def test_numbers_too_large_are_told_by_tree_and_node():
    large = VECTORS.tokens.copy()
    large[X.offsets[3] + 2] = 1e300
    with pytest.raises(ValueError, match="tree 3, node 2, feature 0"):
        make().fit(VECTORS.with_tokens(large), Y)
    with pytest.raises(ValueError, match="X has 1 features, but TreeClassifier is expecting 2"):
        make().fit(VECTORS, Y).predict([(1.0, 2.0)])


@pytest.mark.parametrize("cell", ["n_ary", "recursive", "rntn"])
def test_more_children_than_there_are_weights_for_are_told_by_tree_and_node(cell):
    model = make(cell=cell).fit(X, Y)
    assert model.max_children_ == 2
    with pytest.raises(ValueError, match=r"tree 1, node 1 of X has 3 children, but cell='\w+' has weights for 2 of a node"):
        model.predict([("0",), ("and", ("or", "0", "0", "1"), "1")])
    with pytest.raises(ValueError, match=r"X_val: tree 0, node 0 of X has 3 children"):
        make(cell=cell).fit(X, Y, X_val=[("and", "0", "0", "1")], y_val=[0])
    with pytest.raises(ValueError, match="tree 0, node 0 of X has 2 children"):
        make().set_params(cell=cell, cell__n_children=1).fit(X, Y)
    roomy = make(cell=cell).set_params(cell__n_children=3).fit(X, Y)
    assert roomy.predict([("and", "0", "0", "1")]).shape == (1,)
    assert make().fit(X, Y).predict([("and", *"000000")]).shape == (1,)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"cell": "lstm"}, "'cell' parameter must be a TreeCell"),
        ({"per_node": "yes"}, "'per_node' parameter of TreeClassifier"),
        ({"dropout": 1.0}, "'dropout' parameter of TreeClassifier"),
        ({"rule": "rtrl"}, "TreeNetwork learns by rule='bptt' or 'guessing'"),
        ({"rule": "truncated_bptt"}, "TreeNetwork learns by rule='bptt' or 'guessing'"),
        ({"penalties": ActivationPenalty()}, "TreeNetwork knows no penalties but WeightNoise"),
        ({"frontend": Conv1d(4)}, "looks at each token by itself"),
    ],
    ids=str,
)
def test_parameters_without_sense_are_refused(settings, match):
    trees = X if "frontend" not in settings else VECTORS
    with pytest.raises(ValueError, match=match):
        make(**settings).fit(trees, Y)


def test_a_cell_of_trees_is_none_of_sequences():
    with pytest.raises(ValueError, match="'cell' parameter"):
        RNNClassifier(ChildSumLSTM()).fit(np.zeros((4, 3)), [0, 1, 0, 1])


@every_kind
def test_nothing_is_said_before_fit(kind):
    for method in ("predict", "predict_nodes", "transform"):
        with pytest.raises(NotFittedError):
            getattr(kind(), method)(X)


# -- scikit-learn's tools ------------------------------------------------------------------------------------------------------------------------


def test_searches_know_the_parameters_of_cells():
    grid = {"cell": ["child_sum", NAryLSTM()], "hidden_size": [4]}
    search = GridSearchCV(make(max_epochs=1), grid, cv=2).fit(X, Y)
    assert search.best_estimator_.predict(X).shape == (40,)
    leaves = GridSearchCV(make(cell="n_ary", max_epochs=1), {"cell__leaf": ["node", "linear"]}, cv=2).fit(list(X), Y)
    assert leaves.best_params_["cell__leaf"] in ("node", "linear")
    assert np.isfinite(leaves.cv_results_["mean_test_score"]).all()


@every_kind
@every_target
def test_cross_validation_takes_trees(kind, y):
    assert np.isfinite(cross_val_score(make(kind, max_epochs=1), X, objects(y) if y is NODES else y, cv=3)).all()
    predicted = cross_val_predict(make(kind, max_epochs=1), X, objects(y) if y is NODES else y, cv=3)
    assert [np.size(row) for row in predicted] == (X.n_nodes.tolist() if y is NODES else [1] * 40)


def test_pipelines_take_trees_and_root_vectors():
    first = make_pipeline(FunctionTransformer(as_trees), make(max_epochs=1)).fit(list(X), Y)
    np.testing.assert_array_equal(first.predict(list(X)), make(max_epochs=1).fit(X, Y).predict(X))
    last = make_pipeline(make(cell="n_ary", max_epochs=20), LogisticRegression()).fit(X, Y)
    assert last.score(X, Y) > 0.7
    assert make().fit(X, Y).get_feature_names_out().tolist() == [f"childsumlstm_h{k}" for k in range(8)]


EXACT = {"dtype": "float64", "batch_size": None, "optimizer": "sgd", "learning_rate": 0.1, "max_epochs": 5, "alpha": 1.0}


@every_kind
@every_target
def test_weight_is_repetition(kind, y):
    weight = np.random.default_rng(0).integers(0, 4, 40)
    rows = np.repeat(np.arange(40), weight)
    weighted = make(kind, **EXACT).fit(X, y, sample_weight=weight)
    repeated = make(kind, **EXACT).fit(X[rows], [y[k] for k in rows])
    np.testing.assert_allclose(weighted.transform(X), repeated.transform(X), rtol=1e-7, atol=1e-9)
    assert np.abs(weighted.transform(X) - make(kind, **EXACT).fit(X, y).transform(X)).max() > 1e-6
    assert weighted.score(X, y, sample_weight=weight) == pytest.approx(weighted.score(X[rows], [y[k] for k in rows]))


@pytest.mark.parametrize("weight", [np.ones(39), -np.ones(40), np.zeros(40), [[1.0]] * 40], ids=["fewer", "negative", "zeros", "of nodes"])
def test_weights_that_do_not_fit_are_refused(weight):
    with pytest.raises(ValueError, match="sample_weight"):
        make().fit(X, NODES, sample_weight=weight)


@every_target
def test_training_stops_when_held_out_trees_say_so(y):
    model = make(max_epochs=40, early_stopping=True, n_iter_no_change=2).fit(X, y)
    assert len(model.validation_scores_) == model.n_iter_
    told = make(max_epochs=40, n_iter_no_change=2).fit(X[:30], y[:30], X_val=X[30:], y_val=y[30:])
    assert told.validation_scores_[told.best_epoch_ - 1] == max(told.validation_scores_)


@every_target
def test_partial_fit_learns(y):
    model = make(learning_rate=0.05)
    for _ in range(10):
        for part in (slice(0, 20), slice(20, None)):
            model.partial_fit(X[part], y[part], classes=[0, 1])
    assert model.n_iter_ == 20
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_class_weights_count():
    by_class = make(class_weight={0: 1, 1: 3}, **EXACT).fit(X, NODES)
    by_sample = make(**EXACT).fit(X, NODES, sample_weight=[1 + 2 * row for row in NODES])
    np.testing.assert_array_equal(by_class.transform(X), by_sample.transform(X))


@pytest.mark.parametrize("settings", [{"penalties": WeightNoise()}, {"rule": BPTT("none")}, {"rule": "guessing", "batch_size": None}], ids=str)
def test_other_ways_to_learn(settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isfinite(make(**settings).fit(X, Y).predict_proba(X)).all()


@every_way
def test_the_same_seed_gives_the_same_bits(way):
    assert_same(said(make(**way).fit(X, Y), X), said(make(**way).fit(X, Y), X))
    assert not np.array_equal(make(**way, random_state=1).fit(X, Y).transform(X), make(**way).fit(X, Y).transform(X))


@pytest.fixture
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@every_way
def test_the_default_dtype_does_not_change_a_bit(way, request):
    expected = said(make(**way).fit(X, Y), X)
    request.getfixturevalue("double_precision")
    assert_same(said(make(**way).fit(X, Y), X), expected)


def test_threads_may_predict_at_once_and_global_generators_are_left_alone():
    before = joblib.hash([np.random.get_state(), torch.get_rng_state().numpy()])
    model = make(dropout=0.5).fit(X, Y)
    expected = said(model, X)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: said(model, X), range(8)):
            assert_same(found, expected)
    assert joblib.hash([np.random.get_state(), torch.get_rng_state().numpy()]) == before


def test_targets_may_be_anything_that_follows_the_trees():
    trees = [("a", "b"), ("b",), ("a",)] * 4
    model = make(max_epochs=1).fit(trees, ["x", "y", "x"] * 4)
    assert set(model.predict(trees)) <= {"x", "y"}
