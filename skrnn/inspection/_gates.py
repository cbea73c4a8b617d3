"""What the gates of a cell do along a sequence."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..engine import limit_threads
from ..networks._watched import innermost, watch
from ._axes import count_in_whole_numbers, new_or_given_rows
from ._fitted import one_stack, seen


class GateDisplay:
    """The gates of a cell, and its output, at every step of one sequence: images of units × time.

    Make it with :meth:`from_estimator`. A gate that does not change along time is not used; one that is open or shut everywhere tells that its
    bias starts in the wrong place; units whose forget gate stays near 1 remember.

    Parameters
    ----------
    gates : dict of str to array-like of shape (n_steps, n_units)
        Between 0 (shut) and 1 (open), for each gate by its letter in the cell's equations.
    output : array-like of shape (n_steps, hidden_size)
        Output of the cell.

    Attributes
    ----------
    gates : dict of str to ndarray of shape (n_steps, n_units)
        What is drawn.
    output : ndarray of shape (n_steps, hidden_size)
        What is drawn below.
    axes_ : ndarray of matplotlib Axes, of shape (n_gates + 1,)
        Where it was drawn last.
    figure_ : matplotlib Figure
        The figure of ``axes_``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import GateDisplay
    >>> X = np.random.default_rng(0).normal(size=(40, 7, 1))
    >>> model = RNNRegressor(
    ...     cell="lstm", hidden_size=4, max_epochs=3, random_state=0
    ... ).fit(X, X.mean((1, 2)))
    >>> {
    ...     name: gate.shape
    ...     for name, gate in GateDisplay.from_estimator(
    ...         model, X
    ...     ).gates.items()
    ... }
    {'i': (7, 4), 'f': (7, 4), 'o': (7, 4)}
    """

    def __init__(self, gates: Mapping[str, ArrayLike], output: ArrayLike) -> None:
        self.gates = {name: np.asarray(gate, dtype=float) for name, gate in gates.items()}
        self.output = np.asarray(output, dtype=float)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, sequence: int = 0, layer: int = 0, direction: int = 0, *, ax: Any = None) -> Self:
        """Draw the gates of a trained network.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted, with a cell that has gates, or wrappers around one.
        X : as in ``predict``
        sequence : int, default=0
            Which sequence of X.
        layer, direction : int, default=0
            Whose gates: layers from below; 0 runs forward, 1 backward.
        ax : array-like of matplotlib Axes, default=None
            Where to draw: one for each gate, and one for the output; ``None`` makes a new figure.

        Returns
        -------
        GateDisplay

        Raises
        ------
        ValueError
            If the cell has no gates, or there is no such sequence, layer or direction.
        """
        network: Any = copy.deepcopy(one_stack(estimator).network_)
        outer = watch(network.recurrent, layer, direction)
        inner = innermost(outer)
        batches = seen(estimator, X).batches
        if sequence not in range(len(batches)):
            raise ValueError(f"sequence must be between 0 and {len(batches) - 1} (the last of X); got {sequence!r}")
        network.double().eval()
        with limit_threads(1), torch.inference_mode():
            network(batches.packed(np.array([sequence])))
            gates = [inner.cell_.gate_values(step.u, step.before) for step in inner.steps]
        if not gates[0]:
            raise ValueError(f"{inner.cell_!r} has no gates to show: its gate_values() are empty")
        rows = {name: _in_time([gate[name] for gate in gates], direction) for name in gates[0]}
        return cls(rows, _in_time([step.y for step in outer.steps], direction)).plot(ax)

    def plot(self, ax: Any = None, *, cmap: str = "viridis", output_cmap: str = "RdBu_r") -> Self:
        """Draw.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, default=None
            Where to draw: one for each gate, and one for the output; ``None`` makes a new figure.
        cmap : str, default="viridis"
            Colours of the gates, from shut to open.
        output_cmap : str, default="RdBu_r"
            Colours of the output, from negative to positive.

        Returns
        -------
        self
        """
        axes = new_or_given_rows(self, ax, len(self.gates) + 1, "one for each gate and one for the output")
        for row, (name, gate) in zip(axes, self.gates.items(), strict=False):
            image = _draw(row, gate, cmap, (0, 1))
            row.set_ylabel(f"gate {name}")
        largest = float(np.abs(self.output).max()) or 1.0
        output = _draw(axes[-1], self.output, output_cmap, (-largest, largest))
        axes[-1].set(xlabel="time step t", ylabel="output")
        figure = axes[0].figure
        figure.colorbar(image, ax=axes[:-1], label="shut … open")
        figure.colorbar(output, ax=axes[-1])
        self.axes_, self.figure_ = axes, figure
        return self


def _in_time(rows: list[Tensor], direction: int) -> NDArray[np.float64]:
    """Rows in running order, (1, n_units) each, as (n_steps, n_units) in the order of time."""
    return torch.cat(rows[::-1] if direction == 1 else rows).numpy()


def _draw(ax: Any, values: NDArray[np.float64], cmap: str, limits: tuple[float, float]) -> Any:
    n_steps, n_units = values.shape
    low, high = limits
    for axis in (ax.xaxis, ax.yaxis):
        count_in_whole_numbers(axis)
    extent = (0.5, n_steps + 0.5, n_units - 0.5, -0.5)
    return ax.imshow(values.T, cmap=cmap, vmin=low, vmax=high, aspect="auto", interpolation="nearest", extent=extent)
