"""Starting values of weights, drawn in float32 from a generator that the caller owns: the same in every dtype."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

RECURRENT_STARTS = ("orthogonal", "identity", "uniform")


def input_weights(rows: int, columns: int, generator: Generator | None, *, n_blocks: int = 1) -> nn.Parameter:
    """Glorot & Bengio (2010) for each of ``n_blocks`` blocks of rows (gates): uniform within ± sqrt(6 / (rows + columns))."""
    bound = (6 / (rows + columns)) ** 0.5
    return nn.Parameter(_uniform((n_blocks * rows, columns), bound, generator))


def recurrent_weights(rows: list[int], columns: int, start: str, generator: Generator | None) -> nn.Parameter:
    """Blocks of recurrent weights below each other, each with the named start; ``rows`` are the blocks' heights.

    orthogonal: QᵀQ = I (Saxe et al., 2013). identity: ones on the diagonal (Le et al., 2015). uniform: within ± 1 / sqrt(columns).
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
    raise ValueError(f"recurrent_init must be one of {list(RECURRENT_STARTS)}; got {start!r}")


def small(shape: tuple[int, ...], hidden_size: int, generator: Generator | None) -> nn.Parameter:
    """Uniform within ± 1 / sqrt(hidden_size)."""
    return nn.Parameter(_uniform(shape, hidden_size**-0.5, generator))


def _uniform(shape: tuple[int, ...], bound: float, generator: Generator | None) -> Tensor:
    return torch.empty(shape, dtype=torch.float32).uniform_(-bound, bound, generator=generator).to(torch.get_default_dtype())
