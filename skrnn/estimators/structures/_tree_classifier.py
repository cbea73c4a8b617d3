"""A class, or a set of labels, for each tree or for each of their nodes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from ..._bases import ClassifierMixin, TransformerMixin, _fit_context
from ...networks import TreeNetwork
from ..face._declared import parameters
from ..face._held_out import HELD_OUT
from ..face._predictor import compared
from ..face._settings import ClassWeighted, Decayed, Fronted, Standardized
from ..face._state import ClassState
from ..face._targets import Classes, told_classes
from ..face._trained import Trained, encoding_of
from ._reading import TreeReader
from ._settings import OverTrees
from ._tree_answers import answers_at_nodes, as_tree_tags, names_of_root_vectors, root_vectors, tree_network


@parameters
class TreeClassifier(
    ClassifierMixin,
    TransformerMixin,
    OverTrees,
    ClassWeighted,
    Decayed,
    Trained,
    Standardized,
    Fronted,
    ClassState,
):
    """Classify trees, or each of their nodes, with a recursive network (Socher et al., 2013; Tai et al., 2015).

    For sentences that are parsed, formulas, source code, molecules without rings, pages: whatever has parts within parts. A node is computed from
    its own token and its children, from the leaves to the root, all nodes of a level of a whole batch at once. Trees may have any shape and depth.

    Notes
    -----
    ::

        h(n) = cell(x(n), h(children of n))                     at every node n; x(n) is missing where it has no token
        p(n) = softmax(V h(n) + d)                              at the root, or at every node

    V starts at zero and d at the log shares of the classes. With targets for nodes every node counts alike, so that large trees count more; nodes
    whose target is None or NaN are seen, but neither trained on nor scored.

    References
    ----------
    R. Socher et al., "Recursive deep models for semantic compositionality over a sentiment treebank", EMNLP 2013.
    K. S. Tai, R. Socher, C. D. Manning, "Improved semantic representations from tree-structured long short-term memory networks", ACL 2015.

    Examples
    --------
    >>> from skrnn import TreeClassifier
    >>> from skrnn.datasets import make_boolean_trees
    >>> X, y = make_boolean_trees(400, random_state=0)
    >>> model = TreeClassifier(
    ...     "n_ary", hidden_size=16, max_epochs=20, random_state=0
    ... ).fit(X[:300], y[:300])
    >>> model.score(X[300:], y[300:]) > 0.9
    True
    """

    __metadata_request__fit = HELD_OUT

    def _reader(self) -> TreeReader:
        return TreeReader(self.dtype, self.standardize, encoding=encoding_of(self), model=self)

    def _target(self) -> Classes:
        return Classes(self, self.dtype, per_step=vars(self).get("per_node_", False), class_weight=self.class_weight)

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
        y : array-like of shape (n_trees,) or (n_trees, n_labels); or list of n_trees arrays (n_nodes,) or (n_nodes, n_labels)
            One target for each tree, or for each of its nodes in their order; None or NaN for a node without one.
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
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over some trees, at the constant learning rate.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever come; needed in the first call.

        Returns
        -------
        self
        """
        known = self.classes_ if self.__sklearn_is_fitted__() else None
        return self._one_pass(X, y, sample_weight, told_classes(classes, known))

    def predict(self, X: Any) -> Any:
        """The likeliest class, or the labels, of each tree, or of each node if targets were those of nodes.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_trees,) or (n_trees, n_labels), or list of ndarray of shape (n_nodes,) or (n_nodes, n_labels)
        """
        return self._predictor().answers(X)

    def predict_nodes(self, X: Any) -> list[NDArray[Any]]:
        """The likeliest class, or the labels, of each node, as if it were the root of a tree.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        list of ndarray of shape (n_nodes,) or (n_nodes, n_labels)
            In the order of the nodes; what ``predict`` gives if targets were those of nodes.
        """
        return answers_at_nodes(self._predictor(), X)

    def decision_function(self, X: Any) -> Any:
        """Log odds of the second of two classes and of each label, or unnormalised log probabilities of several classes.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_trees,) or (n_trees, n_classes), or list of ndarray of shape (n_nodes,) or (n_nodes, n_classes)
        """
        return self._predictor().answers(X, Classes.log_odds)

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes, or of each label.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_trees, n_classes), or list of ndarray of shape (n_nodes, n_classes)
            In the order of ``classes_``.
        """
        return self._predictor().answers(X, Classes.probabilities)

    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of :meth:`predict_proba`, exact where the probabilities underflow.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_trees, n_classes), or list of ndarray of shape (n_nodes, n_classes)
        """
        return self._predictor().answers(X, Classes.log_probabilities)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of the trees, or of the nodes with a target, whose class or whole set of labels is right.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
        """
        labels, predicted, weight = compared(self._predictor(), X, y, sample_weight)
        right = np.asarray(labels == predicted).reshape(len(predicted), -1).all(axis=1)
        return float(np.average(right, weights=weight))

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
        tags.classifier_tags.multi_label = True
        return tags
