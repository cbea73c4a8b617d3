"""Trees level by level: what comes out is what comes out node by node, and of trees alone."""

import numpy as np
import pytest
import torch

from skrnn.cells import flat, map_state
from skrnn.cells.trees import RNTN, Children, ChildSumLSTM, NAryLSTM, RvNN
from skrnn.data import Trees
from skrnn.data._sequences import offsets_of
from skrnn.engine import climb
from skrnn.training import Forests

CELLS = [ChildSumLSTM(), NAryLSTM(), NAryLSTM(leaf="linear"), NAryLSTM(n_children=5), RvNN(), RvNN(leaf="linear"), RNTN(), RNTN(leaf="linear")]
every_cell = pytest.mark.parametrize("cell", CELLS, ids=repr)
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


def random_trees(n_trees=12, n_most=3, n_nodes=25, seed=0, share=0.7):
    """Of any shape, numbered in any order, with tokens at some nodes."""
    rng = np.random.default_rng(seed)
    sizes, parents = rng.integers(1, n_nodes, n_trees), []
    for n in sizes:
        up, free = [-1], [0] * n_most
        for k in range(1, n):
            up.append(free.pop(rng.integers(len(free))))
            free += [k] * n_most
        order = rng.permutation(n)
        place = np.argsort(order)
        parents += [-1 if up[k] < 0 else int(place[up[k]]) for k in order]
    n = int(sizes.sum())
    return Trees(rng.normal(size=(n, 3)), offsets_of(sizes), parents, rng.random(n) < share)


def built(cell, dtype=torch.float64, n_most=3):
    from sklearn.base import clone

    return clone(cell).build(3, 6, torch.Generator().manual_seed(0), most_children=n_most).to(dtype)


def forests(trees, dtype=torch.float64):
    return Forests(trees, np.zeros(3), np.ones(3), dtype, torch.device("cpu"))


def by_level(cell, trees, dtype=torch.float64, index=None):
    """The states of all nodes, in the order of the trees."""
    source, index = forests(trees, dtype), np.arange(len(trees)) if index is None else index
    states = climb(cell, source.packed(index))
    rows = source.rows(index)
    order = torch.from_numpy(np.argsort(rows))
    return [torch.cat(leaves)[order] for leaves in zip(*map(flat, states), strict=True)]


def by_node(cell, trees, dtype=torch.float64):
    """The same, each node after its children."""
    states = [None] * len(trees.parents)
    below = np.split(trees.below(), trees.child_offsets[1:-1])
    for node in np.argsort(-trees.depths, kind="stable"):
        x = torch.from_numpy(trees.tokens[[node]]).to(dtype)
        u = cell.project(x) if trees.has_token[node] else torch.zeros_like(cell.project(x))
        kids = below[node]
        state = map_state(lambda *s: torch.cat(s), *(states[k] for k in kids)) if len(kids) else None
        states[node] = cell.step(u, Children(state, np.ones(len(kids), dtype=np.int64), torch.zeros(len(kids), dtype=torch.int64), 1))
    return [torch.cat(leaves) for leaves in zip(*map(flat, states), strict=True)]


@every_cell
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_levels_are_the_nodes_one_by_one(cell, dtype):
    cell, trees = built(cell, dtype), random_trees()
    for level, node in zip(by_level(cell, trees, dtype), by_node(cell, trees, dtype), strict=True):
        torch.testing.assert_close(level, node, rtol=0, atol=TOLERANCE[dtype])


@every_cell
def test_gradients_are_those_of_the_nodes_one_by_one(cell):
    trees = random_trees(6)
    weight = torch.from_numpy(np.random.default_rng(1).normal(size=(len(trees.parents), 6)))
    found = []
    for run in (by_level, by_node):
        cell = built(cell)
        (run(cell, trees)[0] * weight).sum().backward()
        found.append([p.grad for p in cell.parameters()])
    for level, node in zip(*found, strict=True):
        torch.testing.assert_close(level, node, rtol=1e-10, atol=1e-12)


