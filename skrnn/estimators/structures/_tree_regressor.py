"""One number, or several, for each tree or for each of their nodes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from ..._bases import RegressorMixin, TransformerMixin, _fit_context
from ...networks import TreeNetwork
from ..face._declared import parameters
from ..face._held_out import HELD_OUT
from ..face._predictor import compared
from ..face._settings import Decayed, Fronted, Measured, Standardized
from ..face._state import NumberState
from ..face._targets import Numbers
from ..face._trained import Trained, encoding_of
from ._reading import TreeReader
from ._settings import OverTrees
from ._tree_answers import answers_at_nodes, as_tree_tags, names_of_root_vectors, root_vectors, tree_network


@parameters
class TreeRegressor(
    RegressorMixin,
    TransformerMixin,
    OverTrees,
    Measured,
    Decayed,
    Trained,
    Standardized,
    Fronted,
    NumberState,
):
    """Predict one number, or several, for trees, or for each of their nodes, with a recursive network (Tai et al., 2015).

    For what parts within parts amount to: how similar, how long, how costly. A node is computed from its own token and its children, from the leaves
    to the root, all nodes of a level of a whole batch at once. Trees may have any shape and depth. Targets are standardised inside; `loss` says what
    of them is predicted.

    Notes
    -----
    ::

        h(n) = cell(x(n), h(children of n))                     at every node n; x(n) is missing where it has no token
        prediction(n) = target_mean_ + target_scale_ (V h(n) + d)                               at the root, or at every node

    V starts at zero and d where the loss of a constant is least. With ``loss="poisson"`` and ``"gamma"`` the prediction is
    ``target_mean_ · exp(V h(n) + d)``. Nodes whose target is NaN (in any output) are seen, but neither trained on nor scored.

    References
    ----------
    K. S. Tai, R. Socher, C. D. Manning, "Improved semantic representations from tree-structured long short-term memory networks", ACL 2015.

    Examples
    --------
    >>> from skrnn import TreeRegressor
    >>> from skrnn.datasets import make_boolean_trees
    >>> X, _ = make_boolean_trees(300, random_state=0)
    >>> leaves = [tokens.count("0") + tokens.count("1") for tokens, _ in X]
    >>> model = TreeRegressor(
    ...     hidden_size=16, max_epochs=20, random_state=0
    ... ).fit(X[:200], leaves[:200])
    >>> model.score(X[200:], leaves[200:]) > 0.9
    True
    """

    __metadata_request__fit = HELD_OUT

    def _reader(self) -> TreeReader:
        return TreeReader(self.dtype, self.standardize, encoding=encoding_of(self), model=self)

    def _target(self) -> Numbers:
        return Numbers(self, self.dtype, per_step=vars(self).get("per_node_", False), loss=self.loss, quantile=self.quantile)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> TreeNetwork:
        return tree_network(self, bias, generator)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on trees.

        Parameters
        ----------
        X : Trees, or list of n_trees
            Each a nested tuple ``(token, child, …)``, a pair ``(tokens, parents)``, a text in brackets, or a ``networkx.DiGraph``: see
            :func:`skrnn.data.as_trees`.
        y : array-like of shape (n_trees,) or (n_trees, n_outputs); or list of n_trees arrays (n_nodes,) or (n_nodes, n_outputs)
            One target for each tree, or for each of its nodes in their order; NaN for a node without one.
        sample_weight : array-like of shape (n_trees,), or in the shape of y, default=None
            How much each tree, or each node, counts.
        X_val, y_val : as X and y, default=None
            Trees and targets for early stopping.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and tree and node; the estimator is unchanged.
        TypeError
            If X is no list of trees.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val))

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one pass over some trees, at the constant learning rate; the first call fixes the standardisation.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        return self._one_pass(X, y, sample_weight)

    def predict(self, X: Any) -> Any:
        """Predict a target for each tree, or for each node if targets were those of nodes.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_trees,) or (n_trees, n_outputs), or list of ndarray of shape (n_nodes,) or (n_nodes, n_outputs)
        """
        return self._predictor().answers(X)

    def predict_nodes(self, X: Any) -> list[NDArray[Any]]:
        """Predict a target for each node, as if it were the root of a tree.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        list of ndarray of shape (n_nodes,) or (n_nodes, n_outputs)
            In the order of the nodes; what ``predict`` gives if targets were those of nodes.
        """
        return answers_at_nodes(self._predictor(), X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Coefficient of determination R² over the trees, or over the nodes with a target, mean over the outputs.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
        """
        y, predicted, weight = compared(self._predictor(), X, y, sample_weight)
        return float(r2_score(y, predicted, sample_weight=weight))

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Hidden states of the roots: features for another model.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_trees, hidden_size)
        """
        return root_vectors(self._predictor(), X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns of ``transform``: the cell's name and h0, h1, …

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        return names_of_root_vectors(self)

    def __sklearn_tags__(self) -> Any:
        tags = as_tree_tags(super().__sklearn_tags__())
        tags.target_tags.multi_output = True
        return tags
