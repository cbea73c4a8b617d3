import numpy as np
import pytest

from skrnn.datasets import make_boolean_trees

OPERATORS = {"and": min, "or": max, "xor": lambda values: sum(values) % 2}


def worth(tree, node=0):
    tokens, parents = tree
    parts = [worth(tree, k) for k, parent in enumerate(parents) if parent == node]
    return OPERATORS[tokens[node]](parts) if parts else int(tokens[node])


def test_a_tree_comes_to_what_its_formula_says():
    X, y = make_boolean_trees(60, random_state=0)
    assert y.tolist() == [worth(tree) for tree in X]
    again, nodes = make_boolean_trees(60, per_node=True, random_state=0)
    assert list(again) == list(X)
    assert [row.tolist() for row in nodes] == [[worth(tree, k) for k in range(len(tree[0]))] for tree in X]


def test_depths_and_operators_are_as_said():
    X, y = make_boolean_trees(600, min_depth=2, max_depth=4, random_state=1)
    depths = np.maximum.reduceat(X.depths, X.offsets[:-1])
    assert (np.abs(np.bincount(depths)[2:] / 600 - 1 / 3) < 0.06).all()
    assert set(np.diff(X.child_offsets)) == {0, 2}
    names, counts = np.unique(X.tokens.astype(str), return_counts=True)
    assert names.tolist() == ["0", "1", "and", "or", "xor"]
    assert np.abs(counts[2:] / counts[2:].sum() - 1 / 3).max() < 0.03
    assert 0.45 < y.mean() < 0.55
    assert make_boolean_trees(3, min_depth=0, max_depth=0, random_state=0)[0].n_nodes.tolist() == [1, 1, 1]
    deep, _ = make_boolean_trees(9, min_depth=7, max_depth=7, random_state=0)
    assert np.maximum.reduceat(deep.depths, deep.offsets[:-1]).tolist() == [7] * 9


@pytest.mark.parametrize("settings", [{"n_trees": 0}, {"min_depth": -1}, {"min_depth": 5}], ids=str)
def test_sizes_without_sense_are_refused(settings):
    with pytest.raises(ValueError, match=r"must be|at least"):
        make_boolean_trees(**settings)
