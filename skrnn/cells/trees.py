"""Cells of trees: what happens at a node, given its own input and the states of its children.

Every name in ``NAMES`` can be given to a tree estimator as ``cell="name"``, or as an object with its own settings.
"""

from typing import Any

from ._recursive import RNTN, RvNN
from ._tree import Children, TreeCell
from ._tree_lstm import ChildSumLSTM, NAryLSTM

__all__ = ["RNTN", "ChildSumLSTM", "Children", "NAryLSTM", "RvNN", "TreeCell"]

NAMES: dict[str, type[TreeCell]] = {"recursive": RvNN, "rntn": RNTN, "child_sum": ChildSumLSTM, "n_ary": NAryLSTM}


def resolve_tree_cell(cell: Any) -> TreeCell:
    """An unbuilt cell of its own for a name or a cell."""
    from sklearn.base import clone

    if isinstance(cell, TreeCell):
        return clone(cell)
    if isinstance(cell, str) and cell in NAMES:
        return NAMES[cell]()
    raise ValueError(f"The 'cell' parameter must be a TreeCell of skrnn.cells.trees or one of {sorted(NAMES)}; got {cell!r}")
