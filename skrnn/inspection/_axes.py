"""Where a display draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support


def new_or_given(display: Any, ax: Any) -> Any:
    """The axes that the caller gave, or those of a new figure."""
    check_matplotlib_support(f"{type(display).__name__}.plot")
    from matplotlib import pyplot as plt

    return plt.subplots(layout="constrained")[1] if ax is None else ax


def count_in_whole_numbers(axis: Any) -> None:
    """No ticks between whole numbers on a linear axis of epochs, steps or units."""
    axis.get_major_locator().set_params(integer=True)


def new_or_given_rows(display: Any, ax: Any, n_rows: int, what: str) -> Any:
    """``n_rows`` axes, ``what`` for, below each other in a new figure, or as many that the caller gave."""
    check_matplotlib_support(f"{type(display).__name__}.plot")
    from matplotlib import pyplot as plt

    if ax is None:
        return plt.subplots(n_rows, sharex=True, squeeze=False, figsize=(8, 1 + 1.4 * n_rows), layout="constrained")[1][:, 0]
    axes = np.ravel(ax)
    if len(axes) != n_rows:
        raise ValueError(f"ax must hold {n_rows} axes, {what}; got {len(axes)}")
    return axes
