"""LiquidStateTransformer: filtered spikes of a column of spiking neurons as features."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..._bases import TransformerMixin, _fit_context
from ...preprocessing._containers import give_back
from ..face._declared import parameters
from ..face._feature_frames import by_instance
from ..face._guards import seed_of, unchanged_on_error
from ..face._noted import as_fitted, note_parameters
from ..face._state import Fitted
from ._echo_state_transformer import EchoStateTransformer
from ._liquid import LiquidState
from ._settings import SummarizedOrNot, SummarySettings


@parameters
class LiquidStateTransformer(TransformerMixin, LiquidState, SummarySettings, SummarizedOrNot):
    """States of a column of spiking neurons as features for any model behind it (Maass, Natschläger & Markram, 2002).

    The liquid of a liquid state machine: an encoder makes spikes of the sequences, the column answers with spikes of its own, and these, low-pass
    filtered, are the features. Choose it for data that are spikes, and to study what such columns compute; for other sequences
    :class:`EchoStateTransformer` is cheaper and mostly better. Nothing is fitted but the encoder. The column is the one of the paper, see
    :class:`~skrnn.cells.Spiking`, which also has its less used constants: ``EchoStateTransformer(cell=Spiking(…))`` sets them.

    Raises
    ------
    ValueError
        From ``fit`` and ``transform``, if a parameter or X is not as described, or if what reaches the column is no spikes.

    Notes
    -----
    The features are h(t), for each neuron the sum of its spikes until t, each weighted with exp(−age / filter_time), pooled over t. Work is
    O(H (F + 1)) a step of spikes for H neurons and F channels, and O(1) for each synapse of a neuron that spikes.

    References
    ----------
    W. Maass, T. Natschläger, H. Markram, "Real-time computing without stable states: a new framework for neural computation based on perturbations",
    Neural Computation 14(11), 2002.

    Examples
    --------
    >>> from skrnn import LiquidStateTransformer
    >>> from skrnn.datasets import make_spike_templates
    >>> X, y = make_spike_templates(20, duration=250, random_state=0)
    >>> states = LiquidStateTransformer(
    ...     encoder=None, pooling="last", random_state=0
    ... ).fit_transform(X)
    >>> states.shape
    (20, 135)
    """

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("liquid_", "EchoStateTransformer", (), "The column, fitted: ``liquid_.network_`` is the torch module."),
    )

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the encoder and draw the column.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths; the rows of a 2-D array are univariate sequences.
        y : ignored

        Returns
        -------
        self
        """
        with unchanged_on_error(self):
            (sequences, _), seed = self._read(X, reset=True), seed_of(self.random_state)
            self._fit_encoder(sequences, seed)
            self.liquid_ = EchoStateTransformer(**self._liquid_settings(seed)).fit(self._spikes(sequences))
            note_parameters(self)
        return self

    def transform(self, X: Any) -> Any:
        """Pooled states of each sequence, or the states of all its steps.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences, n_features_out)
            With ``pooling=None`` a list of (n_steps, n_features_out), or an array of three axes for equal lengths in an array; the steps are those
            that come out of the encoder.
        """
        check_is_fitted(self)
        model = as_fitted(self)
        sequences, layout = model._read(X, reset=False)
        states = self.liquid_.transform(give_back(model._spikes(sequences), layout))
        return states if model.pooling is None else by_instance(self, X, states)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the features: cell and unit.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        return self.liquid_.get_feature_names_out()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
