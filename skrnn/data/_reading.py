"""Reading containers: whatever the user has becomes an array, a list of arrays or a frame, and then Sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

from ._finite import contiguous, float_dtype, hinting, to_float
from ._frames import cells_of, columns_of, has_instances, kind_of, order_of_instances, refuse_columns, sequences_of_packed, tensor_to_array
from ._long import LongIndex, long_index
from ._sequences import Array, Sequences, offsets_of, refuse_empty

# How the sequences lay in the caller's container (`layout_of`).
ROWS, ARRAY, LIST, OBJECTS, SEQUENCES = "rows", "array", "list", "objects", "sequences"

NO_SAMPLES = "Found array with 0 sample(s) (shape={shape}) while a minimum of 1 is required."
NO_FEATURES = "Found array with 0 feature(s) (shape={shape}) while a minimum of 1 is required."


@runtime_checkable
class SupportsArray(Protocol):
    """Anything that numpy can convert by its own wish."""

    def __array__(self) -> Array: ...


def unwrap(X: Any, name: str = "X") -> Any:
    """Take off the foreign wrapping: give Sequences, an ndarray, a list of ndarrays, or a frame of numbers."""
    if isinstance(X, Sequences):
        return X
    _refuse_sparse(X)
    kind = kind_of(X)
    if kind == "torch.Tensor":
        return [tensor_to_array(part) for part in X.unbind()] if X.is_nested else tensor_to_array(X)
    if kind == "torch.PackedSequence":
        return sequences_of_packed(X, name)
    if kind:
        return _unwrap_frame(X, kind, name)
    if isinstance(X, np.ndarray) and not (X.dtype == object and X.ndim == 1):
        return unmasked(X)
    if isinstance(X, np.ndarray):
        return _unwrap_items(list(X), False, name)
    if isinstance(X, Sequence) and not isinstance(X, str | bytes | bytearray | memoryview):
        return _unwrap_items(list(X), True, name)
    if isinstance(X, SupportsArray):
        return unwrap(np.asarray(X), name)
    raise TypeError(f"Expected a sequence of arrays, got {type(X).__name__}")


def layout_of(X: Any, unwrapped: Any) -> str | LongIndex:
    """Name the container that the caller has, given what `unwrap` made of it; of a long frame give the index."""
    if isinstance(X, Sequences):
        return SEQUENCES
    if isinstance(unwrapped, Sequences | list):
        return LIST if isinstance(X, list | tuple) else OBJECTS if isinstance(X, np.ndarray) else long_index(X) or SEQUENCES
    if isinstance(unwrapped, np.ndarray) and unwrapped.ndim > 2:
        return LIST if isinstance(X, list | tuple) else ARRAY
    return ROWS


def to_sequences(unwrapped: Any, name: str = "X") -> Sequences:
    """Make Sequences of what `unwrap` gave."""
    if isinstance(unwrapped, Sequences):
        return unwrapped
    if isinstance(unwrapped, list):
        return _join(unwrapped, name)
    if isinstance(unwrapped, np.ndarray) and unwrapped.ndim > 2:
        return _split(unwrapped, name)
    return rows_to_sequences(table_to_array(unwrapped, name))


def table_to_array(table: Any, name: str = "X", estimator: Any = None) -> Array:
    """Let scikit-learn check a 2-D array or frame, all but the values; give it in float32 or float64."""
    kind = kind_of(table)
    if kind:
        refuse_columns(table, kind, name)
    elif isinstance(table, np.ndarray):
        float_dtype(table.dtype, name)
        if table.ndim == 1 and len(table) == 0:
            raise ValueError(NO_SAMPLES.format(shape=table.shape))
    with hinting():
        array = check_array(table, ensure_all_finite=False, input_name=name, estimator=estimator)
    return to_float(array, name)


def rows_to_sequences(table: Array) -> Sequences:
    """Read each row as one univariate sequence."""
    n, t = table.shape
    return Sequences(contiguous(table).reshape(n * t, 1), np.arange(n + 1) * t)


def _split(array: Array, name: str) -> Sequences:
    """Read an array (n_sequences, n_steps, n_features); one that is C-contiguous and float32 or float64 is not copied."""
    if array.ndim != 3:
        expected = "2-D (n_samples, n_features) or 3-D (n_sequences, n_steps, n_features)"
        raise ValueError(f"expected {name} to be {expected}, got {array.ndim}-D")
    n, t, f = array.shape
    if n == 0:
        raise ValueError(NO_SAMPLES.format(shape=array.shape))
    if f == 0:
        raise ValueError(NO_FEATURES.format(shape=array.shape))
    if t == 0:
        raise ValueError(f"Found sequences of length 0 (shape={array.shape}) while a minimum of 1 step is required.")
    return Sequences(contiguous(to_float(array, name)).reshape(n * t, f), np.arange(n + 1) * t)


def _join(arrays: list[Array], name: str) -> Sequences:
    """Put a list of 1-D arrays (univariate) or 2-D arrays end to end."""
    ranks = [array.ndim for array in arrays]
    # Before the ranks, because numpy reads an empty list as 1-D.
    refuse_empty(np.array([array.shape[0] if array.ndim else 1 for array in arrays]))
    for i, rank in enumerate(ranks):
        if rank not in (1, 2):
            raise ValueError(f"expected the sequences of {name} to be 2-D (n_steps, n_features) or 1-D, but sequence {i} is {rank}-D")
        if rank != ranks[0]:
            raise ValueError(f"sequence {i} is {rank}-D, sequence 0 is {ranks[0]}-D; all sequences need the same number of dimensions")
    if ranks[0] == 2:
        _check_widths(arrays)
    dtypes = {array.dtype for array in arrays}
    target = np.result_type(*(float_dtype(dtype, name) for dtype in dtypes))
    if np.dtype(object) in dtypes:
        arrays = [to_float(array, name) for array in arrays]
    with np.errstate(over="ignore"):
        values = np.concatenate(arrays, dtype=target, casting="unsafe")
    return Sequences(values.reshape(len(values), -1), offsets_of([len(array) for array in arrays]))


def _check_widths(arrays: list[Array]) -> None:
    """Refuse 2-D sequences of different numbers of features, or of none."""
    first = arrays[0].shape[1]
    for i, array in enumerate(arrays):
        if array.shape[1] != first:
            raise ValueError(f"sequence {i} has {array.shape[1]} features, sequence 0 has {first}; all sequences need the same n_features")
    if first == 0:
        raise ValueError(NO_FEATURES.format(shape=arrays[0].shape))


def _refuse_sparse(X: Any) -> None:
    """Refuse a sparse matrix in scikit-learn's words, which numpy would take for a single object."""
    if issparse(X):
        raise TypeError("Sparse data was passed, but dense data is required. Use '.toarray()' to convert to a dense numpy array.")


