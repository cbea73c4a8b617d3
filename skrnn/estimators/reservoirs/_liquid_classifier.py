"""LiquidStateClassifier: an encoder, a column of spiking neurons, and a readout of their filtered spikes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..._bases import ClassifierMixin, _fit_context
from ...data import Sequences
from ..face._declared import parameters
from ..face._guards import seed_of, unchanged_on_error
from ..face._noted import as_fitted, note_parameters
from ..face._readers import Rows
from ..face._settings import ClassWeighted
from ..face._state import Fitted
from ._echo_state_classifier import EchoStateClassifier
from ._liquid import LiquidState
from ._settings import ReadoutSettings, Summarized, SummarySettings


@parameters
class LiquidStateClassifier(ClassifierMixin, LiquidState, ClassWeighted, ReadoutSettings, SummarySettings, Summarized):
    """Liquid state machine for a class of each sequence (Maass, Natschläger & Markram, 2002).

    An encoder makes spikes of the sequences, a column of spiking neurons answers with spikes of its own, and a linear readout of these, low-pass
    filtered, tells the class. Choose it for data that are spikes, and to study what such columns compute; for other sequences
    :class:`EchoStateClassifier` is cheaper and mostly better. Nothing is trained but the readout, in closed form. The column is the one of the
    paper, see :class:`~skrnn.cells.Spiking`, which also has its less used constants: ``EchoStateClassifier(cell=Spiking(…))`` sets them.

    Raises
    ------
    ValueError
        From ``fit``, if a parameter, X or y is not as described, or if what reaches the column is no spikes.

    Notes
    -----
    With h(t) for each neuron the sum of its spikes until t, each weighted with exp(−age / filter_time), and z what ``pooling`` makes of it::

        ŷ = coef z + intercept

    by ridge regression on columns of 0 and 1 for the classes (one column of 1 and -1 for two). Work is O(H (F + 1)) a step of spikes for H neurons
    and F channels, and O(1) for each synapse of a neuron that spikes.

    References
    ----------
    W. Maass, T. Natschläger, H. Markram, "Real-time computing without stable states: a new framework for neural computation based on perturbations",
    Neural Computation 14(11), 2002.
    D. Verstraeten, B. Schrauwen, D. Stroobandt, J. Van Campenhout, "Isolated word recognition with the liquid state machine: a case study",
    Information Processing Letters 95(6), 2005.

    Examples
    --------
    >>> from skrnn import LiquidStateClassifier
    >>> from skrnn.datasets import make_spike_templates
    >>> X, y = make_spike_templates(
    ...     150, duration=500, n_segments=2, random_state=0
    ... )
    >>> model = LiquidStateClassifier(
    ...     encoder=None, pooling="last", random_state=0
    ... ).fit(X[:100], y[:100, 1])
    >>> model.score(X[100:], y[100:, 1])
    1.0
    """

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("classes_", "ndarray", ("n_classes",), "The labels."),
        Fitted(
            "liquid_",
            "EchoStateClassifier",
            (),
            "The column and its readout, fitted: ``liquid_.network_`` is the torch module, ``liquid_.coef_``, ``liquid_.intercept_`` and\n"
            "    ``liquid_.alpha_`` are the readout.",
        ),
    )

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the encoder, draw the column, and solve for the readout.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths; the rows of a 2-D array are univariate sequences.
        y : array-like of shape (n_sequences,)
            The class of each sequence.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts; the encoder does not see those that do not.

        Returns
        -------
        self
        """
        with unchanged_on_error(self):
            given, seed = self._read(X, reset=True), seed_of(self.random_state)
            sequences = counted = given.sequences
            if sample_weight is not None:
                sample_weight = Rows(self.dtype).weights(sample_weight, given)
                counted = sequences[sample_weight > 0]
            self._fit_encoder(counted, seed)
            self.liquid_ = EchoStateClassifier(**self._liquid_settings(seed)).fit(self._spikes(sequences), y, sample_weight)
            self.classes_ = self.liquid_.classes_
            note_parameters(self)
        return self

    def _spikes_of(self, X: Any) -> Sequences:
        check_is_fitted(self)
        model = as_fitted(self)
        return model._spikes(model._read(X, reset=False).sequences)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Outputs of the readout: near 1 for a sequence of the class and near 0 for others; of two classes, near 1 and -1.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences,) or (n_sequences, n_classes)
        """
        spikes = self._spikes_of(X)
        return self.liquid_.decision_function(spikes)

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each sequence.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences,)
        """
        spikes = self._spikes_of(X)
        return self.liquid_.predict(spikes)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences, n_classes)
            In the order of ``classes_``; rows sum to 1.
        """
        spikes = self._spikes_of(X)
        return self.liquid_.predict_proba(spikes)
