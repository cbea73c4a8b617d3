"""EchoStateTransformer: states of a fixed reservoir as features."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..._bases import TransformerMixin, _fit_context
from ...data import ROWS, give_steps
from ..face._declared import parameters
from ..face._feature_frames import by_instance
from ..face._guards import predicting, seed_of
from ..face._noted import as_fitted
from ..face._readers import Rows
from ._blueprint import Blueprint, Scales
from ._drive import warn_of_constants
from ._echo_state import EchoState
from ._pooling import Components, ComponentState, StatePooling, sums_of_states
from ._settings import GivenScales, MeanWashout, SummarizedOrNot, SummarySettings


@parameters
class EchoStateTransformer(TransformerMixin, EchoState, MeanWashout, SummarySettings, SummarizedOrNot, GivenScales, ComponentState):
    """States of a reservoir as features for any model behind it (Jaeger, 2001).

    Choose it to put a fixed recurrent network before a classifier, a regressor or a clustering of scikit-learn. Nothing is fitted but the means and
    scales of the channels; ``y`` is ignored, so the scales of the reservoir are plain parameters, to be searched.

    Raises
    ------
    ValueError
        From ``fit`` and ``transform``, if a parameter or X is not as described, or if the states become infinite.

    Notes
    -----
    The equations are those of :class:`~skrnn.cells.Reservoir`; O(N) a step for N units. The features are the standardised input, if
    ``include_input``, and the states of each group and layer.

    References
    ----------
    H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural networks", GMD report 148, 2001.
    F. M. Bianchi et al., "Reservoir computing approaches for representation and classification of multivariate time series", IEEE Transactions on
    Neural Networks and Learning Systems 32(5), 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import EchoStateTransformer
    >>> X = [np.random.default_rng(n).normal(size=(n, 2)) for n in (5, 9, 7)]
    >>> EchoStateTransformer(hidden_size=50, random_state=0).fit_transform(
    ...     X
    ... ).shape
    (3, 52)
    >>> [
    ...     states.shape
    ...     for states in EchoStateTransformer(
    ...         hidden_size=50, pooling=None
    ...     ).fit_transform(X)
    ... ]
    [(5, 52), (9, 52), (7, 52)]
    """

    def _reader(self) -> Rows:
        return Rows(self.dtype, self.standardize)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the standardisation and draw the reservoir.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths; the rows of a 2-D array are univariate sequences.
        y : ignored

        Returns
        -------
        self
        """
        with self._fitting():
            sequences, _ = self._reader().read(self, X, reset=True)
            self._measure(sequences)
            warn_of_constants(sequences)
            StatePooling.of(self).require_steps(sequences.lengths)
            blueprint = Blueprint(self, sequences.n_features, seed_of(self.random_state))
            self.network_ = blueprint.build(Scales(self.spectral_radius, self.leak_rate, self.input_scaling))
            if self.pooling == "model":
                Components.of(sums_of_states(self._drive(sequences)), self.n_components).store(self)
        return self

    def transform(self, X: Any) -> Any:
        """Pooled states of each sequence, or the states of all its steps.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences, n_features_out)
            With ``pooling=None`` a list of (n_steps, n_features_out), or an array of three axes for equal lengths in an array.
        """
        check_is_fitted(self)
        model = as_fitted(self)
        sequences, layout = model._reader().read(model, X, reset=False)
        with predicting(self):
            drive = self._drive(sequences)
            if model.pooling is not None:
                return by_instance(self, X, StatePooling.of(model).rows(drive))
            states = drive.features()
        return give_steps(states, sequences, layout) if layout != ROWS else states.reshape(len(sequences), -1, states.shape[1])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the features: channel or cell, group, layer and unit.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        model = as_fitted(self)
        channels = [f"x{k}" for k in range(len(self.mean_))] if model.include_input else []
        names = channels + [
            f"{type(cell).__name__.lower()}{group}_{layer}_h{k}"
            for group, layers in enumerate(self.network_.groups)
            for layer, cell in enumerate(layers)
            for k in range(model.hidden_size)
        ]
        return np.array(names if model.pooling is None else StatePooling.of(model).names(names), dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
