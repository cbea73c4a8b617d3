"""Layer normalisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._base import Module


class LayerNorm(Module):
    """LN(a) = γ (a − mean a) / sqrt(var a + 1e-5) + β over the last axis (Ba, Kiros & Hinton, 2016)."""

    def __init__(self, size: int, *, bias: bool = True) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size)) if bias else None

    def forward(self, a: Tensor) -> Tensor:
        a = a - a.mean(-1, keepdim=True)  # torch rounds the product of mean and scale, which shows where all units are nearly the same
        return nn.functional.layer_norm(a, self.gain.shape, self.gain, self.bias)
