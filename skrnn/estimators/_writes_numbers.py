"""What is written are numbers: one, or several, for each step of a horizon."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sized
from dataclasses import KW_ONLY, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from ..data import Sequences, StepRows, as_sequences
from ..engine import limit_threads
from ..networks import Encoder, Feedback, Values, Vector
from ..training import Data, SquaredError
from ._decoding import BaseDecoding
from ._held_out import Part
from ._parameters import parameters
from ._targets import Encoded, moments


@parameters
class BaseNumbers(RegressorMixin, BaseDecoding, ABC):
    """predict and score for real-valued targets of one length, or of lengths of their own."""

    _: KW_ONLY
    mode: str = "feedback"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseDecoding._parameter_constraints | {"mode": [StrOptions({"feedback", "direct"})]}
    _descriptions = (
        BaseDecoding._descriptions
        + """
    mode : {"feedback", "direct"}, default="feedback"
        Whether each step sees what the one before put out, or all steps are written at once, without seeing each other."""
    )
    _built_from: ClassVar[tuple[str, ...]] = (*BaseDecoding._built_from, "mode")

    def _targets(self, y: Any, *, reset: bool) -> Sequences:
        ragged = _is_ragged(y)
        array = y if ragged else np.asarray(y)
        ndim = 0 if ragged else array.ndim
        targets = as_sequences(array[:, None] if ndim == 1 else array, dtype=np.float64, name="y")
        if reset:
            self._target_ndim, self.horizon_ = ndim, int(targets.lengths.max())
            self._one_number = ndim in (1, 2) or (ragged and np.ndim(y[0]) == 1)
        elif targets.n_features != len(self.target_mean_):
            raise ValueError(f"y has {targets.n_features} outputs in each step, expected {len(self.target_mean_)}")
        if self._target_ndim and (targets.lengths != self.horizon_).any():
            raise ValueError(f"y has {targets.lengths.min()} to {targets.lengths.max()} steps, expected horizon_={self.horizon_} in each row")
        return targets

    def _encode(self, y: Sequences, weight: NDArray[np.float64] | None, *, reset: bool, classes: Any = None) -> Encoded:
        if reset:
            self.target_mean_, self.target_scale_ = moments(y.values, None if weight is None else np.repeat(weight, y.lengths))
        return Encoded(StepRows((y.values - self.target_mean_) / self.target_scale_, y.offsets), SquaredError())

    def _held_data(self, part: Part) -> Data:
        data = self._data(part)
        return replace(data, source=self._pairs(part.sequences, part.target.offsets))  # on its own output, as in predict

    def _feedback(self, encoder: Encoder | Vector, generator: torch.Generator) -> Feedback | None:
        return Values(len(self.target_mean_)) if self.mode == "feedback" else None

    def _first(self, n: int) -> torch.Tensor:
        return torch.zeros(n, len(self.target_mean_))

    def _decode(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.target_mean_ + self.target_scale_ * outputs

    def _written(self, sequences: Sequences, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Numbers (n_target_steps_total, n_outputs), end to end."""
        network: Any = self.network_
        values = np.empty((int(offsets[-1]), len(self.target_mean_)))
        with limit_threads(self.n_threads), torch.inference_mode():
            pairs = self._pairs(sequences, offsets)
            for index in pairs.chunks():
                values[pairs.rows(index)] = network.free(pairs.packed(index)).double().cpu().numpy()
        return self._decode(values)

    def _offsets(self, n: int, n_steps: Any) -> NDArray[np.int64]:
        """Where the steps of n sequences begin and end."""
        steps = np.asarray(self.horizon_ if n_steps is None else n_steps)
        if steps.dtype.kind not in "iu" or steps.shape not in ((), (n,)) or steps.min() < 1:
            raise ValueError(f"n_steps must be a whole number of at least 1, or {n} of them, one for each row of X; got {n_steps!r}")
        return np.concatenate([[0], np.broadcast_to(steps, n).cumsum()])

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
            In the shape of the targets of ``fit``; a list of (n_steps,) or (n_steps, n_outputs) if ``n_steps`` holds a number for each row.
        """
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        offsets = self._offsets(len(sequences), n_steps)
        values = self._written(sequences, offsets)
        if self._one_number:
            values = values[:, 0]
        if np.ndim(n_steps):
            return [part.copy() for part in np.split(values, offsets[1:-1])]
        if self._target_ndim == 1 and n_steps is None:
            return values
        return values.reshape(len(sequences), -1, *values.shape[1:])

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
        check_is_fitted(self)
        sequences, targets, weight = self._check(X, y, sample_weight, reset=False)
        true, written = targets.values, self._written(sequences, targets.offsets)
        if self._target_ndim:
            return float(r2_score(true.reshape(len(targets), -1), written.reshape(len(targets), -1), sample_weight=weight))
        return float(r2_score(true, written, sample_weight=None if weight is None else np.repeat(weight, targets.lengths)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _is_ragged(y: Any) -> bool:
    """Whether y holds an array for each sequence, whose lengths are its own; numbers in rows of one length are a table."""
    if isinstance(y, Sequences):
        return True
    items = y if isinstance(y, list | tuple) or (isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1) else ()
    return len({len(item) for item in items if isinstance(item, Sized)}) > 1 or any(isinstance(item, np.ndarray) and item.ndim for item in items)
