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
from ..face._guards import predicting
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
    source = predictor.source(given.sequences)
    outputs = np.empty((given.sequences.offsets[-1], len(predictor.network.head.b)))
    with predicting(predictor.model):
        for index in source.chunks():
            outputs[source.rows(index)] = predictor.network.at_nodes(source.packed(index)).double().cpu().numpy()
    return give_steps(predictor.target.decode(outputs), *given)


def root_vectors(predictor: Predictor[Any], X: Any) -> NDArray[np.floating]:
    """Hidden states of the roots (n_trees, hidden_size)."""
    trees, network = predictor.read(X).sequences, predictor.network
    source = predictor.source(trees)
    vectors = np.empty((len(trees), network.recurrent.hidden_size), str(source.dtype).removeprefix("torch."))
    with predicting(predictor.model):
        for index in source.chunks():
            vectors[index] = network.vectors(source.packed(index)).cpu().numpy()
    return vectors


def names_of_units(model: Any) -> NDArray[np.object_]:
    """The cell's name and h0, h1, … for each unit."""
    check_is_fitted(model)
    cell = model.network_.recurrent
    return np.array([f"{type(cell).__name__.lower()}_h{k}" for k in range(cell.hidden_size)], dtype=object)


def as_tree_tags(tags: Any) -> Any:
    """Tags of an estimator whose X is neither a table nor numbers."""
    tags._skip_test = True  # scikit-learn's checks bring tables, and no trees
    tags.input_tags.two_d_array = False
    tags.input_tags.three_d_array = False
    tags.transformer_tags.preserves_dtype = []
    return tags
