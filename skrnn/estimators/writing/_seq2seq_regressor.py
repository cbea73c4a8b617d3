"""A sequence of numbers from a sequence."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from ..._bases import RegressorMixin, _fit_context
from ...data import TableLayout
from ...networks import Encoder, Seq2Seq, Values
from ..face._declared import parameters
from ..face._held_out import HELD_OUT
from ..face._readers import Rows
from ..face._settings import Decayed, Directed, Fronted, Recurrence, Stacked, Standardized, Windowed
from ..face._trained import Trained, encoding_of, seeing_layers
from ._decoder import attending_network, follow_the_schedule, looks
from ._numbers import NumberSequences, WrittenNumbersState, r2_of_written, written_as_targets
from ._settings import Decoding, Looking, SourceSteps, WritesNumbers


@parameters
class Seq2SeqRegressor(
    RegressorMixin,
    WritesNumbers,
    Decayed,
    Decoding,
    Looking,
    SourceSteps,
    Trained,
    Windowed,
    Standardized,
    Directed,
    Fronted,
    Stacked,
    Recurrence,
    WrittenNumbersState,
):
    """Turn one sequence of numbers into another, of another length, with an encoder and a decoder (Sutskever et al., 2014; Cho et al., 2014).

    For what comes after a sequence, or stands for it: the next steps of a window, a slower signal, a trajectory. For numbers at the very steps of
    the source :class:`RNNSequenceRegressor` is simpler and better; for words :class:`Seq2SeqTranslator`. Start without attention, where training
    runs through compiled kernels; add it when sources are long.

    Notes
    -----
    ::

        h(1), …, h(T) = layers of cells over x(1), …, x(T)              c = [h(T) forward; h(1) backward]
        s(0) = tanh(V c + b), or the encoder's last states              s(k) = decoder([y(k-1); c], s(k-1))
        y(k) = W s(k) + d                                               prediction(k) = target_mean_ + target_scale_ y(k)

    W starts at zero, y(0) is zero, the mean of the targets. While training y(k-1) is the target as often as ``teacher_forcing`` says. An encoder
    of one direction hands its last states on as they are. ``mode="direct"`` leaves y(k-1) out, ``context`` says where c goes. With attention s(k)
    sees the outputs h of all steps; the equations stand at :class:`skrnn.networks.Attending`. X may be 3-D, a list of 2-D arrays, or 2-D: a
    univariate sequence in each row. y may be (n_sequences, n_steps), (n_sequences, n_steps, n_outputs), a list of arrays of any lengths, or 1-D:
    one step. Held-out pairs are scored on the decoder's own output, as ``predict`` writes it.

    References
    ----------
    I. Sutskever, O. Vinyals, Q. V. Le, "Sequence to sequence learning with neural networks", NIPS 2014.
    K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation", EMNLP 2014.
    D. Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by jointly learning to align and translate", ICLR 2015.
    M.-T. Luong, H. Pham, C. D. Manning, "Effective approaches to attention-based neural machine translation", EMNLP 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import Seq2SeqRegressor
    >>> t = np.random.default_rng(0).uniform(
    ...     0, 6, size=(200, 1)
    ... ) + 0.5 * np.arange(15)
    >>> X, y = np.sin(t[:, :10]), np.sin(t[:, 10:])
    >>> model = Seq2SeqRegressor(
    ...     hidden_size=16, max_epochs=30, random_state=0
    ... ).fit(X[:150], y[:150])
    >>> model.score(X[150:], y[150:]) > 0.9
    True
    """

    __metadata_request__fit = HELD_OUT

    def _reader(self) -> Rows:
        layout = TableLayout(self.n_lags, self.layout, self.step_order)
        return Rows(self.dtype, self.standardize, layout, encoding=encoding_of(self))

    def _target(self) -> NumberSequences:
        return NumberSequences()

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Seq2Seq:
        layers, frontend = seeing_layers(self, generator)
        encoder = Encoder(layers, frontend=frontend, reverse=self.reverse_source)
        feedback = Values(len(self.target_mean_)) if self.mode == "feedback" else None
        return attending_network(self, encoder, feedback, bias, generator)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on pairs of what is read and what should be written.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            What is read.
        y : array (n_sequences, n_steps) or (n_sequences, n_steps, n_outputs), list of arrays of any lengths, or array (n_sequences,) of one step
            What should be written.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each pair counts.
        X_val, y_val : as X and y, default=None
            Pairs for early stopping.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X or y is no container of what is described.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        follow_the_schedule(self)
        return self._fit(X, y, sample_weight, (X_val, y_val))

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one pass over some pairs, at the constant learning rate; the first call fixes scales and vocabularies.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        follow_the_schedule(self)
        return self._one_pass(X, y, sample_weight)

    def predict(self, X: Any, n_steps: Any = None) -> Any:
        """Write a sequence for each row.

        Parameters
        ----------
        X : as in ``fit``
        n_steps : int or array-like of shape (n_sequences,), default=None
            Steps to write; ``None`` is ``horizon_``, the number of steps in ``fit``, there the largest.

        Returns
        -------
        ndarray of shape (n_sequences,), (n_sequences, n_steps) or (n_sequences, n_steps, n_outputs), or list of ndarray
            In the shape of the targets of ``fit``; a list of (n_steps,) or (n_steps, n_outputs) if those had lengths of their own, or if ``n_steps``
            holds a number for each row.
        """
        return written_as_targets(self._predictor(), X, n_steps)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Coefficient of determination R².

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
            The mean over all steps and outputs, as scikit-learn's ``r2_score`` does over the columns of (n_sequences, n_steps · n_outputs); of
            targets with lengths of their own, R² over all their steps, mean over the outputs.
        """
        return r2_of_written(self._predictor(), X, y, sample_weight)

    def attention_weights(self, X: Any, n_steps: Any = None) -> list[NDArray[np.float64]]:
        """How much each written step looks at each step of the source.

        Parameters
        ----------
        X, n_steps : as in ``predict``

        Returns
        -------
        list of ndarray of shape (n_target_steps, n_source_steps)
            For each sequence; rows sum to 1.
        """
        predictor = self._predictor()
        given = predictor.read(X)
        return looks(predictor, given, predictor.target.offsets(len(given.sequences), n_steps))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
