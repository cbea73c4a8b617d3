"""Numbers for every step, as users give them: targets, weights and states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...cells import State, map_state
from ...data import ROWS, LongIndex, Sequences, offsets_of, step_rows, unmasked


def numbers(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Targets as float64; NaN stays."""
    if rows.dtype.kind not in "biufO":
        raise ValueError(f"y must hold numbers, got dtype {rows.dtype}")
    try:
        values = rows.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"y must hold numbers: {error}") from error
    if np.isinf(values).any():
        raise ValueError("Input y contains infinity")
    return np.asarray(values)


def told_offsets(n_steps: Any, n: int) -> NDArray[np.int64]:
    """Where the steps of n sequences begin and end, of which all or each are told how many there are to be."""
    steps = np.asarray(n_steps)
    if steps.dtype.kind not in "iu" or steps.shape not in ((), (n,)) or steps.min() < 1:
        raise ValueError(f"n_steps must be a whole number of at least 1, or {n} of them, one for each row of X; got {n_steps!r}")
    return offsets_of(np.broadcast_to(steps, n))


def row_weights(sample_weight: Any, sequences: Sequences, layout: str | LongIndex) -> NDArray[np.float64]:
    """A weight for each row, from one for each sequence or one for each step."""
    sample_weight = unmasked(sample_weight)
    try:
        flat = np.asarray(sample_weight, dtype=float)
    except ValueError:  # ragged
        flat = np.empty((0, 0))
    per_sequence = flat.shape == (len(sequences),) and (len(sequences), layout) != (1, ROWS)
    weight = np.repeat(flat, sequences.lengths) if per_sequence else step_rows(sample_weight, sequences, layout, "sample_weight").astype(float)
    if weight.ndim != 1 or not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ValueError("sample_weight must hold one finite number ≥ 0 for each sequence or each step, and not only zeros")
    return weight


def as_tensors(state: Any, like: State, index: NDArray[np.int64]) -> State:
    """A state that ``predict`` returned, in packed order; refused if it is of other sequences or another network."""
    given, wanted = _arrays(state), _arrays(like)
    if not all(isinstance(a, np.ndarray) for a in given):
        raise TypeError(f"state must be what predict returned, or state_; got {type(state).__name__}")
    if [a.shape for a in given] != [tuple(w.shape) for w in wanted]:
        raise ValueError(f"state does not fit: it holds arrays of shapes {[a.shape for a in given]}, expected {[tuple(w.shape) for w in wanted]}")
    leaves = iter(given)
    return map_state(lambda s: torch.from_numpy(next(leaves)[index]).to(s.device, s.dtype), like)


def as_arrays(state: State) -> Any:
    """A state in numpy."""
    if torch.is_tensor(state):
        return state.cpu().numpy()
    parts = [as_arrays(part) for part in state]
    return tuple(parts) if type(state) is tuple else type(state)(*parts)


def join_arrays(states: Sequence[Any]) -> Any:
    """The states of several lots of sequences as one, in numpy."""
    if not isinstance(states[0], tuple):
        return np.concatenate(states)
    parts = [join_arrays(part) for part in zip(*states, strict=True)]
    return tuple(parts) if type(states[0]) is tuple else type(states[0])(*parts)


def _arrays(state: Any) -> list[Any]:
    return [array for part in state for array in _arrays(part)] if isinstance(state, tuple) else [state]
