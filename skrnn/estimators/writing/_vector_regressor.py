"""A sequence of numbers from a vector."""

from __future__ import annotations

from ._decoding import ReadsVectors
from ._parameters import parameters
from ._writes_numbers import BaseNumbers


@parameters
class Vec2SeqRegressor(ReadsVectors, BaseNumbers):
    """Write a sequence of numbers from a vector: a decoder that starts from features.

    For curves that follow from settings: the answer of a system to its parameters, a trajectory from its initial condition. The sequence is what a
    recurrent network adds to a regression with several outputs: steps that follow from each other, in any number. For tokens in place of numbers
    there is :class:`RNNCaptioner`, for a source that is a sequence :class:`Seq2SeqRegressor`.

    Parameters
    ----------
    <shared parameters>

    Attributes
    ----------
    network_ : skrnn.networks.Seq2Seq
        The trained torch module; its outputs are standardised targets.
    horizon_ : int
        Steps of the targets; of those with lengths of their own, the largest number.
    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        The same for the targets, over all steps.
    loss_curve_ : list of float
        Mean squared error of the standardised targets in each epoch, with the teacher that was asked.
    <shared attributes>

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
    >>> model = Vec2SeqRegressor(hidden_size=16, max_epochs=40, random_state=0).fit(X[:150], y[:150])
    >>> model.score(X[150:], y[150:]) > 0.9
    True
    """
