"""A sequence of numbers from a vector."""

from __future__ import annotations

from typing import Any, Self

import torch

from ..._bases import RegressorMixin, _fit_context
from ...networks import Seq2Seq, Values, Vector
from ..face._declared import parameters
from ..face._held_out import HELD_OUT
from ..face._readers import Vectors
from ..face._settings import Decayed, Recurrence, Stacked, Standardized
from ..face._trained import Trained
from ._decoder import decoder_network, follow_the_schedule
from ._numbers import NumberSequences, WrittenNumbersState, r2_of_written, written_as_targets
from ._settings import Decoding, WritesNumbers


@parameters
class Vec2SeqRegressor(RegressorMixin, WritesNumbers, Decayed, Decoding, Trained, Standardized, Stacked, Recurrence, WrittenNumbersState):
    """Write a sequence of numbers from a vector: a decoder that starts from features.

    For curves that follow from settings: the answer of a system to its parameters, a trajectory from its initial condition. The sequence is what a
    recurrent network adds to a regression with several outputs: steps that follow from each other, in any number. For tokens in place of numbers
    there is :class:`RNNCaptioner`, for a source that is a sequence :class:`Seq2SeqRegressor`.

    Notes
    -----
    ::

        s(0) = tanh(V x + b)                                             context="init" or "both"
        s(k) = cell([y(k-1); x], s(k-1))                                 x beside every input: context="every" or "both"
        y(k) = W s(k) + d                                                prediction(k) = target_mean_ + target_scale_ y(k)

    x is a row of X, standardised; y(0) is zero, the mean of the targets. y may be (n_samples, n_steps), (n_samples, n_steps, n_outputs), a list of
    arrays of any lengths, or 1-D: one step.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep learning", MIT Press 2016, section 10.2.4: a vector as an extra input at each step, as the
    first state, or both.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import Vec2SeqRegressor
    >>> X = np.random.default_rng(0).uniform(0.5, 1.5, size=(200, 2))
    >>> y = X[:, :1] * np.exp(-X[:, 1:] * np.arange(8) / 4)
    >>> model = Vec2SeqRegressor(
    ...     hidden_size=16, max_epochs=40, random_state=0
    ... ).fit(X[:150], y[:150])
    >>> model.score(X[150:], y[150:]) > 0.9
    True
    """

    context: str = "both"

    __metadata_request__fit = HELD_OUT

    def _reader(self) -> Vectors:
        return Vectors(self.dtype, self.standardize)

    def _target(self) -> NumberSequences:
        return NumberSequences()

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Seq2Seq:
        feedback = Values(len(self.target_mean_)) if self.mode == "feedback" else None
        return decoder_network(self, Vector(len(self.mean_)), feedback, bias, generator)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on pairs of what is read and what should be written.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
