"""What tree estimators read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _check_sample_weight

from ...cells.trees import resolve_tree_cell
from ...data import are_of_nodes, check_trees, give_steps, node_rows, node_weights, refuse_more_children, tokens_of, tree_rows, unmasked
from ...data._reading import LIST
from ...training import Forests
from ..face._readers import Given, Reader, read_pair

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TreeReader(Reader):
    """Trees, with one answer for each of them, or for each of their nodes.

    Parameters
    ----------
    model : estimator
        Which knows, or learns where a pair is read with ``reset``, whether there is an answer for each node.
    """

    model: Any = field(kw_only=True)

    @property
    def per_step(self) -> bool:  # type: ignore[override]
        """Whether there is an answer for each node."""
        return bool(vars(self.model).get("per_node_", False))

    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        trees: Any = check_trees(model, X, reset=reset, compute_dtype=self.dtype, encoding=self.encoding)
        if reset:
            model.max_children_ = int(np.diff(trees.child_offsets).max())
        cell = resolve_tree_cell(model.cell)
        if cell.tells_places:
            most = cell.room(model.max_children_)
            refuse_more_children(trees, most, f"cell={model.cell!r} has weights for {most} of a node: the most in fit, or what n_children says")
        return Given(trees, LIST)

    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        if not reset:
            return read_pair(self, model, X, y, target, reset=reset, names=names)
        given = self.read(model, X, reset=True)
        trees: Any = given.sequences
        model.per_node_ = are_of_nodes(y, trees) if model.per_node == "auto" else bool(model.per_node)
        target.per_step = model.per_node_
        return given, target.read(y, given, self)

    def align(self, y: Any, given: Given) -> Any:
        trees: Any = given.sequences
        return node_rows(y, trees) if self.per_step else tree_rows(y, trees)

    def weights(self, sample_weight: Any, given: Given) -> Array:
        trees: Any = given.sequences
        if self.per_step:
            return node_weights(sample_weight, trees)
        return _check_sample_weight(unmasked(sample_weight), trees, dtype=np.float64, ensure_non_negative=True)

    def give(self, answers: NDArray[Any], given: Given) -> Any:
        return give_steps(answers, *given) if self.per_step else answers

    def scales(self, sequences: Any, weight: Array | None) -> tuple[Array, Array]:
        return super().scales(tokens_of(sequences), weight)

    def source(self, sequences: Any, mean: Array, scale: Array, dtype: Any, device: Any) -> Forests:
        return Forests(sequences, mean, scale, dtype, device)
