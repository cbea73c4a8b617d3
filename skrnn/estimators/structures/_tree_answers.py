"""What all estimators of trees do."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ...cells.trees import resolve_tree_cell
from ...data import give_steps
from ...networks import TreeNetwork
from ..face._feature_frames import names_of_units
from ..face._predictor import Predictor
from ..face._trained import seeing_frontend


def tree_network(model: Any, bias: torch.Tensor, generator: torch.Generator) -> TreeNetwork:
    """The network that an estimator's parameters describe."""
    frontend, width = seeing_frontend(model, generator)
    if frontend is not None and (frontend.mixes_steps or frontend.changes_lengths):
        raise ValueError(f"Nodes of trees need a frontend that looks at each token by itself; got frontend={frontend!r}")
    cell = resolve_tree_cell(model.cell).build(width, model.hidden_size, generator, most_children=model.max_children_)
    return TreeNetwork(cell, bias, frontend, per_node=model.per_node_, dropout=model.dropout)


def answers_at_nodes(predictor: Predictor[Any], X: Any) -> Any:
    """What the target makes of the outputs at every node of each tree."""
    given = predictor.read(X)
    outputs = predictor.gathered(given.sequences, predictor.network.at_nodes, len(predictor.network.head.b), per_step=True)
    return give_steps(predictor.target.decode(outputs), *given)


def root_vectors(predictor: Predictor[Any], X: Any) -> NDArray[np.floating]:
    """Hidden states of the roots (n_trees, hidden_size)."""
    trees, network = predictor.read(X).sequences, predictor.network
    return predictor.gathered(trees, network.vectors, network.recurrent.hidden_size, dtype=predictor.dtype)


def names_of_root_vectors(model: Any) -> NDArray[np.object_]:
    """The cell's name and h0, h1, … for each unit."""
    check_is_fitted(model)
    cell = model.network_.recurrent
    return names_of_units(cell, cell.hidden_size)


def as_tree_tags(tags: Any) -> Any:
    """Tags of an estimator whose X is neither a table nor numbers."""
    tags._skip_test = True  # scikit-learn's checks bring tables, and no trees
    tags.input_tags.two_d_array = False
    tags.input_tags.three_d_array = False
    tags.transformer_tags.preserves_dtype = []
    return tags
