"""What all transformers of preprocessing have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._bases import BaseEstimator, TransformerMixin
from .._constraints import check_parameters
from ..data._sequences import Array
from ._containers import read_sequences, read_series


class SequenceTransformer(TransformerMixin, BaseEstimator, ABC):
    """Reads X, learns from it, and changes it; a transformer says in four methods how.

    What it may be told stands in ``_parameter_constraints``. There is no ``set_output`` unless a transformer asks
    for it (``auto_wrap_output_keys``), as frames cannot hold sequences.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]]
    _takes_3d: ClassVar[bool] = True
    _n_columns: int | None  # of a 2-D X
    _learned = False

    def __init_subclass__(cls, *, auto_wrap_output_keys: tuple[str, ...] | None = None, **others: Any) -> None:
        super().__init_subclass__(auto_wrap_output_keys=auto_wrap_output_keys, **others)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = self._takes_3d
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return self._learned

    @abstractmethod
    def _read(self, X: Any, *, reset: bool) -> tuple[Any, str]:
        """What X holds, and how it lies in its container.

        With ``reset`` features are counted and their names remembered, else both are compared with those of ``fit``.
        """

    @abstractmethod
    def _learn(self, read: Any, y: Any) -> None:
        """Take from what was read at ``fit`` what ``_change`` needs."""

    @abstractmethod
    def _change(self, read: Any, layout: str) -> Any:
        """What ``transform`` gives for what was read, in a container like that which came."""

    @abstractmethod
    def _names(self, names: Array) -> Any:
        """Names of the features that come out, of those that went in."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from sequences.

        Parameters
        ----------
        X : Sequences, 3-D array, list of arrays, 2-D array-like, or whatever else the class says
            The sequences.
        y : array-like or None, default=None
            Only looked at where the class says so.

        Returns
        -------
        self : transformer
            The fitted transformer.
        """
        check_parameters(self)
        self._learned = False  # while the fit may still fail
        self._learn(self._read(X, reset=True)[0], y)
        self._learned = True
        return self

    def transform(self, X: Any) -> Any:
        """Change sequences, whose lengths and number need not be those of ``fit``.

        Parameters
        ----------
        X : as in ``fit``
            The sequences.

        Returns
        -------
        Xt : same container as X, unless the class says another
            The changed sequences.
        """
        check_is_fitted(self)
        return self._change(*self._read(X, reset=False))

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> npt.NDArray[Any]:
        """Name the channels that come out; of 2-D data that stay 2-D, the columns.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the channels (or columns) that go in; None takes those of ``fit``, or x0, x1 …

        Returns
        -------
        names : ndarray of str
            The names.
        """
        check_is_fitted(self)
        return np.array(self._names(_check_feature_names_in(self, input_features)), dtype=object)


class RowTransformer(SequenceTransformer):
    """A transformer that is told what the rows of a 2-D table are: sequences of one channel, or the steps of one sequence."""

    _parameter_constraints = {"rows": [StrOptions({"sequences", "steps"})]}
    rows: str

    def _read(self, X: Any, *, reset: bool) -> tuple[Any, str]:
        if self.rows == "steps":
            return read_series(self, X, reset=reset, allow_nan=get_tags(self).input_tags.allow_nan)
        return read_sequences(self, X, reset=reset)

    @property
    def _has_columns(self) -> bool:
        """Whether the columns are the steps of one channel."""
        return self._n_columns is not None and self.rows == "sequences"
