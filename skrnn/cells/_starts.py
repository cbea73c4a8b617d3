"""Starting values of weights, drawn in float32 from a generator that the caller owns: the same in every dtype."""

from __future__ import annotations

from numbers import Integral

import torch
from torch import Generator, Tensor, nn

from ._base import Cell

RECURRENT_STARTS = ("orthogonal", "identity", "uniform", "glorot", "spectral_radius")
_RADIUS = 0.95  # below 1, where a linear recurrence would not fade


def input_weights(rows: int, columns: int, generator: Generator | None, *, n_blocks: int = 1) -> nn.Parameter:
    """Glorot & Bengio (2010) for each of ``n_blocks`` blocks of rows (gates): uniform within ± sqrt(6 / (rows + columns))."""
    bound = (6 / (rows + columns)) ** 0.5
    return nn.Parameter(_uniform((n_blocks * rows, columns), bound, generator))


def recurrent_weights(rows: list[int], columns: int, start: str, generator: Generator | None) -> nn.Parameter:
    """Blocks of recurrent weights below each other, each with the named start; ``rows`` are the blocks' heights.

    orthogonal: QᵀQ = I (Saxe et al., 2013). identity: ones on the diagonal (Le et al., 2015). uniform: within ± 1 / sqrt(columns).
    glorot: uniform within ± sqrt(6 / (rows + columns)) (Glorot & Bengio, 2010). spectral_radius: normal, the largest eigenvalue of a square block
    has the modulus 0.95 (Jaeger, 2001; Pascanu et al., 2013).
    """
    return nn.Parameter(torch.cat([_recurrent_block(n, columns, start, generator) for n in rows]))


def _recurrent_block(rows: int, columns: int, start: str, generator: Generator | None) -> Tensor:
    match start:
        case "orthogonal":
            return nn.init.orthogonal_(torch.empty(rows, columns, dtype=torch.float32), generator=generator).to(torch.get_default_dtype())
        case "identity":
            return torch.eye(rows, columns)
        case "uniform":
            return _uniform((rows, columns), columns**-0.5, generator)
        case "glorot":
            return _uniform((rows, columns), (6 / (rows + columns)) ** 0.5, generator)
        case "spectral_radius":
            return _of_radius(max(rows, columns), generator)[:rows, :columns].to(torch.get_default_dtype())
    raise ValueError(f"recurrent_init must be one of {list(RECURRENT_STARTS)}; got {start!r}")


def _of_radius(size: int, generator: Generator | None) -> Tensor:
    square = torch.empty(size, size, dtype=torch.float32).normal_(generator=generator)
    return square * (_RADIUS / torch.linalg.eigvals(square.double()).abs().max()).float()


def chrono_bias(cell: Cell, n: int, generator: Generator | None) -> Tensor:
    """Biases with which ``n`` gates keep for 1 … T − 1 steps: log of uniform numbers between these, T the cell's ``chrono``."""
    longest = cell.get_params(deep=False)["chrono"]
    if not isinstance(longest, Integral) or longest < 2:
        raise ValueError(f"The 'chrono' parameter of {type(cell).__name__} must be a number of time steps of at least 2, or None; got {longest!r}")
    return torch.empty(n, dtype=torch.float32).uniform_(1, int(longest) - 1, generator=generator).log().to(torch.get_default_dtype())


def placed_weights(sizes: list[int], hidden_size: int, n_places: int, generator: Generator | None) -> nn.Parameter:
    """Orthogonal recurrent weights for each place of a child, side by side (sum of sizes, n_places · hidden_size)."""
    blocks = [recurrent_weights(sizes, hidden_size, "orthogonal", generator).detach() for _ in range(n_places)]
    return nn.Parameter(torch.cat(blocks, 1))


def small(shape: tuple[int, ...], hidden_size: int, generator: Generator | None) -> nn.Parameter:
    """Uniform within ± 1 / sqrt(hidden_size)."""
    return nn.Parameter(_uniform(shape, hidden_size**-0.5, generator))


def _uniform(shape: tuple[int, ...], bound: float, generator: Generator | None) -> Tensor:
    return torch.empty(shape, dtype=torch.float32).uniform_(-bound, bound, generator=generator).to(torch.get_default_dtype())
