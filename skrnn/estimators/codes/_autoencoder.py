"""Codes of whole sequences, from which they can be written again."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval

from ..._bases import TransformerMixin, _fit_context
from ...cells import resolve
from ...data import ROWS, give_steps
from ...networks import Autoencoder
from ..face._declared import parameters
from ..face._feature_frames import by_instance
from ..face._readers import Rows
from ..face._settings import Decayed, Directed, Recurrence, Stacked, Standardized
from ..face._step_values import told_offsets
from ..face._trained import Trained, recurrent_layers
from ._rewritten import Rewritten, RewrittenState, codes_of, decoded

Array = NDArray[np.float64]


@parameters
class RNNAutoencoder(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, Decayed, Trained, Standardized, Directed, Stacked, Recurrence, RewrittenState
):
    """Learn a code of sequences without targets: one network reads them, another writes them again from what the first ends with.

    For features of ragged sequences that any other estimator can use, for what sequences look alike, for those that are written badly because
    nothing like them was seen, and, with ``future_horizon``, for what follows. For sequences of one length ``PCA`` of their flattened steps often
    has the smaller error at the same size of the code; this one reads sequences of any lengths.

    Parameters
    ----------
    code_size : int or None, default=None
        Numbers of a code; ``None`` is as many as the encoder ends with, and no map between.
    conditional : bool, default=False
        Whether each step that is written sees the one that was written before.
    reverse_target : bool, default=True
        Whether sequences are written from their end, which was read last; the first steps that are written are then easy, and the others are
        learned from there (Sutskever et al., 2014).
    future_horizon : int, default=0
        Steps that follow, told by a second decoder from the same code: while training the last ones of each sequence, which are not read then.
        A code that tells what follows holds less of what does not matter (Srivastava et al., 2015).
    variational : bool, default=False
        Whether codes are random (Kingma & Welling, 2014): near each other and near zero, so that what is drawn there can be written: ``sample``.
    kl_weight : float, default=1.0
        How much the distance of the random codes from standard normal ones counts beside the likelihood, of which the errors are normal with the
        variance 1 in units of ``scale_``. Less writes better, more draws better.
    kl_warmup : int, default=0
        Updates over which ``kl_weight`` rises from 0, which keeps the codes from being given up before they are used (Bowman et al., 2016).

    Notes
    -----
    ::

        u = last states of the layers over x(1), …, x(T)            code = u, or B u + a
        x'(T), …, x'(1) = W s(k) + d,   s = decoder from s(0) = code, or tanh(V code + b)
        loss = mean over steps and channels of (x'(t) - x(t))²
        variational: code ~ N(m, exp(r)), [m; r] = B u + a          loss + 2 kl_weight KL / (number of values of the sequence)

    A decoder has the cell and the layers of the encoder, and sees nothing, or what it wrote before (``conditional``), also while training. KL =
    ½ Σ (m² + exp(r) - 1 - r). Where both directions are read, u is what the last layer ends with in each. ``transform`` gives m.

    References
    ----------
    N. Srivastava, E. Mansimov, R. Salakhutdinov, "Unsupervised learning of video representations using LSTMs", ICML 2015.
    D. P. Kingma, M. Welling, "Auto-encoding variational Bayes", ICLR 2014.
    S. R. Bowman et al., "Generating sentences from a continuous space", CoNLL 2016, for the weight that rises.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNAutoencoder
    >>> t = np.random.default_rng(0).uniform(
    ...     0, 6, size=(200, 1)
    ... ) + 0.5 * np.arange(12)
    >>> model = RNNAutoencoder(
    ...     hidden_size=16, code_size=2, max_epochs=40, random_state=0
    ... ).fit(np.sin(t))
    >>> model.transform(np.sin(t)).shape
    (200, 2)
    >>> model.score(np.sin(t)) > 0.9
    True
    """

    bidirectional: bool = False
    code_size: int | None = None
    conditional: bool = False
    reverse_target: bool = True
    future_horizon: int = 0
    variational: bool = False
    kl_weight: float = 1.0
    kl_warmup: int = 0

    _built_from: ClassVar[tuple[str, ...]] = ("code_size", "conditional", "reverse_target", "future_horizon", "variational")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "code_size": [Interval(Integral, 1, None, closed="left"), None],
        "conditional": ["boolean"],
        "reverse_target": ["boolean"],
        "future_horizon": [Interval(Integral, 0, None, closed="left")],
        "variational": ["boolean"],
        "kl_weight": [Interval(Real, 0, None, closed="left")],
        "kl_warmup": [Interval(Integral, 0, None, closed="left")],
    }

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"X_val": True}

    def _reader(self) -> Rows:
        return Rows(self.dtype, self.standardize)

    def _target(self) -> Rewritten:
        return Rewritten(self)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Autoencoder:
        return Autoencoder(
            recurrent_layers(self, len(self.mean_), generator),
            resolve(self.cell),
            self.hidden_size,
            bias,
            code_size=self.code_size,
            feedback=self.conditional,
            ahead=self.future_horizon > 0,
            variational=self.variational,
            kl_weight=self.kl_weight,
            kl_warmup=self.kl_warmup,
            dropout=self.dropout,
            generator=generator,
        )

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, X_val: Any = None) -> Self:
        """Learn to write sequences again.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths, of more than ``future_horizon`` steps; the rows of a 2-D array are univariate sequences.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts.
        X_val : as X, default=None
            Sequences for early stopping.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X is no container of sequences.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        return self._fit(X, None, sample_weight, (X_val, X_val))

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over some sequences, at the constant learning rate; the first call fixes the scales.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        return self._one_pass(X, None, sample_weight)

    def transform(self, X: Any) -> Any:
        """Codes of sequences.

        Parameters
        ----------
        X : as in ``fit``
            With the channels seen in ``fit``, of any lengths.

        Returns
        -------
        ndarray of shape (n_sequences, code_size)
        """
        predictor = self._predictor()
        return by_instance(self, X, codes_of(predictor, predictor.read(X).sequences))

    def inverse_transform(self, X: Any, n_steps: Any = None) -> Any:
        """Write sequences of codes.

        Parameters
        ----------
        X : array-like of shape (n_sequences, code_size)
            Codes.
        n_steps : int, or array-like of shape (n_sequences,), default=None
            Steps to write, of all or of each; ``None`` is ``n_steps_``, which sequences of different lengths have none of.

        Returns
        -------
        ndarray of shape (n_sequences, n_steps, n_features), or list of ndarray (n_steps, n_features) where each has a number of its own
        """
        predictor = self._predictor()
        codes = check_array(X, dtype=np.float64, input_name="X")
        if codes.shape[1] != predictor.network.code_size:
            raise ValueError(f"X must hold codes of code_size={predictor.network.code_size} numbers; got {codes.shape[1]}")
        if n_steps is None and self.n_steps_ is None:
            raise ValueError("n_steps must say how many steps to write: the sequences of fit had different lengths")
        offsets = told_offsets(self.n_steps_ if n_steps is None else n_steps, len(codes))
        values = decoded(predictor, codes, offsets)
        if np.ndim(n_steps):
            return [part.copy() for part in np.split(values, offsets[1:-1])]
        return values.reshape(len(codes), -1, values.shape[1])

    def predict(self, X: Any) -> Any:
        """Write sequences again, as they are remembered.

        Parameters
        ----------
        X : as in ``transform``

        Returns
        -------
        as X
            An array for an array, else a list of arrays (n_steps, n_features).
        """
        predictor = self._predictor()
        given = predictor.read(X)
        values = self._again(given.sequences)
        return values.reshape(len(given.sequences), -1) if given.layout == ROWS else give_steps(values, *given)

    def forecast(self, X: Any) -> Array:
        """Tell what follows each sequence.

        Parameters
        ----------
        X : as in ``transform``

        Returns
        -------
        ndarray of shape (n_sequences, future_horizon, n_features)
        """
        predictor = self._predictor()
        k = predictor.model.future_horizon
        if k == 0:
            raise ValueError("Nothing was learned of what follows: set future_horizon=, the number of steps, before fit")
        codes = codes_of(predictor, predictor.read(X).sequences)
        return decoded(predictor, codes, k * np.arange(len(codes) + 1), ahead=True).reshape(len(codes), k, -1)

    def sample(self, n_samples: int = 1, n_steps: Any = None, random_state: Any = None) -> Any:
        """Write sequences of codes that are drawn; for variational ones, whose codes are near standard normal.

        Parameters
        ----------
        n_samples : int, default=1
        n_steps : as in ``inverse_transform``
        random_state : int, RandomState instance or None, default=None
            Source of the codes.

        Returns
        -------
        as of ``inverse_transform``
        """
        if not self._predictor().model.variational:
            raise ValueError("Only codes of variational=True can be drawn, as nobody knows where others lie")
        return self.inverse_transform(check_random_state(random_state).normal(size=(n_samples, self.network_.code_size)), n_steps)

    def score_samples(self, X: Any) -> Array:
        """How well each sequence is written: less the mean squared error of its values in units of ``scale_``.

        Parameters
        ----------
        X : as in ``transform``

        Returns
        -------
        ndarray of shape (n_sequences,)
            At most 0; lower for what is unlike the sequences of ``fit``.
        """
        sequences = self._predictor().read(X).sequences
        errors = ((self._again(sequences) - sequences.values) / self.scale_) ** 2
        return -np.add.reduceat(errors.mean(axis=1), sequences.offsets[:-1]) / sequences.lengths

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Share of the variance of all steps that is written again, mean over the channels.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
            R² of :func:`sklearn.metrics.r2_score`: 1 is perfect, 0 is the mean.
        """
        from sklearn.metrics import r2_score

        predictor = self._predictor()
        given = predictor.read(X)
        weight = None if sample_weight is None else np.repeat(predictor.reader.weights(sample_weight, given), given.sequences.lengths)
        return float(r2_score(given.sequences.values, self._again(given.sequences), sample_weight=weight))

    def _again(self, sequences: Any) -> Array:
        predictor = self._predictor()
        return decoded(predictor, codes_of(predictor, sequences), sequences.offsets)

    @property
    def _n_features_out(self) -> int:
        return int(self.network_.code_size)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags
