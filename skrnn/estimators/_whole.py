"""The faces of networks that see whole sequences: one target for each sequence."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import TransformerMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from ..engine import limit_threads
from ..networks import POOLINGS, SequenceNetwork
from ..training import Batches
from ._base import in_order
from ._parameters import parameters
from ._windowed import BaseWindowed


@parameters
class BaseWholeSequence(TransformerMixin, BaseWindowed, ABC):
    """fit, predict and transform for one target a sequence."""

    pooling: str = "max"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseWindowed._parameter_constraints | {"pooling": [StrOptions(set(POOLINGS))]}

    _built_from: ClassVar[tuple[str, ...]] = (*BaseWindowed._built_from, "pooling")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on sequences.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths; the rows of a 2-D array are univariate sequences, or windows as `n_lags`, `layout` and `step_order` say.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs)
            One target for each sequence.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts.
        X_val, y_val : as X and y, default=None
            Sequences and targets for early stopping. In a :class:`~sklearn.pipeline.Pipeline` they pass through the steps before with
            ``transform_input=["X_val"]``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X is no container of sequences.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val))

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> SequenceNetwork:
        return SequenceNetwork(self._recurrent(len(self.mean_), generator), self.pooling, bias)

    def _features(self, X: Any) -> Iterator[tuple[NDArray[np.int64], torch.Tensor]]:
        """Pooled hidden states chunk after chunk, with the rows they belong to."""
        check_is_fitted(self)
        network: Any = self.network_
        weight = network.head.W
        sequences = self._read(X, reset=False)
        batches = Batches(sequences, self.mean_, self.scale_, weight.dtype, weight.device)
        for index in batches.chunks():
            yield index, network.features(batches.packed(index))

    def _outputs(self, X: Any) -> NDArray[np.float64]:
        """Outputs of the network (n_sequences, n_outputs)."""
        with limit_threads(self.n_threads), torch.inference_mode():
            return in_order([(index, self.network_.head(features).double().cpu().numpy()) for index, features in self._features(X)])

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict a target for each sequence.

        Parameters
        ----------
        X : as in ``fit``
            Sequences of any lengths, with the channels seen in ``fit``.

        Returns
        -------
        ndarray of shape (n_sequences,) or (n_sequences, n_outputs)
        """
        return self._decode(self._outputs(X))

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Pooled hidden states: features for another model.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences, n_units)
            ``n_units`` is ``hidden_size``, twice if bidirectional (forward units first).
        """
        with limit_threads(self.n_threads), torch.inference_mode():
            return in_order([(index, features.cpu().numpy()) for index, features in self._features(X)])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns of ``transform``: the cell's name and h0, h1, …

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        name = type(self.network_.recurrent.layers[0][0]).__name__.lower()
        return np.array([f"{name}_h{k}" for k in range(self.network_.recurrent.output_size)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
