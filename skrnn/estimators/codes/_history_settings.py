"""What a history compressor is told, and what its fit leaves."""

from __future__ import annotations

import warnings
from dataclasses import field
from numbers import Integral, Real
from typing import Any, ClassVar

from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from ...data import Categories, Sequences
from ..face._declared import TASK, parameters
from ..face._state import Fitted


class HistoryState:
    """Networks that predict, one above the other, and what steps are."""

    levels_: list[Any]
    symbols_: NDArray[Any] | None
    compression_ratio_: float
    _encoding: Categories
    _of_texts: bool

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("levels_", "list of n_levels estimators", (), "What predicts steps, and what predicts the surprises of the level below."),
        Fitted("symbols_", "ndarray or None", ("n_symbols",), "The symbols that were seen, sorted; ``None`` where steps are numbers."),
        Fitted("compression_ratio_", "float", (), "Steps of the sequences of ``fit`` for each that is left of them."),
        Fitted("loss_curve_", "list of float", (), "Mean training loss of each epoch, of level after level.", derived=True),
        Fitted("n_iter_", "int", (), "Epochs run, of all levels.", derived=True),
        Fitted("_encoding", "Categories"),
        Fitted("_of_texts", "bool"),
    )


@parameters
class Compression:
    """Levels, and what they leave out.

    Parameters
    ----------
    n_levels : int, default=1
        Networks above each other: each predicts, and leaves out, what the one below did not expect. More find regularities between surprises.
    threshold : float, default=0.9
        How probable a step must have been, at least, to be left out; it must have been the likeliest besides. 0 is whatever was likeliest, as in the
        paper; more keeps more.
    tolerance : float, default=0.25
        Of numbers: how far from what was told a value may lie, in units of ``standardize``. Its probability is that of lying so near to what it is,
        and a step counts as told only if it does, in all channels.
    symbols : bool or "auto", default="auto"
        Whether steps are symbols, strings or whole numbers of which none is more than another, in one channel. "auto": where X is made of texts,
        whose characters are the symbols, of lists of tokens, of what a ``TokenEncoder`` gives, or of a categorical type; else steps are numbers.
    handle_unknown : {"error", "use_encoded_value"}, default="error"
        What becomes of a symbol that was not seen in ``fit``: an error, or a surprise without a symbol, ``None`` where it is written again.
    embedding_size : int or None, default=None
        Numbers that stand for a symbol in the networks, which learn them; fewer than there are symbols save work where these are thousands. ``None``
        is a channel for each, with no weights that "rtrl" and "snap1" could not follow.
    distill : bool, default=False
        Whether each level also learns what the level above knows at each of its steps, and that then learns again from what is still a surprise:
        what takes an upper level to be told may become no surprise at all. Needs ``n_levels`` of 2 or more; takes twice as long.
    """

    n_levels: int = field(default=1, kw_only=False)
    threshold: float = 0.9
    tolerance: float = 0.25
    symbols: bool | str = "auto"
    handle_unknown: str = "error"
    embedding_size: int | None = None
    distill: bool = False

    _place: ClassVar[int] = TASK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_levels": [Interval(Integral, 1, None, closed="left")],
        "threshold": [Interval(Real, 0, 1, closed="both")],
        "tolerance": [Interval(Real, 0, None, closed="neither")],
        "symbols": ["boolean", StrOptions({"auto"})],
        "handle_unknown": [StrOptions({"error", "use_encoded_value"})],
        "embedding_size": [Interval(Integral, 1, None, closed="left"), None],
        "distill": ["boolean"],
    }


def warn_of_little(sequences: Sequences) -> None:
    """Say that little can be learned from one sequence, and nothing from constant ones."""
    values = sequences.values
    if len(sequences) == 1:
        warnings.warn(
            "X is one sequence: its beginning and its end are learned by heart, and what others hold is a surprise", UserWarning, stacklevel=5
        )
    if (values == values[0]).all():
        warnings.warn("All steps of X are the same: there is nothing to expect or to be surprised by", UserWarning, stacklevel=5)
