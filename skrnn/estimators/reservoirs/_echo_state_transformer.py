"""EchoStateTransformer: states of a fixed reservoir as features."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import TransformerMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from ..data import Sequences, check_sequences_and_layout, give_steps
from ..engine import limit_threads
from ._guards import seed_of, unchanged_on_error
from ._pooled_states import PooledStates
from ._reservoir_base import Pass
from ._reservoir_parameters import ReservoirParameters, parameters
from ._state_features import POOLINGS


@parameters
class EchoStateTransformer(TransformerMixin, PooledStates):
    """States of a reservoir as features for any model behind it (Jaeger, 2001).

    Choose it to put a fixed recurrent network before a classifier, a regressor or a clustering of scikit-learn. Nothing is fitted but the means and
    scales of the channels; ``y`` is ignored, so the scales of the reservoir are plain parameters, to be searched.

    Parameters
    ----------
    <shared parameters>

    Attributes
    ----------
    network_ : Reservoirs
        The reservoirs, a torch module.
    components_ : ndarray of shape (n_components, n_states)
        With ``pooling="model"``: the directions in which the states move most.
    mean_, scale_ : ndarray of shape (n_channels,)
        What is subtracted from and divided by each channel.
    n_features_in_ : int
        Channels of the sequences, or columns if X was 2-D.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a frame of numbers.

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
    >>> EchoStateTransformer(hidden_size=50, random_state=0).fit_transform(X).shape
    (3, 52)
    >>> [states.shape for states in EchoStateTransformer(hidden_size=50, pooling=None).fit_transform(X)]
    [(5, 52), (9, 52), (7, 52)]
    """

    spectral_radius: Any = 0.9
    leak_rate: Any = 1.0
    input_scaling: Any = 0.3

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = PooledStates._parameter_constraints | {
        "pooling": [StrOptions(set(POOLINGS)), None],
        **{name: ReservoirParameters._parameter_constraints[name][:-1] for name in ("spectral_radius", "leak_rate", "input_scaling")},
    }

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
        with limit_threads(self.n_threads), torch.inference_mode(), unchanged_on_error(self):
            sequences, _ = self._sequences(X, reset=True)
            self._measure(sequences)
            self._warn_of_constants(sequences)
            self._require_steps(sequences.lengths)
            settings = {name: getattr(self, name) for name in ("spectral_radius", "leak_rate", "input_scaling")}
            self.network_ = self._build(settings, seed_of(self.random_state))
            if self.pooling == "model":
                self._keep_components(self._state_sums(sequences))
        return self

    def _sequences(self, X: Any, *, reset: bool) -> tuple[Sequences, str]:
        return check_sequences_and_layout(self, X, reset=reset, compute_dtype=self.dtype)

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
        sequences, layout = self._sequences(X, reset=False)
        with limit_threads(self.n_threads), torch.inference_mode():
            if self.pooling is not None:
                return self._pooled(sequences)
            states = np.empty((sequences.n_steps_total, self.network_.output_size), self.dtype)
            for rows, features in Pass(self.network_, sequences, (self.mean_, self.scale_)):
                states[rows] = features
        return give_steps(states, sequences, layout) if layout != "rows" else states.reshape(len(sequences), -1, states.shape[1])

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
        return np.array(self._state_names() if self.pooling is None else self._pooled_names(), dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
