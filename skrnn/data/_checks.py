"""The door: what comes from a user becomes checked Sequences, once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import validate_data

from ._encoding import SEQUENCES, STEPS, WINDOWS, AsItIs, Encoding
from ._finite import check_finite, contiguous, trim_nan
from ._flat import TableLayout, gather
from ._frames import channel_names, kind_of
from ._id_columns import sequences_of_long
from ._long import LongIndex
from ._reading import NO_SAMPLES, ROWS, layout_of, table_to_array, to_sequences, unwrap
from ._sequences import Array, Sequences
from ._tables import telling_where
from ._time_axis import check_time_order


def as_sequences(
    X: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    padding: str | None = None,
    allow_nan: bool = False,
    compute_dtype: npt.DTypeLike | None = None,
    name: str = "X",
    id: str | None = None,
    time: str | None = None,
) -> Sequences:
    """Read sequences from whatever holds them, and check them.

    float32 and float64 keep their type; float16, bool and integers of at most 16 bits become float32, all other numbers float64.
    The input is never changed, and a C-contiguous 3-D or 2-D array of float32 or float64 (memory-mapped or not) is not copied.

    Parameters
    ----------
    X : array-like, list, frame, tensor or Sequences
        - a 3-D array or tensor (n_sequences, n_steps, n_features);
        - a list, tuple or 1-D object array of 2-D arrays (n_steps, n_features) or of 1-D arrays (univariate), which may also be
          frames, tensors or lists of numbers;
        - a 2-D array or frame of numbers: each row is one univariate sequence. A list of Python lists of equal lengths is this
          2-D array, as in scikit-learn;
        - a pandas or polars series of lists (one channel), or a frame of such columns (one channel per column);
        - a pandas frame with a two-level (instance, time) index: instances in the order of their first appearance;
        - torch's nested tensors, and its ``PackedSequence``;
        - Sequences.
    dtype : {float32, float64} or None, default=None
        The type of the values; None keeps it as said above.
    padding : {"nan"} or None, default=None
        With "nan" the time steps at the end of a sequence in which all features are NaN are taken off.
    allow_nan : bool, default=False
        Whether NaN may remain. Infinity may not.
    compute_dtype : {float32, float64} or None, default=None
        The type that will be computed in: a value that is finite but too large for it is refused.
    name : str, default="X"
        The name of the argument in error messages.
    id, time : str or None, default=None
        Of a long frame, with a row for each step: the columns that say of which sequence, and when. Steps are put in
        the order of `time`, or stay in that of the rows.

    Returns
    -------
    sequences : Sequences
        The data, C-contiguous, in float32 or float64.

    Raises
    ------
    TypeError
        If `X` is no container of sequences (a generator, a string, None), is sparse, or holds datetimes or other objects that
        are no numbers.
    ValueError
        If there is no sequence, no step or no feature, if sequences differ in their number of features or dimensions, if a value
        is NaN, infinite or too large (the message names the first sequence, step and feature), or is text or complex.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.data import as_sequences
    >>> as_sequences([np.zeros((4, 2)), np.ones((6, 2))])
    Sequences(n_sequences=2, n_features=2, lengths=4..6, dtype=float64)
    >>> padded = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, np.nan]])
    >>> as_sequences(padded, padding="nan").lengths
    array([3, 1])
    """
    if id is None and time is not None:
        raise ValueError(f"time={time!r} needs id=, the column that says of which sequence a row is")
    with telling_where(X, STEPS if id is not None else SEQUENCES, name):
        sequences = to_sequences(unwrap(X, name), name) if id is None else sequences_of_long(X, id, time, name)
    if padding not in (None, "nan"):
        raise ValueError(f"padding must be None or 'nan', got {padding!r}")
    if padding == "nan":
        sequences = trim_nan(sequences)
    return _check_values(sequences, dtype, compute_dtype, allow_nan, name)


def check_sequences(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    allow_nan: bool = False,
    compute_dtype: npt.DTypeLike | None = None,
    table_layout: TableLayout | None = None,
    encoding: Encoding | None = None,
) -> Sequences:
    """Read the X of an estimator's method: `as_sequences` plus the bookkeeping that scikit-learn asks for.

    At fit (`reset`) a 2-D `X` sets ``n_features_in_`` to its columns and ``feature_names_in_`` to their names; ragged and 3-D
    data set ``n_features_in_`` to their channels. ``_n_channels`` is the number of channels of the sequences (1 for a 2-D `X`, unless
    `table_layout` says more), ``_n_columns`` the number of columns of a 2-D `X` and ``_columns`` their places in the sequences (None for other
    data), ``_rows_are_steps`` whether a 2-D `X` is one sequence. Afterwards the channels must be the same, and the columns too where both are
    2-D; the lengths of ragged and 3-D data are free.
    An error leaves the estimator as it was.

    Parameters
    ----------
    estimator : estimator
        Gets (`reset`) or has the attributes above.
    X : object
        Whatever `as_sequences` accepts.
    reset : bool
        True in ``fit``, False everywhere else.
    allow_nan : bool, default=False
        Whether NaN may remain.
    compute_dtype : {float32, float64} or None, default=None
        The type that will be computed in: a value that is too large for it is refused.
    table_layout : TableLayout or None, default=None
        How the rows of a 2-D `X`, and the axes of other data, are to be read.
    encoding : Encoding or None, default=None
        What makes numbers of `X` where it holds more than numbers; a new one in ``fit``, where it learns.

    Returns
    -------
    sequences : Sequences
        The data, C-contiguous, in float32 or float64.

    Raises
    ------
    TypeError, ValueError
        As `as_sequences`, and if the number of features is not that of ``fit``.
    """
    return check_sequences_and_layout(
        estimator, X, reset=reset, allow_nan=allow_nan, compute_dtype=compute_dtype, table_layout=table_layout, encoding=encoding
    )[0]


def check_sequences_and_layout(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    allow_nan: bool = False,
    compute_dtype: npt.DTypeLike | None = None,
    rows_are_steps: bool = False,
    table_layout: TableLayout | None = None,
    encoding: Encoding | None = None,
) -> tuple[Sequences, str | LongIndex]:
    """`check_sequences`, plus the container that came (see ``layout_of``).

    With `rows_are_steps` a 2-D X is one sequence, whose steps are the rows.
    """
    if isinstance(X, list | tuple | np.ndarray):
        check_time_order(X)
    encoding, table_layout, names = encoding or AsItIs(), table_layout or TableLayout(), channel_names(X)
    rows = STEPS if rows_are_steps else SEQUENCES if table_layout.one_channel(X) else WINDOWS
    X = encoding.numbers(X, reset=reset, rows=rows)
    table, columns = None, None
    with telling_where(X, rows, "X"):
        unwrapped = unwrap(X)
        layout = layout_of(X, unwrapped)
        if layout != ROWS:
            sequences = table_layout.in_time(to_sequences(table_layout.arrange(unwrapped)))
        else:
            array = table_to_array(unwrapped, estimator=estimator)
    if layout == ROWS:
        table = unwrapped if kind_of(unwrapped) else array  # the frame itself, because it has the names
        if not rows_are_steps:
            columns = table_layout.columns(table, array.shape[1]) if reset else _columns_of_fit(estimator, table, array, table_layout)
        sequences = Sequences(array, np.array([0, len(array)])) if columns is None else gather(array, columns)
    is_one = rows_are_steps and layout == ROWS
    sequences = encoding.codes(_check_values(sequences, None, compute_dtype, allow_nan, "X", is_one), reset=reset)
    # Only now, when nothing else can fail, is the estimator touched.
    if reset:
        _remember(estimator, table, sequences, names)
        estimator._columns, estimator._rows_are_steps = columns, rows_are_steps
    else:
        _compare(estimator, table, sequences, names)
    return sequences, layout


def _columns_of_fit(estimator: Any, table: Any, array: Array, table_layout: TableLayout) -> npt.NDArray[np.intp]:
    """Where the columns of a table stand: as in ``fit``, if that saw a table too."""
    if estimator._n_columns is None:
        return table_layout.columns(table, array.shape[1])
    if array.shape[1] != estimator._n_columns:
        _compare(estimator, table, Sequences(array, np.array([0, len(array)])))  # raises, in scikit-learn's words
    return estimator._columns


def _check_values(
    sequences: Sequences, dtype: npt.DTypeLike | None, compute_dtype: npt.DTypeLike | None, allow_nan: bool, name: str, is_one: bool = False
) -> Sequences:
    """Search for NaN and infinity, and convert to `dtype`; `is_one` says that a table was read as one sequence."""
    if len(sequences) == 0:
        raise ValueError(NO_SAMPLES.format(shape=sequences.shape))
    wanted = [np.dtype(d) for d in (dtype, compute_dtype) if d is not None]
    for d in wanted:
        if d not in (np.float32, np.float64):
            raise ValueError(f"dtype and compute_dtype must be float32 or float64, got {d}")
    check_finite(sequences, min([sequences.dtype, *wanted], key=lambda d: d.itemsize), allow_nan, name, is_one)
    values = contiguous(sequences.values, sequences.dtype if dtype is None else np.dtype(dtype))
    return sequences if values is sequences.values else sequences.with_values(values)


def _remember(estimator: Any, table: Any, sequences: Sequences, names: list[str] | None) -> None:
    """Note the kind of data of a fit; `table` is None for other than 2-D data, whose channels may have `names`."""
    if table is not None:
        validate_data(estimator, table, reset=True, skip_check_array=True)
        estimator._n_columns = estimator.n_features_in_
    else:
        vars(estimator).pop("feature_names_in_", None)
        if names is not None:
            estimator.feature_names_in_ = np.array(names, dtype=object)
        estimator.n_features_in_ = sequences.n_features
        estimator._n_columns = None
    estimator._n_channels = sequences.n_features


def _compare(estimator: Any, table: Any, sequences: Sequences, names: list[str] | None = None) -> None:
    """Refuse data of another number of features than those of the fit, or with other names."""
    if table is not None and estimator._n_columns is not None:
        validate_data(estimator, table, reset=False, skip_check_array=True)
        return
    known = vars(estimator).get("feature_names_in_")
    if known is not None and estimator._n_columns is None and names is not None and names != known.tolist():
        raise ValueError(f"The feature names should match those that were passed during fit, in the same order: got {names}, in fit {known.tolist()}")
    expected, found = estimator._n_channels, sequences.n_features
    if found == expected:
        return
    if table is not None and found == 1:
        hint = ": a 2-D X holds one univariate sequence per row; pass a 3-D array (n_sequences, n_steps, n_features) or a list of 2-D arrays"
    elif (sequences.lengths == expected).all():
        hint = "; did you pass (n_sequences, n_features, n_steps)? The features are the last axis"
    else:
        hint = ""
    raise ValueError(f"X has {found} features, but {type(estimator).__name__} is expecting {expected} features as input{hint}.")
