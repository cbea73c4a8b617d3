"""One number, or several, for each sequence."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from ..._bases import RegressorMixin, TransformerMixin, _fit_context
from ...data import TableLayout
from ...networks import SequenceNetwork
from ..face._declared import parameters
from ..face._feature_frames import by_instance
from ..face._held_out import HELD_OUT, STATIC
from ..face._readers import Rows, beside, held_out_beside, refuse_other_rows
from ..face._settings import Decayed, Directed, Fronted, Measured, Pooled, Pretrained, Recurrence, Stacked, Standardized, Windowed
from ..face._state import NumberState, StaticState
from ..face._targets import Numbers
from ..face._trained import Trained, encoding_of, seeing_layers, static_columns_of
from ._features import pooled_states, unit_names


@parameters
class RNNRegressor(
    RegressorMixin,
    TransformerMixin,
    Measured,
    Decayed,
    Trained,
    Windowed,
    Standardized,
    Pooled,
    Directed,
    Fronted,
    Pretrained,
    Stacked,
    Recurrence,
    NumberState,
    StaticState,
):
    """Predict one number, or several, for whole sequences with a recurrent network.

    Sequences may differ in length; nothing is padded. Targets are standardised inside, so that their scale does not matter; `loss` says
    what of them is predicted. The defaults are
    chosen over several kinds of data (see the user guide); ``cell``, ``hidden_size`` and ``max_epochs`` are the first things to search.

    Notes
    -----
    ::

        y(t) = layers of cells (forward, backward) over x(1), x(2), …
        prediction = target_mean_ + target_scale_ (V pool(y(1), y(2), …) + d)

    V starts at zero and d where the loss of a constant is least, so that training starts from the mean of the targets, their median or quantile.
    With ``loss="poisson"`` and ``"gamma"`` the prediction is ``target_mean_ · exp(V pool(…) + d)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 1)) for n in rng.integers(3, 12, size=200)]
    >>> y = np.array([x.max() for x in X])
    >>> model = RNNRegressor(
    ...     hidden_size=16, max_epochs=20, random_state=0
    ... ).fit(X[:150], y[:150])
    >>> model.score(X[150:], y[150:]) > 0.8
    True
    """

    __metadata_request__fit = HELD_OUT | STATIC | {"static_val": True}
    __metadata_request__partial_fit = STATIC
    __metadata_request__predict = STATIC
    __metadata_request__score = STATIC
    __metadata_request__transform = STATIC

    def _reader(self) -> Rows:
        layout = TableLayout(self.n_lags, self.layout, self.step_order)
        return Rows(self.dtype, self.standardize, layout, encoding=encoding_of(self), static=static_columns_of(self))

    def _target(self) -> Numbers:
        return Numbers(self, self.dtype, loss=self.loss, quantile=self.quantile)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> SequenceNetwork:
        n_static = self._static_columns.n_columns_
        layers, frontend = seeing_layers(self, generator, n_static)
        return SequenceNetwork(layers, self.pooling, bias, frontend, n_static)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None, *, static: Any = None, static_val: Any = None
    ) -> Self:
        """Train on sequences.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths; the rows of a 2-D array are univariate sequences, or windows as `n_lags`, `layout` and `step_order` say.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs)
            One target for each sequence.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts.
        X_val, y_val : as X and y, default=None
            Sequences and targets for early stopping. In a :class:`~sklearn.pipeline.Pipeline` they pass through the steps before with
            ``transform_input=["X_val"]``.
        static : array-like or frame of shape (n_sequences, n_static), default=None
            What is known of each sequence as a whole: numbers, strings, columns of a categorical type, of which every category becomes a column of 0
            and 1. The network sees it at every step, behind the frontend; ``predict`` needs it too.
        static_val : as static, default=None
            Of `X_val`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X is no container of sequences.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        return self._fit(beside(X, static), y, sample_weight, (held_out_beside(X_val, static_val), y_val))

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, static: Any = None) -> Self:
        """Train for one pass over some sequences, at the constant learning rate; the first call fixes the standardisation.

        Parameters
        ----------
        X, y, sample_weight, static : as in ``fit``

        Returns
        -------
        self
        """
        return self._one_pass(beside(X, static), y, sample_weight)

    def predict(self, X: Any, *, static: Any = None) -> NDArray[Any]:
        """Predict a target for each sequence.

        Parameters
        ----------
        X : as in ``fit``
            Sequences of any lengths, with the channels seen in ``fit``.
        static : as in ``fit``, default=None
            Of these sequences.

        Returns
        -------
        ndarray of shape (n_sequences,) or (n_sequences, n_outputs)
        """
        return self._predictor().answers(beside(X, static))

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, static: Any = None) -> float:
        """Coefficient of determination R², mean over the outputs.

        Parameters
        ----------
        X, y, sample_weight, static : as in ``fit``

        Returns
        -------
        float
        """
        refuse_other_rows(X, y, sample_weight)
        return super().score(beside(X, static), y, sample_weight)

    def transform(self, X: Any, *, static: Any = None) -> NDArray[np.floating]:
        """Pooled hidden states: features for another model.

        Parameters
        ----------
        X, static : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences, n_units)
            ``n_units`` is ``hidden_size``, twice if bidirectional (forward units first).
        """
        return by_instance(self, X, pooled_states(self._predictor(), beside(X, static)))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns of ``transform``: the cell's name and h0, h1, …

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        return unit_names(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        tags.target_tags.multi_output = True
        return tags