def unmasked(values: Any) -> Any:
    """Give a masked array, or those in a list, NaN where it is masked (None, where it holds no numbers), and a tensor as an array.

    Anything else is left as it is.
    """
    if isinstance(values, list | tuple):
        special = any(isinstance(part, np.ma.MaskedArray) or kind_of(part) == "torch.Tensor" for part in values)
        return [unmasked(part) for part in values] if special else values
    if kind_of(values) == "torch.Tensor":
        return tensor_to_array(values)
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if not np.ma.is_masked(values):
        return np.asarray(values.data)
    if values.dtype.kind in "biuf":
        return np.ma.filled(values.astype(np.result_type(values.dtype, np.float32)), np.nan)
    objects = np.array(values.data, dtype=object)
    objects[np.ma.getmaskarray(values)] = None
    return objects


def _unwrap_items(items: list[Any], tabular: bool, name: str) -> Array | list[Array]:
    """Read the items of a list one by one.

    Python lists of numbers in equal shapes are one array, as scikit-learn reads them (`tabular`), and so are bare numbers;
    everything else is one sequence per item.
    """
    if not items:
        raise ValueError(NO_SAMPLES.format(shape=(0,)))
    arrays = [_read_item(item, i, name) for i, item in enumerate(items)]
    numbers = all(array.ndim == 0 for array in arrays)
    nested = tabular and all(isinstance(item, list | tuple) for item in items)
    if numbers or (nested and len({array.shape for array in arrays}) == 1):
        return np.stack(arrays)
    return arrays


def _read_item(item: Any, i: int, name: str) -> Array:
    """Read one item of a list as an array of any rank."""
    if isinstance(item, np.ndarray):
        return unmasked(item)
    _refuse_sparse(item)
    kind = kind_of(item)
    if kind == "torch.Tensor":
        return tensor_to_array(item)
    if kind:
        refuse_columns(item, kind, f"sequence {i} of {name}")
        with hinting():
            return check_array(item, ensure_2d=False, ensure_all_finite=False, ensure_min_samples=0, ensure_min_features=0, input_name=name)
    try:
        return np.asarray(item)
    except ValueError as error:
        raise ValueError(f"sequence {i} of {name} is no table of numbers: every step needs the same number of features ({error})") from error


def _unwrap_frame(frame: Any, kind: str, name: str) -> Any:
    """Read a frame or series: sequences in cells, a two-level (instance, time) index, or a table of numbers."""
    columns = [(label, cells_of(column, kind)) for label, column in columns_of(frame, kind)]
    nested = [label for label, cells in columns if cells is not None]
    if nested:
        return _join_columns(columns, nested[0], name)
    if has_instances(frame, kind, name):
        table = table_to_array(frame.to_frame() if kind == "pandas.Series" else frame, name)
        order, offsets = order_of_instances(frame)
        return Sequences(contiguous(table[order]), offsets)
    return frame


def _join_columns(columns: list[tuple[str, list[Any] | None]], nested: str, name: str) -> Sequences:
    """Put columns of sequences side by side: one channel per column."""
    channels = []
    for label, cells in columns:
        if cells is None:
            raise ValueError(f"column {label!r} of {name} holds single values, column {nested!r} holds sequences; all columns must hold sequences")
        if not cells:
            raise ValueError(NO_SAMPLES.format(shape=(0, len(columns))))
        channels.append(_join([_read_item(cell, i, name) for i, cell in enumerate(cells)], name))
    for (label, _), channel in zip(columns, channels, strict=True):
        differs = channel.lengths != channels[0].lengths
        if differs.any():
            i = int(np.argmax(differs))
            raise ValueError(f"sequence {i} has {channel.lengths[i]} steps in column {label!r} and {channels[0].lengths[i]} in {columns[0][0]!r}")
    return channels[0].with_values(np.hstack([channel.values for channel in channels]))
