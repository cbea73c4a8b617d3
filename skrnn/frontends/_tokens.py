"""A vector for each token."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from ..cells import Module


class TokenVectors(Module):
    """Vectors (n_tokens, size), looked up by ids, which come as numbers, as packed batches carry them."""

    def __init__(self, n_tokens: int, size: int, generator: Generator | None = None) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(n_tokens, size, dtype=torch.float32).normal_(generator=generator).to(torch.get_default_dtype()))

    def forward(self, ids: Tensor) -> Tensor:
        """The vectors of some ids (…, n), side by side: (…, n · size)."""
        return nn.functional.embedding(ids.long(), self.W).flatten(-2)
