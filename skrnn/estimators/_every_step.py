"""The faces of networks that answer at every time step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import _fit_context
from sklearn.utils.validation import check_is_fitted

from ..cells import map_state
from ..data import Sequences, StepRows, check_sequences_and_layout, give_steps, step_rows
from ..engine import Stream, limit_threads
from ..networks import StepNetwork
from ..training import Batches, Data
from ._base import BaseRecurrent
from ._guards import require_target
from ._held_out import Part
from ._parameters import parameters
from ._step_values import as_tensors, row_weights


@parameters
class BaseStepNetwork(BaseRecurrent, ABC):
    """Trains and runs a network that answers at every step; what its answers are for is for others to say."""

    bidirectional: bool = False

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Any:
        return StepNetwork(self._recurrent(len(self.mean_), generator), bias)

    def _sequences(self, X: Any, *, reset: bool) -> tuple[Sequences, str]:
        return check_sequences_and_layout(self, X, reset=reset, compute_dtype=self.dtype, rows_are_steps=True)

    def _statistics(self, sequences: Sequences, weight: NDArray[np.float64] | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return super()._statistics(sequences, None)  # a step without a target, or with no weight, is still seen by the steps after it

    def _part(self, sequences: Sequences, target: NDArray[Any], weight: NDArray[np.float64] | None) -> Part:
        offsets = sequences.offsets
        return Part(sequences, StepRows(target, offsets), None if weight is None else StepRows(weight, offsets))

    def _data(self, part: Part) -> Data:
        return replace(super()._data(Part(part.sequences, part.target.values, None if part.weight is None else part.weight.values)), per_step=True)

    def _rows(self, sequences: Sequences) -> NDArray[np.float64]:
        """Outputs of the network (n_steps_total, n_outputs), end to end."""
        network: Any = self.network_
        with limit_threads(self.n_threads), torch.inference_mode():
            batches = self._batches(sequences)
            outputs = np.empty((sequences.n_steps_total, len(network.head.b)))
            for index in batches.chunks():
                outputs[batches.rows(index)] = network.outputs(batches.packed(index))[0].double().cpu().numpy()
        return outputs

    def _batches(self, sequences: Sequences) -> Batches:
        weight: Any = self.network_.head.W
        return Batches(sequences, self.mean_, self.scale_, weight.dtype, weight.device)


@parameters
class BaseEveryStep(BaseStepNetwork, ABC):
    """fit and predict for one target a step; a 2-D X is one sequence, whose rows are the steps."""

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on sequences with a target for every time step.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_steps, n_features)
            Sequences of any lengths; a 2-D array is one sequence, whose rows are the time steps.
        y : list of arrays, array or Sequences
            One target for each step, in the shape of X without its last axis, or with one of n_outputs.
        sample_weight : array-like of shape (n_sequences,), or in the shape of y, default=None
            How much each sequence, or each step, counts.
        X_val, y_val : as X and y, default=None
            Sequences and targets for early stopping.

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
        return self._fit(X, y, sample_weight, (X_val, y_val))

    @abstractmethod
    def _targets(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Targets as they came, end to end, in the shape and type that the estimator understands."""

    @abstractmethod
    def _present(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        """Which rows have a target."""

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Sequences, NDArray[Any], NDArray[np.float64] | None]:
        require_target(self, y)
        sequences, layout = self._sequences(X, reset=reset)
        rows = self._targets(step_rows(y, sequences, layout))
        if not self._present(rows).any():
            raise ValueError("y holds no target: every step is marked as missing")
        return sequences, rows, None if sample_weight is None else row_weights(sample_weight, sequences, layout)

    def _weigh(self, y: NDArray[Any], weight: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        present = self._present(y)
        return weight if present.all() else present.astype(float) if weight is None else weight * present

    def _stream_outputs(self, sequences: Sequences, state: Any) -> tuple[NDArray[np.float64], Any]:
        """Outputs of all sequences, which go on from ``state``, and the state after them."""
        network: Any = self.network_
        if self.bidirectional:
            raise ValueError("A stream goes forward in time: state and return_state need bidirectional=False")
        index = np.argsort(-sequences.lengths, kind="stable")
        with limit_threads(self.n_threads), torch.inference_mode():
            batches = self._batches(sequences)
            packed = batches.packed(index)
            given = None if state is None else as_tensors(state, network.start(packed)[0], index)
            out, after = network.outputs(packed, given)
            outputs = np.empty((sequences.n_steps_total, out.shape[1]))
            outputs[batches.rows(index)] = out.double().cpu().numpy()
            back = torch.from_numpy(np.argsort(index))
            return outputs, map_state(lambda s: s.cpu()[back].numpy(), after)

    def predict(self, X: Any, *, state: Any = None, return_state: bool = False) -> Any:
        """Predict a target for each time step.

        Parameters
        ----------
        X : as in ``fit``
            With the channels seen in ``fit``.
        state : object, default=None
            What an earlier call with ``return_state=True`` gave for the same number of sequences: they go on from there. ``None`` starts afresh.
        return_state : bool, default=False
            Whether to return the state after the last step too, for the next piece of a stream. Needs ``bidirectional=False``.

        Returns
        -------
        y : ndarray (n_steps,) for a 2-D X, (n_sequences, n_steps) for a 3-D X, else list of ndarray (n_steps,)
            With one more axis if there are several outputs.
        state : object
            Only if ``return_state``.
        """
        check_is_fitted(self)
        sequences, layout = self._sequences(X, reset=False)
        if state is None and not return_state:
            return give_steps(self._decode(self._rows(sequences)), sequences, layout)
        outputs, after = self._stream_outputs(sequences, state)
        y = give_steps(self._decode(outputs), sequences, layout)
        return (y, after) if return_state else y

    def _going_stream(self, continue_stream: bool) -> Stream | None:
        """A copy of what the last call left, so that a call that fails changes nothing."""
        if not continue_stream:
            return None
        if self.bidirectional:
            raise ValueError("A stream goes forward in time: continue_stream=True needs bidirectional=False")
        return replace(self.__dict__.get("_stream") or Stream())

    def _compared(self, X: Any, y: Any, sample_weight: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64] | None]:
        """Targets, predictions and weights of the steps that have a target."""
        check_is_fitted(self)
        require_target(self, y)
        sequences, layout = self._sequences(X, reset=False)
        rows = self._targets(step_rows(y, sequences, layout))
        present = self._present(rows)
        weight = None if sample_weight is None else row_weights(sample_weight, sequences, layout)[present]
        return rows[present], self._decode(self._rows(sequences))[present], weight
