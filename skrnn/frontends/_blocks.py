"""Work that is done in blocks of rows where no gradient is needed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_NUMBERS = 2**22  # that exist at once beside the result where nothing is kept for a gradient


def in_blocks(n_rows: int, numbers_per_row: int, of_rows: Callable[[slice], Tensor]) -> Tensor:
    """What ``of_rows`` gives for all rows: at once where a gradient is needed, else in blocks, with bounded memory."""
    size = n_rows if torch.is_grad_enabled() else max(1, _NUMBERS // numbers_per_row)
    if size >= n_rows:
        return of_rows(slice(0, n_rows))
    return torch.cat([of_rows(slice(low, min(low + size, n_rows))) for low in range(0, n_rows, size)])
