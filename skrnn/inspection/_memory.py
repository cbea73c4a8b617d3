"""What a network writes into its memory and reads from it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline

from ..estimators import NeuralTuringMachine
from ..estimators.face import predictor_of
from ._axes import count_in_whole_numbers, new_or_given_rows
from ._fitted import fitted


class MemoryDisplay:
    """Where the heads of a neural Turing machine are at every step of a sequence: images of slots × time (Graves et al., 2014, figure 6).

    Make it with :meth:`from_estimator`. A bright diagonal is a head that moves on by one slot a step; writing and reading along the same slots is
    a copy. What is blurred is lost, and gets worse the longer a sequence is.

    Parameters
    ----------
    write_weights, read_weights : array-like of shape (n_steps, n_heads, n_slots)
        How much each head is at each slot.
    inputs, outputs : array-like of shape (n_steps, n_channels), default=None
        What is drawn above: what came in, and what was answered; ``None`` leaves it out.

    Attributes
    ----------
    write_weights, read_weights : ndarray of shape (n_steps, n_heads, n_slots)
        What is drawn.
    inputs, outputs : ndarray of shape (n_steps, n_channels) or None
        What is drawn above.
    axes_ : ndarray of matplotlib Axes
        Where it was drawn last: inputs and outputs, then writing heads, then reading heads.
    figure_ : matplotlib Figure
        The figure of ``axes_``.

    Examples
    --------
    >>> from skrnn import NeuralTuringMachine
    >>> from skrnn.datasets import make_copy_memory
    >>> from skrnn.inspection import MemoryDisplay
    >>> X, y, scored = make_copy_memory(20, random_state=0)
    >>> model = NeuralTuringMachine(max_epochs=1, random_state=0).fit(X, y)
    >>> display = MemoryDisplay.from_estimator(model, X)
    >>> display.write_weights.shape == (len(X[0]), 1, 20)
    True
    """

    def __init__(
        self, write_weights: ArrayLike, read_weights: ArrayLike, *, inputs: ArrayLike | None = None, outputs: ArrayLike | None = None
    ) -> None:
        self.write_weights, self.read_weights = (np.asarray(weights, dtype=float) for weights in (write_weights, read_weights))
        self.inputs, self.outputs = (None if part is None else np.asarray(part, dtype=float) for part in (inputs, outputs))
        for name, axes in {"write_weights": 3, "read_weights": 3, "inputs": 2, "outputs": 2}.items():
            part = getattr(self, name)
            if part is not None and (part.ndim != axes or len(part) != len(self.write_weights)):
                wanted = "(n_steps, n_heads, n_slots)" if axes == 3 else "(n_steps, n_channels)"
                raise ValueError(f"{name} must have shape {wanted}, with {len(self.write_weights)} steps; got {part.shape}")

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, sequence: int = 0, layer: int = 0, *, ax: Any = None) -> Self:
        """Draw what a fitted estimator does with its memory.

        Parameters
        ----------
        estimator : NeuralTuringMachine, or Pipeline that ends in one
            Fitted, with ``cell="ntm"`` or another cell with a memory.
        X : as in ``predict``
        sequence : int, default=0
            Which sequence of X.
        layer : int, default=0
            Whose memory: layers from below.
        ax : array-like of matplotlib Axes, default=None
            Where to draw: two for inputs and outputs, and one for each head; ``None`` makes a new figure.

        Returns
        -------
        MemoryDisplay

        Raises
        ------
        TypeError
            If it is no neural Turing machine.
        ValueError
            If the cell has no memory, or there is no such sequence or layer.
        """
        model: Any = fitted(estimator)
        if not isinstance(model, NeuralTuringMachine):
            raise TypeError(f"{type(model).__name__} shows no memory; the display needs a NeuralTuringMachine")
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        sequences = predictor_of(model).read(X).sequences
        if sequence not in range(len(sequences)):
            raise ValueError(f"sequence must be between 0 and {len(sequences) - 1} (the last of X); got {sequence!r}")
        inputs = sequences[sequence]
        trace, (outputs,) = model.trace([inputs], layer=layer), model.predict_proba([inputs])
        return cls(trace.write_weights[0], trace.read_weights[0], inputs=inputs, outputs=outputs).plot(ax)

    def plot(self, ax: Any = None, *, cmap: str = "magma") -> Self:
        """Draw.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, default=None
            Where to draw: one for inputs and one for outputs, if there are any, and one for each head; ``None`` makes a new figure.
        cmap : str, default="magma"
            Colours, from nowhere to there.

        Returns
        -------
        self
        """
        above = {name: part for name, part in {"input": self.inputs, "output": self.outputs}.items() if part is not None}
        heads = [("write", w) for w in np.swapaxes(self.write_weights, 0, 1)] + [("read", w) for w in np.swapaxes(self.read_weights, 0, 1)]
        axes = new_or_given_rows(self, ax, len(above) + len(heads), "one for each head, and for inputs and outputs")
        for row, (name, part) in zip(axes, above.items(), strict=False):
            _draw(row, part, name, "Greys", None)
        for row, (name, weights) in zip(axes[len(above) :], heads, strict=True):
            image = _draw(row, weights, f"{name}: slot", cmap, (0, 1))
        axes[-1].set_xlabel("time step t")
        self.axes_, self.figure_ = axes, axes[0].figure
        self.figure_.colorbar(image, ax=axes[len(above) :], label="weight")
        return self


def _draw(ax: Any, values: NDArray[np.float64], label: str, cmap: str, limits: tuple[float, float] | None) -> Any:
    """An image of rows in time."""
    n_steps, n_rows = values.shape
    low, high = (None, None) if limits is None else limits
    image = ax.imshow(
        values.T, cmap=cmap, vmin=low, vmax=high, aspect="auto", interpolation="nearest", extent=(0.5, n_steps + 0.5, n_rows - 0.5, -0.5)
    )
    for axis in (ax.xaxis, ax.yaxis):
        count_in_whole_numbers(axis)
    ax.set_ylabel(label)
    return image
