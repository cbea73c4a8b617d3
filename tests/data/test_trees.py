"""The container of trees: what it reads, what it refuses, how it is taken apart."""

import copy
import pickle

import networkx
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import train_test_split

from skrnn.data import Sequences, Trees, as_trees, read_ptb
from tests.estimators.samples import objects

NESTED = ("and", "0", ("or", "1", "0"))
PAIR = (["and", "0", "or", "1", "0"], [-1, 0, 0, 2, 2])


def graph(edges, tokens):
    made = networkx.DiGraph()
    made.add_nodes_from((node, {"token": token}) for node, token in tokens.items())
    made.add_edges_from(edges)
    return made


def same(one, other):
    for name in ("tokens", "offsets", "parents", "has_token", "depths", "children", "child_offsets"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


# -- forms ---------------------------------------------------------------------------------------------------------------------------------------

GRAPH = graph([("a", "b"), ("a", "c"), ("c", "d"), ("c", "e")], {"d": "1", "a": "and", "e": "0", "c": "or", "b": "0"})


@pytest.mark.parametrize(
    "tree",
    [
        ("and", ("0",), ("or", ("1",), "0")),
        PAIR,
        (np.array(PAIR[0]), np.array(PAIR[1])),
        (PAIR[0], [None, 0, 0, 2, 2]),
        (PAIR[0], torch.tensor(PAIR[1])),
        GRAPH,
    ],
    ids=["leaves in tuples", "pair", "pair of arrays", "root without a parent", "parents in a tensor", "graph"],
)
def test_every_form_of_a_tree_is_the_same_tree(tree):
    same(as_trees([tree]), as_trees([NESTED]))


@pytest.mark.parametrize("dress", [list, objects, pd.Series, as_trees], ids=["list", "objects", "series", "Trees"])
def test_every_list_of_trees_is_the_same(dress):
    same(as_trees(dress([NESTED, ("0",)])), as_trees([NESTED, ("0",)]))


def test_texts_in_brackets_give_words_and_labels():
    trees, labels = read_ptb(["(3 (2 It)\n (4 (2 's) (4 good)))", "( (S (NP the cat) (VP sat)) )"])
    assert trees[0] == ([None, "It", None, "'s", "good"], [-1, 0, 0, 2, 2])
    assert trees[1] == ([None, None, "the", "cat", "sat"], [-1, 0, 1, 1, 0])
    assert [row.tolist() for row in labels] == [["3", "2", "4", "2", "4"], ["S", "NP", None, None, "VP"]]
    same(as_trees(["(3 (2 It) (4 (2 's) (4 good)))"]), trees[:1])


def test_numbers_and_vectors_are_tokens_too():
    trees = as_trees([(None, 1, 2), (3,)])
    assert trees.tokens[:, 0].tolist() == [0, 1, 2, 3]
    assert trees.has_token.tolist() == [False, True, True, True]
    same(as_trees([([0.5, 1], [1.5, 2], [2.5, 3])]), as_trees([(np.array([[0.5, 1], [1.5, 2], [2.5, 3]]), [-1, 0, 0])]))


def test_children_stand_in_the_order_of_their_numbers():
    trees = as_trees([(list("cabed"), [3, 0, 3, -1, 0]), NESTED])
    assert [row.tolist() for row in np.split(trees.children, trees.child_offsets[1:-1])][:5] == [[1, 4], [], [], [0, 2], []]
    assert trees.depths.tolist() == [1, 2, 1, 0, 2, 0, 1, 1, 2, 2]


def test_trees_may_be_deeper_than_the_stack_of_python():
    nested, text = ("0",), "(x 0)"
    for _ in range(20_000):
        nested, text = ("not", nested), f"(x {text})"
    for trees in (as_trees([nested]), as_trees([text])):
        assert trees.depths.tolist() == list(range(20_001))


# -- a sequence of trees -------------------------------------------------------------------------------------------------------------------------

MANY = as_trees([NESTED, ("0",), (None, "1", None), PAIR, ("or", "1", "1")])


@pytest.mark.parametrize("key", [slice(1, 4), slice(None, None, -2), [3, 0, 0], np.array([True, False, True, False, True]), []], ids=str)
def test_some_trees_are_trees(key):
    picked = MANY[key]
    assert list(picked) == [MANY[i] for i in np.arange(5)[key if not isinstance(key, list) else np.array(key, dtype=int)]]
    assert isinstance(picked, Trees)


def test_a_tree_by_itself_can_be_read_again():
    same(as_trees([*MANY]), MANY)
    numbers = as_trees([(None, 1.5, (2, None))])
    same(as_trees([*numbers]), numbers)
    assert MANY[-1] == MANY[4]


def test_scikit_learn_splits_trees():
    train, test = train_test_split(MANY, test_size=2, random_state=0)
    assert isinstance(train, Trees)
    assert train.shape == (3,)
    assert sorted([*train, *test], key=str) == sorted(MANY, key=str)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda trees: pickle.loads(pickle.dumps(trees))], ids=["deepcopy", "pickle"])
def test_a_copy_is_the_same_and_cannot_be_written_to(copied):
    same(copied(MANY), MANY)
    with pytest.raises(ValueError, match="read-only"):
        copied(MANY).parents[0] = 3


def test_it_says_what_it_is():
    assert repr(MANY) == "Trees(n_trees=5, n_nodes=1..5, tokens=strings)"
    assert repr(as_trees([(1.0, 2.0)])) == "Trees(n_trees=1, n_nodes=2..2, tokens=float64 (1))"


