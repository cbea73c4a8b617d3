"""Agreement of sequences of tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import exp, log
from typing import Any


def bleu(y_true: Sequence[Any], y_pred: Sequence[Any], *, max_n: int = 4, smoothing: float = 0.0) -> float:
    """Share of n-grams that agree, over a whole corpus, less a penalty for what is too short (BLEU; Papineni et al., 2002).

    Parameters
    ----------
    y_true : sequence of token sequences or strings
        One reference for each row; the tokens of a string are its characters.
    y_pred : sequence of token sequences or strings
        What was written.
    max_n : int, default=4
        The longest n-grams that are counted.
    smoothing : float, default=0.0
        Added to the counts of n-grams longer than 1, those that agree and all (Lin & Och, 2004, with 1): for few or short rows, of which else a
        single missing 4-gram makes 0.

    Returns
    -------
    float
        Between 0 and 1; 1 where all rows agree.

    Notes
    -----
    ::

        BLEU = min(1, exp(1 − r / c)) · exp(mean over n of log p_n)

    p_n is the share of n-grams written that are in the reference of their row, each as often as it is there; r and c are the tokens of all
    references and of all that was written. Orders of which no row has an n-gram, since all are shorter, are left out of the mean.

    References
    ----------
    K. Papineni, S. Roukos, T. Ward, W.-J. Zhu, "BLEU: a method for automatic evaluation of machine translation", ACL 2002.

    Examples
    --------
    >>> from skrnn.metrics import bleu
    >>> round(
    ...     bleu(
    ...         ["the cat is on the mat".split()],
    ...         ["the cat sat on the mat".split()],
    ...         max_n=2,
    ...     ),
    ...     3,
    ... )
    0.707
    """
    if isinstance(y_true, str) or isinstance(y_pred, str):
        raise TypeError("y_true and y_pred must be sequences of token sequences, one for each row; got a single string")
    if len(y_true) != len(y_pred) or not len(y_true):
        raise ValueError(f"y_true and y_pred must have the same number of rows, and at least one; got {len(y_true)} and {len(y_pred)}")
    if max_n < 1 or smoothing < 0:
        raise ValueError(f"max_n must be at least 1 and smoothing at least 0; got {max_n} and {smoothing}")
    written, reference = sum(map(len, y_pred)), sum(map(len, y_true))
    if written == 0:
        return float(reference == 0)
    logs = []
    for n in range(1, max_n + 1):
        agree, total, wanted = 0, 0, 0
        for true, pred in zip(y_true, y_pred, strict=True):
            there, here = _grams(true, n), _grams(pred, n)
            agree += (there & here).total()
            total += here.total()
            wanted += there.total()
        if total == 0 and wanted == 0:
            continue
        extra = smoothing if n > 1 else 0.0
        if agree + extra == 0 or total + extra == 0:
            return 0.0
        logs.append(log((agree + extra) / (total + extra)))
    return min(1.0, exp(1 - reference / written)) * exp(sum(logs) / len(logs))


def _grams(tokens: Sequence[Any], n: int) -> Counter[tuple[Any, ...]]:
    return Counter(zip(*(tokens[k:] for k in range(n)), strict=False))
