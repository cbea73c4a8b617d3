"""One long series as a batch of its pieces."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..cells import Cell, State, flat, map_state
from ._pack import as_packed, packed_rows
from ._scan import scan


class ChunkedScan(NamedTuple):
    """Outputs (n_steps, hidden_size) and last state of a series, and the largest error found where pieces meet (0 if it was run in one piece)."""

    outputs: Tensor
    state: State
    seam: float


@torch.no_grad()
def scan_chunked(cell: Cell, x: Tensor, state: State | None = None, *, n_chunks: int = 32, n_warmup: int = 300, tol: float = 1e-5) -> ChunkedScan:
    """Run a cell over one long series in pieces side by side, each warmed up on the steps before it.

    For a reservoir, or any cell whose state forgets where it began: faster than step after step where a batch uses the machine better, as a GPU
    or many units with all connections. That the state forgets is not taken on trust: each piece begins with the state that its warm-up found, and
    the piece before it ends with the state that it should have been.

    Parameters
    ----------
    cell : Cell
        Built, on the device and with the dtype of the data; in evaluation mode, if it has one of its own for training.
    x : Tensor of shape (n_steps, input_size)
    state : State or None, default=None
        Of one sequence, before the first step; ``None`` is the cell's initial state.
    n_chunks : int, default=32
        Pieces. More are faster until the warm-ups cost as much as the pieces.
    n_warmup : int, default=300
        Steps of a warm-up. More make the seams smaller; slow units need more.
    tol : float, default=1e-5
        Largest error at a seam, relative to the largest number of the states. Above it, and where a piece would be shorter than its warm-up, the
        series is run again in one piece.

    Returns
    -------
    ChunkedScan
        Without a gradient. ``seam`` is the error that was found, also where it was too large.

    Raises
    ------
    ValueError
        If ``n_chunks`` or ``n_warmup`` is less than 1.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import Reservoir
    >>> from skrnn.engine import scan_chunked
    >>> cell = (
    ...     Reservoir(fan_in=5)
    ...     .build(1, 20, torch.Generator().manual_seed(0))
    ...     .double()
    ...     .eval()
    ... )
    >>> x = torch.sin(torch.arange(4000, dtype=torch.float64))[:, None]
    >>> scan_chunked(cell, x, n_chunks=4).seam < 1e-9
    True
    """
    for name, value in (("n_chunks", n_chunks), ("n_warmup", n_warmup)):
        if value < 1:
            raise ValueError(f"The {name!r} of scan_chunked must be at least 1; got {value!r}")
    begin = cell.initial_state(1, like=x) if state is None else state
    length = -(-len(x) // n_chunks)
    starts = np.arange(0, len(x), length)
    if len(starts) < 2 or n_warmup > length:
        return _in_one_piece(cell, x, begin, 0.0)
    _, warm, _ = _run(cell, x, starts[1:] - n_warmup, np.full(len(starts) - 1, n_warmup), None)
    first = map_state(lambda s, w: torch.cat([s, w]), begin, warm)
    y, last, rows = _run(cell, x, starts, np.minimum(starts + length, len(x)) - starts, first)
    seam = _gap(map_state(lambda s: s[:-1], last), warm)
    if not seam <= tol:
        return _in_one_piece(cell, x, begin, seam)
    return ChunkedScan(torch.empty_like(y).index_copy_(0, rows, y), map_state(lambda s: s[-1:], last), seam)


def _run(cell: Cell, x: Tensor, starts: NDArray[np.int64], lengths: NDArray[np.int64], state: State | None) -> tuple[Tensor, State, Tensor]:
    """Outputs and last states of pieces of equal length, the last perhaps shorter; and the row of ``x`` of each output."""
    rows, sizes, order = packed_rows(starts, lengths)
    index = torch.from_numpy(rows).to(x.device)
    packed, last = scan(cell, as_packed(x[index], sizes, order), state)
    return packed.data, last, index


def _in_one_piece(cell: Cell, x: Tensor, state: State, seam: float) -> ChunkedScan:
    y, last, _ = _run(cell, x, np.array([0]), np.array([len(x)]), state)
    return ChunkedScan(y, last, seam)


def _gap(got: State, expected: State) -> float:
    """The largest difference of two states, relative to the largest number; infinite where counters differ."""
    gaps = [0.0]
    for a, b in zip(flat(got), flat(expected), strict=True):
        scale = float(a.abs().max())
        gaps.append(float((a - b).abs().max()) / (scale or 1.0) if a.is_floating_point() else (0.0 if torch.equal(a, b) else np.inf))
    return float(np.max(gaps))
