"""A sequence of numbers from a sequence."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ._decoding import ReadsSequences
from ._parameters import parameters
from ._windowed import BaseWindowed
from ._writes_numbers import BaseNumbers


@parameters
class Seq2SeqRegressor(ReadsSequences, BaseNumbers):
    """Turn one sequence of numbers into another, of another length, with an encoder and a decoder (Sutskever et al., 2014; Cho et al., 2014).

    For what comes after a sequence, or stands for it: the next steps of a window, a slower signal, a trajectory. For numbers at the very steps of
    the source :class:`RNNSequenceRegressor` is simpler and better; for words :class:`Seq2SeqTranslator`. Start without attention, where training
    runs through compiled kernels; add it when sources are long.

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
    >>> t = np.random.default_rng(0).uniform(0, 6, size=(200, 1)) + 0.5 * np.arange(15)
    >>> X, y = np.sin(t[:, :10]), np.sin(t[:, 10:])
    >>> model = Seq2SeqRegressor(hidden_size=16, max_epochs=30, random_state=0).fit(X[:150], y[:150])
    >>> model.score(X[150:], y[150:]) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseWindowed._parameter_constraints | BaseNumbers._parameter_constraints

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
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        return self._attended(sequences, self._offsets(len(sequences), n_steps))
