"""Labels in order from sequences that are not cut into pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils._param_validation import StrOptions

from ..._bases import _fit_context
from ...cells import resolve
from ...data import Sequences
from ...metrics import label_error_rate
from ...networks import StepNetwork, Transducer
from ..face._declared import parameters
from ..face._guards import require_target
from ..face._held_out import HELD_OUT
from ..face._predictor import Predictor
from ..face._readers import Given, Rows
from ..face._settings import Decayed, Directed, Fronted, Recurrence, Stacked, Standardized
from ..face._targets import told_classes
from ..face._trained import Trained, encoding_of, seeing_layers
from ._frames import check_language_model, frame_hypotheses, frame_spans, log_frames
from ._labels import LabelRows, LabelState
from ._lattices import lattice_hypotheses, lattice_spans, log_lattices
from ._settings import Fused
from ._tokens import Hypothesis, best_of


class Transcription(NamedTuple):
    """What is made of what was read: hypotheses, logarithms of probabilities in frames, and where labels of an encoded table stand."""

    hypotheses: Callable[[Predictor[LabelRows], Given], list[list[Hypothesis]]]
    log_proba: Callable[[Predictor[LabelRows], Given], Sequences]
    spans: Callable[[Predictor[LabelRows], Given, NDArray[np.int64]], list[NDArray[np.int64]]]


_TRANSCRIPTIONS = {
    "ctc": Transcription(frame_hypotheses, log_frames, frame_spans),
    "transducer": Transcription(lattice_hypotheses, log_lattices, lattice_spans),
}


@parameters
class SequenceTranscriber(Fused, Decayed, Trained, Standardized, Directed, Fronted, Stacked, Recurrence, LabelState):
    """Write down what is said in a sequence: labels in order, whose places need not be known (Graves et al., 2006).

    For speech, handwriting, lines of text, gestures, events in a signal: a recording is long, its labels are few, and nobody has marked where each
    begins. Each step of the sequence, or of what the frontend makes of it, is a frame, which says a label or nothing, the blank.
    ``frontend=Conv1d(stride=…)`` makes fewer frames of a fast signal, ``frontend=PerFrame()`` sees pictures.

    Parameters
    ----------
    loss : {"ctc", "transducer"}, default="ctc"
        Whether each frame speaks for itself (connectionist temporal classification), or is told the labels before it by a recurrent layer over
        labels (a transducer; Graves, 2012), which learns which labels follow each other, and writes as many labels in a frame as it likes. That
        costs, in training, T (U + 1) outputs for T frames and U labels in place of T, and as much memory; in one direction it writes while it hears.

    Notes
    -----
    ::

        h(1), …, h(T) = layers of cells over the frames
        y(t) = softmax(W h(t) + d)                      of the blank and each label
        P(l) = Σ_π Π_t y_π(t)(t)                        over all alignments π that say l
        loss = -log P(l)

    An alignment says what is left when labels that are repeated in frames side by side are written once, and blanks are left out: two of the same
    label need a blank between them. So n labels need n frames, and one more for each that is the same as the one before; a sequence that has
    fewer is refused. W starts at zero, d at the logarithms of the shares that labels have in the frames; the rest is the blank. At first a network
    learns to say nothing, which is the best it can do without looking, and only then where labels are: ``n_iter_no_change`` must be longer than that.
    The probabilities of a trained network are peaks among blanks: where a label is, they say well; where it begins and ends, roughly.

    A transducer with the features f(t) of a frame and g(u) of the first u labels::

        y(t, u) = softmax(W tanh(F f(t) + G g(u) + b) + d)      of leaving frame t, and of writing each label next
        P(l) = Σ over all ways to write l and to leave all frames

    The layer over labels has the estimator's cell, and as many units as one of its layers. No sequence is too short for its labels. ``predict``
    writes at most twice as many labels for each step as any target had from which it learned.

    ``predict`` takes the likeliest alignment, or with ``beam_width`` above 1 the likeliest labels that a search finds, over all their alignments:
    :class:`skrnn.engine.PrefixSearch`; for a transducer :class:`skrnn.engine.BeamSearch`, where those that have written the same are added up
    (G. Saon et al., 2020). These differ where the network is in doubt.

    References
    ----------
    A. Graves, S. Fernández, F. Gomez, J. Schmidhuber, "Connectionist temporal classification: labelling unsegmented sequence data with recurrent
    neural networks", ICML 2006.
    A. Graves, "Sequence transduction with recurrent neural networks", arXiv:1211.3711, 2012.
    A. Graves, J. Schmidhuber, "Offline handwriting recognition with multidimensional recurrent neural networks", NIPS 2008.

    Examples
    --------
    >>> from skrnn import SequenceTranscriber
    >>> from skrnn.datasets import make_phonemes
    >>> X, y = make_phonemes(300, n_phonemes=4, random_state=0)
    >>> model = SequenceTranscriber(
    ...     hidden_size=16, max_epochs=15, random_state=0
    ... ).fit(X[:250], y[:250])
    >>> model.score(X[250:], y[250:]) > 0.9
    True
    """

    loss: str = "ctc"

    _built_from: ClassVar[tuple[str, ...]] = ("loss",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"loss": [StrOptions(set(_TRANSCRIPTIONS))]}

    __metadata_request__fit = HELD_OUT

    def _reader(self) -> Rows:
        return Rows(self.dtype, self.standardize, encoding=encoding_of(self))

    def _target(self) -> LabelRows:
        return LabelRows(self)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> StepNetwork | Transducer:
        layers, frontend = seeing_layers(self, generator)
        if self.loss == "transducer":
            return Transducer(layers, resolve(self.cell), self.hidden_size, bias, frontend, generator)
        return StepNetwork(layers, bias, frontend, shortens=True)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on sequences and what is said in each.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths; the rows of a 2-D array are univariate sequences.
        y : list of n_sequences lists of labels, or of strings, whose labels are their characters
            What is said, in order; an empty list where nothing is.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts.
        X_val, y_val : as X and y, default=None
            Sequences and labels for early stopping.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described, or a sequence has not enough frames for its labels (with "ctc"); the message names it, and
            the estimator is unchanged.
        TypeError
            If X or y is no container of what is described.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        check_language_model(self)
        return self._fit(X, y, sample_weight, (X_val, y_val))

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over some sequences, at the constant learning rate; the first call fixes scales and labels.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come, for the first call; ``None`` is those in its y.

        Returns
        -------
        self
        """
        check_language_model(self)
        known = self.classes_ if self.__sklearn_is_fitted__() else None
        return self._one_pass(X, y, sample_weight, None if classes is None else told_classes(classes, known))

    def predict(self, X: Any) -> list[Any]:
        """Write down what is said in each sequence.

        Parameters
        ----------
        X : as in ``fit``
            With the channels seen in ``fit``.

        Returns
        -------
        list of lists of labels, or of strings
            As the targets of ``fit`` were.
        """
        return best_of(self.predict_hypotheses(X))

    def predict_hypotheses(self, X: Any) -> list[list[Hypothesis]]:
        """What might be said in each sequence: up to ``beam_width`` hypotheses, the best first.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        list of list of (tokens, score)
            The score is the logarithm of the probability of the alignments that were looked at, of one with a beam of 1, with what the language
            model and the length bonus add.
        """
        predictor = self._predictor()
        check_language_model(self)
        return _TRANSCRIPTIONS[predictor.model.loss].hypotheses(predictor, predictor.read(X))

    def predict_log_proba(self, X: Any) -> list[NDArray[np.float64]]:
        """Logarithms of the probabilities of the blank and the labels in each frame.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        list of ndarray of shape (n_frames, 1 + n_classes)
            For each sequence; the blank in the first column, then the labels in the order of ``classes_``. A frame is a step, or what the frontend
            makes of several. A transducer tells them for what ``predict`` has written before the frame.
        """
        predictor = self._predictor()
        return [frames.copy() for frames in _TRANSCRIPTIONS[predictor.model.loss].log_proba(predictor, predictor.read(X))]

    def predict_alignment(self, X: Any, y: Any = None) -> list[NDArray[np.int64]]:
        """Where given labels stand: the likeliest of the alignments that say them.

        Parameters
        ----------
        X : as in ``fit``
        y : as in ``fit``, default=None
            What is said; ``None`` is what ``predict`` writes.

        Returns
        -------
        list of ndarray of shape (n_labels, 2)
            For each sequence and label its first frame, and the one after its last. A frame is a step, or what the frontend makes of several.
            A transducer writes a label in one frame, but as late as it likes.
        """
        predictor = self._predictor()
        given, wanted, _ = predictor.compared(X, self.predict(X) if y is None else y)
        return _TRANSCRIPTIONS[predictor.model.loss].spans(predictor, given, predictor.target.encode(wanted))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """One less the label error rate: the labels that are wrong, missing or too many, by the labels that there are.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
            Labels that were not seen in ``fit`` are never right.

        Returns
        -------
        float
            At most 1; below 0 if there are more errors than labels. See :func:`skrnn.metrics.label_error_rate`.
        """
        require_target(self, y)
        _, wanted, weight = self._predictor().compared(X, y, sample_weight)
        return 1.0 - label_error_rate(wanted.rows, self.predict(X), sample_weight=weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags._skip_test = True  # scikit-learn's checks know no targets that are lists of labels
        return tags