# -- what is no tree -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tree", "match"),
    [
        ((), "tree 1 is empty"),
        (([], []), "tree 1 is empty"),
        ("", "tree 1 is empty"),
        (networkx.DiGraph(), "tree 1 is empty"),
        ((list("abcd"), [-1, 2, 3, 1]), "tree 1 has a cycle: its node . is above itself, by way of the parents . → . → . → ."),
        ((list("ab"), [-1, 1]), "tree 1 has a cycle: its node 1 is above itself, by way of the parents 1 → 1"),
        ((list("abc"), [2, 0, 2]), "tree 1 has no root; heads that count from 1"),
        ((list("abc"), [1, 2, 0]), "tree 1 has no root"),
        ((list("abc"), [-1, -1, 0]), r"tree 1 has several roots, the nodes \[0, 1\]"),
        ((list("abc"), [-1, 3, 0]), "tree 1, node 1 has the parent 3, but the nodes of the tree are 0 to 2"),
        ((list("abc"), [-1, 0, -2]), "tree 1, node 2 has the parent -2"),
        ((list("abc"), [-1, 0]), "tree 1 has 3 tokens, but 2 parents"),
        ((list("abc"), [-1, 0.5, 0]), "parents of tree 1 must be whole numbers"),
        ((("a", "b"), "c"), r"tree 1, node 0 begins with a tuple, \('a', 'b'\)"),
        (("a", ()), "tree 1, node 1 is an empty tuple"),
        (("a", 3), "Tokens must be strings or numbers, not both: tree 1, node 1 holds 3"),
        (("a", {"b"}), "Tokens must be strings or numbers, not both: tree 1, node 1"),
        ("(3 (2 a) (1 b)", "tree 1: 1 brackets are not closed"),
        ("(3 (2 a)) (1 b))", "tree 1: something stands behind the last bracket"),
        ("(3 a))", "tree 1: a closing bracket has no opening one"),
        ("word", "tree 1: 'word' stands in no bracket"),
        ("(3 (2 a) (1 ))", "tree 1, node 2 is a bracket that holds neither"),
        (graph([("a", "b"), ("c", "b")], {}), "tree 1, node 'b' has 2 parents"),
        (graph([("a", "b")], {"c": "x"}), r"tree 1 has several roots, the nodes \['c', 'a'\]"),
        (graph([("a", "b"), ("b", "a")], {}), "tree 1 has a cycle: no root is above its node 'a'"),
        (graph([("a", "b"), ("b", "a")], {"c": "x"}), "tree 1 has a cycle: no root is above its node 'a'"),
    ],
    ids=str,
)
def test_what_is_no_tree_is_refused(tree, match):
    with pytest.raises(ValueError, match=match):
        as_trees([NESTED, tree])


@pytest.mark.parametrize(
    ("X", "match"),
    [
        (NESTED, r"got a tuple, which is one tree.*pass \[tree\]"),
        ("(3 a)", "X must be a list of trees.*got str"),
        (np.zeros((3, 2)), r"X must be a list of trees.*an array of float64 and shape \(3, 2\)"),
        (Sequences(np.zeros((3, 2)), [0, 3]), "X must be a list of trees.*got Sequences"),
        (None, "X must be a list of trees"),
        ([NESTED, 3], "tree 1 must be a nested tuple.*got int"),
        pytest.param([networkx.path_graph(3)], "tree 0 must be a networkx.DiGraph", id="a graph without directions"),
        ([(1.0, {"b"})], "The token of tree 0, node 1 must be a string, a number or a vector"),
        ([(1.0, 2j)], "The token of tree 0, node 1 must be a string, a number or a vector"),
    ],
    ids=str,
)
def test_what_holds_no_trees_is_refused(X, match):
    with pytest.raises(TypeError, match=match):
        as_trees(X)


@pytest.mark.parametrize(
    ("X", "match"),
    [
        ([], "0 sample"),
        ([(None, None)], "No node of X has a token"),
        ([([1.0, 2.0], [1.0, 2.0], [1.0])], "The tokens of tree 0, node 2 have 1 features, those of tree 0, node 0 have 2"),
        ([(1.0, np.nan)], r"NaN or infinity \(tree 0, node 1\)"),
        ([(np.ma.masked_array([1.0, 2.0], [False, True]), [-1, 0])], r"NaN or infinity \(tree 0, node 1\)"),
    ],
    ids=str,
)
def test_tokens_that_do_not_fit_are_refused(X, match):
    with pytest.raises((TypeError, ValueError), match=match):
        as_trees(X)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"tokens": [1.0]}, "tokens must be an array"),
        ({"tokens": np.zeros(3)}, "must be 2-D"),
        ({"tokens": np.zeros((3, 1), np.float16)}, "float32 or float64"),
        ({"tokens": np.array(["a", 3, "b"], dtype=object)}, r"tokens\[1\] must be a string"),
        ({"offsets": [0, 2]}, "offsets must begin with 0 and end with the number of nodes, 3"),
        ({"offsets": [0, 3, 2, 3]}, "offsets must increase"),
        ({"offsets": [0, 3, 3]}, "tree 1 is empty"),
        ({"parents": [-1, 0]}, "parents must have an entry for each of the 3 nodes"),
        ({"parents": [-1.0, 0, 0]}, "parents must be 1-D and of whole numbers"),
        ({"has_token": [1, 0, 1]}, "has_token must be True or False"),
    ],
    ids=str,
)
def test_arrays_that_make_no_trees_are_refused(settings, match):
    with pytest.raises((TypeError, ValueError), match=match):
        Trees(**{"tokens": np.zeros((3, 1)), "offsets": [0, 3], "parents": [-1, 0, 0]} | settings)


@pytest.mark.parametrize("key", [True, (0, 1), [[0]], 5, -6, [7]], ids=str)
def test_an_index_that_is_none_is_refused(key):
    with pytest.raises(IndexError):
        MANY[key]