@every_cell
def test_the_gradient_is_right(cell):
    cell, trees = built(cell), random_trees(3, n_nodes=8)
    names = [name for name, _ in cell.named_parameters()]

    def states(*weights):
        forest = forests(trees).packed(np.arange(3))
        for name, weight in zip(names, weights, strict=True):
            setattr(cell, f"_{name}", weight)
        return torch.func.functional_call(Climbing(cell), {f"cell.{n}": w for n, w in zip(names, weights, strict=True)}, (forest,))

    assert torch.autograd.gradcheck(states, [p.detach().clone().requires_grad_() for p in cell.parameters()], fast_mode=True)


class Climbing(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, forest):
        return torch.cat([flat(state)[0] for state in climb(self.cell, forest)])


@every_cell
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_a_tree_has_the_same_bits_in_any_company(cell, dtype):
    cell, trees = built(cell, dtype), random_trees(30)
    with torch.inference_mode():
        together = by_level(cell, trees, dtype)
        for k in range(0, 30, 3):
            nodes = slice(trees.offsets[k], trees.offsets[k + 1])
            for alone, all_ in zip(by_level(cell, trees[[k]], dtype), together, strict=True):
                assert torch.equal(alone, all_[nodes])


def test_a_chain_of_thousands_of_nodes_has_a_gradient():
    n = 5000
    trees = Trees(np.zeros((n, 3)), [0, n], np.arange(-1, n - 1), np.arange(n) == n - 1)
    cell = built(ChildSumLSTM())
    by_level(cell, trees)[0].sum().backward()
    assert torch.isfinite(cell.R.grad).all()


@pytest.mark.parametrize("cut", ["cell_only", "none"])
def test_the_gradient_stops_where_it_should(cut):
    trees = Trees(np.ones((3, 3)), [0, 3], [-1, 0, 1])
    cell = built(ChildSumLSTM())
    forest = forests(trees).packed(np.arange(1))
    leaf = torch.ones(1, 3, dtype=torch.float64, requires_grad=True)
    rest = torch.ones(2, 3, dtype=torch.float64)
    climb(cell, forest._replace(data=torch.cat([leaf, rest])), grad_path=cut)[-1].h.sum().backward()
    assert bool(leaf.grad.any()) == (cut == "cell_only")
    assert bool(cell.W.grad.any())


# -- what a cell knows ---------------------------------------------------------------------------------------------------------------------------


def swapped(trees):
    """The children of each node in the other order: the nodes numbered from the last."""
    index = np.concatenate([np.arange(a, b)[::-1] for a, b in zip(trees.offsets[:-1], trees.offsets[1:], strict=True)])
    n = np.repeat(trees.n_nodes, trees.n_nodes)
    parents = trees.parents[index]
    return Trees(trees.tokens[index], trees.offsets, np.where(parents < 0, -1, n - 1 - parents), trees.has_token[index]), index


@every_cell
def test_only_cells_with_places_see_the_order_of_children(cell):
    cell, trees = built(cell), random_trees()
    other, index = swapped(trees)
    one, two = by_level(cell, trees)[0], by_level(cell, other)[0][torch.from_numpy(np.argsort(index))]
    if cell.tells_places:
        assert (one - two).abs().max() > 1e-3
    else:
        torch.testing.assert_close(one, two, rtol=0, atol=1e-12)


@every_cell
def test_no_token_is_another_thing_than_zeros(cell):
    """Zeros in units of the channels are the mean, and give the bias; so a frontend may tell them from nothing, and the mask does."""
    cell = built(cell)
    without = Trees(np.ones((2, 3)), [0, 2], [-1, 0], [False, True])
    with_ones = Trees(np.ones((2, 3)), [0, 2], [-1, 0])
    with_zeros = with_ones.with_tokens(np.array([[0.0, 0, 0], [1, 1, 1]]))
    root = [by_level(cell, trees)[0][0] for trees in (without, with_ones, with_zeros)]
    assert not torch.equal(root[0], root[1])
    torch.testing.assert_close(root[0], root[2], rtol=0, atol=0)
