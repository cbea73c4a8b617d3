"""Parameters of estimators that read trees, and what their fit leaves."""

from __future__ import annotations

from dataclasses import field
from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from ...cells.trees import TreeCell, resolve_tree_cell
from ..face._declared import NETWORK, parameters
from ..face._state import Fitted


class TreeState:
    """What the trees of a fit had."""

    max_children_: int
    per_node_: bool

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("max_children_", "int", (), "The most children of a node in ``fit``."),
        Fitted("per_node_", "bool", (), "Whether targets are those of nodes, and not of trees."),
    )


@parameters
class OverTrees(TreeState):
    """A cell at every node.

    Parameters
    ----------
    cell : str or TreeCell, default="child_sum"
        What happens at a node: "child_sum" for any number of children in any order; "n_ary", "recursive" or "rntn" for children that have places; or
        a cell of :mod:`skrnn.cells.trees` with its own settings, whose parameters can be searched as ``cell__…``.
    hidden_size : int, default=64
        Units of a node; more can represent more and cost quadratically more.
    frontend : Frontend, "auto" or None, default="auto"
        What stands between the token of a node and the cell: ``Embedding`` for categories and words, or ``PerFrame`` for a picture at each node, of
        :mod:`skrnn.frontends`. Its parameters can be searched as ``frontend__…``. "auto" is ``Embedding(channels="from_dtype")`` where tokens are
        strings, else ``None``: the cell sees numbers as they are.
    dropout : float, default=0.0
        Share of the units set to zero before the answer while training.
    per_node : bool or "auto", default="auto"
        Whether ``y`` holds a target for each node of each tree, a list of them for each tree, or one for each tree. "auto" sees it from ``y``, which
        it refuses where both may be meant: as many columns as every tree has nodes.
    batch_size : int or None, default=32
        Trees a step of the optimiser sees; ``None`` is all of them.
    rule : {"bptt", "guessing"} or Rule, default="bptt"
        How the network learns: by back-propagation through the structure, or a rule of :mod:`skrnn.engine` with its own settings.
    penalties : penalty, tuple or list of penalties, or None, default=None
        What the network is trained against beside its loss: :class:`skrnn.training.WeightNoise`, whose parameters can be searched as
        ``penalties__…``.
    frozen : str, or list or tuple of str, default=()
        Parts of ``network_`` whose weights training leaves as they are, by the names that ``summary`` shows: "frontend", "recurrent" or "head".
    validation_fraction : float, default=0.1
        Share of the trees that is set aside.
    standardize : bool, default=True
        Subtract the mean and divide by the standard deviation of each channel over the tokens of the training set, where these are numbers.
    """

    cell: str | TreeCell = field(default="child_sum", kw_only=False)
    hidden_size: int = 64
    dropout: float = 0.0
    per_node: bool | str = "auto"

    _resolve_cell: ClassVar[Any] = staticmethod(resolve_tree_cell)
    _place: ClassVar[int] = NETWORK
    _built_from: ClassVar[tuple[str, ...]] = ("hidden_size", "dropout", "per_node")  # and the cell
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "cell": [str, TreeCell],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "per_node": ["boolean", StrOptions({"auto"})],
    }
