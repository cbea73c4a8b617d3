"""Cells of trees: the equations of the papers, node by node in numpy, and their settings."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skrnn.cells.trees import NAMES, RNTN, Children, ChildSumLSTM, NAryLSTM, RvNN, resolve_tree_cell

F, H = 3, 4


def weights(cell):
    return {name: p.detach().numpy() for name, p in cell.named_parameters()}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def child_sum(w, x, kids):
    Wi, Wo, Wg, Wf = np.split(w["W"], 4)
    bi, bo, bg, bf = np.split(w["b"], 4)
    Ri, Ro, Rg = np.split(w["R"], 3)
    s = sum((h for h, _ in kids), np.zeros(H))
    i, o, g = sigmoid(Wi @ x + Ri @ s + bi), sigmoid(Wo @ x + Ro @ s + bo), np.tanh(Wg @ x + Rg @ s + bg)
    c = i * g + sum(sigmoid(Wf @ x + w["R_f"] @ h + bf) * c for h, c in kids)
    return o * np.tanh(c), c


def n_ary(w, x, kids, n=3):
    Wi, Wo, Wg, Wf = np.split(w["W"][: 4 * H], 4)
    bi, bo, bg, bf = np.split(w["b"][: 4 * H], 4)
    if not kids and len(w["b"]) > 4 * H:
        c, o = np.split(w["W"][4 * H :] @ x + w["b"][4 * H :], 2)
        return sigmoid(o) * np.tanh(c), c
    kids = [*kids, *[(np.zeros(H), np.zeros(H))] * (n - len(kids))]
    Ri, Ro, Rg, *Rf = np.split(w["R"], 3 + n)
    z = np.concatenate([h for h, _ in kids])
    i, o, g = sigmoid(Wi @ x + Ri @ z + bi), sigmoid(Wo @ x + Ro @ z + bo), np.tanh(Wg @ x + Rg @ z + bg)
    c = i * g + sum(sigmoid(Wf @ x + Rf[k] @ z + bf) * kids[k][1] for k in range(n))
    return o * np.tanh(c), c


def recursive(w, x, kids, linear=False):
    if linear and not kids:
        return (w["W"] @ x,)
    z = np.concatenate([h for (h,) in kids] + [np.zeros(H)] * (3 - len(kids)))
    a = w["W"] @ x + w["R"] @ z + w["b"]
    if "V" in w:
        a = a + [z @ w["V"].reshape(H, 3 * H, 3 * H)[k].T @ z / (3 * H) for k in range(H)]
    return (np.tanh(a),)


ORACLES = [
    (ChildSumLSTM(), child_sum),
    (NAryLSTM(), n_ary),
    (NAryLSTM(leaf="linear"), n_ary),
    (RvNN(), recursive),
    (RNTN(), recursive),
    (RvNN(leaf="linear"), lambda *node: recursive(*node, linear=True)),
    (RNTN(leaf="linear"), lambda *node: recursive(*node, linear=True)),
]


def built(cell, most=3):
    cell = clone(cell).build(F, H, torch.Generator().manual_seed(0), most_children=most).double()
    with torch.no_grad():
        cell.b.normal_(generator=torch.Generator().manual_seed(1))
    return cell


@pytest.mark.parametrize(("cell", "oracle"), ORACLES, ids=lambda value: repr(value) if isinstance(value, torch.nn.Module) else "")
def test_a_cell_computes_the_equations_of_its_paper(cell, oracle):
    """A level of three nodes, with two children, one and none."""
    cell, rng = built(cell), np.random.default_rng(0)
    x, n_leaves = rng.normal(size=(3, F)), 3
    state = cell.step(cell.project(torch.from_numpy(rng.normal(size=(n_leaves, F)))), Children(None, np.array([], int), torch.empty(0), n_leaves))
    leaves = [state] if torch.is_tensor(state) else [*state]
    sizes, owner = np.array([2, 1]), torch.tensor([0, 1, 0])
    found = cell.step(cell.project(torch.from_numpy(x)), Children(state, sizes, owner, 3))
    found = [found] if torch.is_tensor(found) else [*found]
    kid = [tuple(leaf[k].detach().numpy() for leaf in leaves) for k in range(n_leaves)]
    for node, kids in enumerate([[kid[0], kid[2]], [kid[1]], []]):
        for ours, theirs in zip(found, oracle(weights(cell), x[node], kids), strict=True):
            np.testing.assert_allclose(ours[node].detach().numpy(), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_is_known_by_its_name_and_prints_copies_and_pickles_itself(name):
    cell = resolve_tree_cell(name)
    assert type(cell) is NAMES[name]
    assert repr(cell) == f"{type(cell).__name__}()"
    assert resolve_tree_cell(cell) is not cell
    cell = built(cell)
    again = pickle.loads(pickle.dumps(cell))
    assert all(torch.equal(one, other) for one, other in zip(cell.parameters(), again.parameters(), strict=True))
    assert not list(clone(cell).parameters())


@pytest.mark.parametrize("cell", ["lstm", "ChildSum", 3, None, "child sum"], ids=str)
def test_what_is_no_cell_of_trees_is_refused(cell):
    with pytest.raises(ValueError, match=r"The 'cell' parameter must be a TreeCell .* \['child_sum', 'n_ary', 'recursive', 'rntn'\]"):
        resolve_tree_cell(cell)


@pytest.mark.parametrize(
    ("cell", "match"),
    [
        (NAryLSTM(n_children=0), "'n_children' parameter of NAryLSTM must be a whole number of at least 1"),
        (RvNN(n_children=2.0), "'n_children' parameter of RvNN must be a whole number"),
        (RNTN(leaf="none"), r"'leaf' parameter of RNTN must be one of \['node', 'linear'\]"),
    ],
    ids=repr,
)
def test_settings_without_sense_are_refused(cell, match):
    with pytest.raises(ValueError, match=match):
        built(cell)


@pytest.mark.parametrize("name", ["n_ary", "recursive", "rntn"])
def test_there_are_weights_for_so_many_children_as_are_told(name):
    told = NAMES[name](n_children=4).build(F, H, most_children=2)
    assert told.most_children == 4
    assert told.R.shape[1] == 4 * H
    assert NAMES[name]().build(F, H, most_children=0).most_children == 1
