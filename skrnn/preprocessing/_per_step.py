"""PerStep: any scikit-learn transformer, applied to the time steps of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags, _safe_indexing, check_consistent_length, get_tags, indexable
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted

from ..data._finite import contiguous, to_float
from ..data._reading import ROWS, layout_of, table_to_array, to_sequences, unwrap
from ..data._sequences import Array, Sequences
from ._containers import STEPS, give_back
from ._transformer import RowTransformer


def _can_invert(per_step: PerStep) -> bool:
    """Whether the inner transformer has an inverse."""
    inner = vars(per_step).get("transformer_", per_step._template())
    return callable(getattr(inner, "inverse_transform", None))


def _target_of_steps(y: Any, sequences: Sequences) -> Array | None:
    """Repeat one target per sequence for all its steps; None where there is none, or not a single one per sequence."""
    if y is None:
        return None
    check_consistent_length(sequences, y)
    (y,) = indexable(y)
    return np.repeat(np.asarray(y), sequences.lengths) if np.ndim(_safe_indexing(y, 0)) == 0 else None


class PerStep(RowTransformer):
    """Apply a transformer for 2-D tables to the time steps of sequences.

    All steps of all sequences, one below the other, are the rows of the table that the inner transformer sees: a `StandardScaler`
    scales each channel by its mean over all steps, a `PCA` mixes channels within a step. Choose it to put anything that
    scikit-learn has for rows in front of a recurrent estimator; lengths stay as they are. Of a 2-D `X` each row is one univariate
    sequence, so a `StandardScaler` has one mean for the whole table; with ``rows="steps"`` it is the table of steps itself.

    Parameters
    ----------
    transformer : transformer or None, default=None
        Any scikit-learn transformer that keeps the number of rows. It is cloned, never fitted itself. None is a `StandardScaler`.
    rows : {"sequences", "steps"}, default="sequences"
        What the rows of a 2-D `X` are: "sequences" of one channel, as classifiers read them, or the "steps" of one sequence, as forecasters,
        reservoirs and taggers do.

    Attributes
    ----------
    transformer_ : transformer
        The fitted clone, whose rows are time steps.
    n_features_in_ : int
        Number of channels; of a 2-D `X` number of columns.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a 2-D frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        What `as_sequences` and the inner transformer refuse, and an inner transformer that changes the number of rows.

    Notes
    -----
    What comes back is in the container that came: 3-D array, list or object array of 2-D arrays, `Sequences`; frames and tensors
    come back as arrays or `Sequences`. A 2-D `X` stays 2-D while the inner transformer makes one channel of one, and becomes a 3-D
    array when it makes several. NaN is accepted where the inner transformer accepts it. The inner transformer gets the
    target of a sequence, of shape (n_sequences,), for each of its steps; targets of another shape are not looked at. There is no
    ``set_output``, as frames cannot hold sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from skrnn.preprocessing import PerStep
    >>> X = [np.array([[0.0], [5.0]]), np.array([[10.0], [2.5], [5.0]])]
    >>> [x.ravel().tolist() for x in PerStep(MinMaxScaler()).fit_transform(X)]
    [[0.0, 0.5], [1.0, 0.25, 0.5]]
    """

    _parameter_constraints = RowTransformer._parameter_constraints | {"transformer": [HasMethods(["fit", "transform"]), None]}

    def __init__(self, transformer: Any = None, rows: str = "sequences") -> None:
        self.transformer = transformer
        self.rows = rows

    def _template(self) -> Any:
        """The inner transformer that the parameter stands for."""
        return StandardScaler() if self.transformer is None else self.transformer

    def __sklearn_tags__(self) -> Tags:
        inner, tags = get_tags(self._template()), super().__sklearn_tags__()
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.target_tags.required = inner.target_tags.required
        tags.non_deterministic = inner.non_deterministic
        return tags

    def _learn(self, sequences: Sequences, y: Any) -> None:
        if y is None and get_tags(self).target_tags.required:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        self.transformer_ = clone(self._template()).fit(sequences.values, self._target(y, sequences))

    def _target(self, y: Any, sequences: Sequences) -> Any:
        rows_have_targets = self.rows == "steps" and len(sequences) == 1 and y is not None and _num_samples(y) == sequences.n_steps_total
        return y if rows_have_targets else _target_of_steps(y, sequences)

    def _change(self, sequences: Sequences, layout: str) -> Any:
        return give_back(self._with(sequences, self.transformer_.transform(sequences.values)), layout)

    def _names(self, names: Array) -> Array:
        if not self._has_columns:
            return self.transformer_.get_feature_names_out(names)
        channels = self.transformer_.get_feature_names_out()
        return names if len(channels) == 1 else channels

    @available_if(_can_invert)
    def inverse_transform(self, X: Any) -> Any:
        """Undo the transformation of each time step, if the inner transformer can.

        Parameters
        ----------
        X : 3-D array, list of arrays, 2-D array-like or Sequences
            Sequences as `transform` gives them.

        Returns
        -------
        X_original : same container as X
            The sequences with the channels of ``fit``.
        """
        check_is_fitted(self)
        material = unwrap(X)
        sequences, layout = to_sequences(material), layout_of(X, material)
        if layout == ROWS and self.rows == "steps":
            sequences, layout = Sequences(table_to_array(material), np.array([0, len(material)])), STEPS
        return give_back(self._with(sequences, self.transformer_.inverse_transform(sequences.values)), layout)

    def _with(self, sequences: Sequences, values: Any) -> Sequences:
        """Give the sequences the values that the inner transformer made."""
        dense = values.toarray() if issparse(values) else np.asarray(values)
        if dense.ndim != 2 or len(dense) != sequences.n_steps_total:
            inner = type(self.transformer_).__name__
            raise ValueError(f"{inner} must keep the number of rows: it made an array of shape {dense.shape} of {sequences.n_steps_total} time steps")
        return sequences.with_values(contiguous(to_float(dense, f"the output of {type(self.transformer_).__name__}")))
