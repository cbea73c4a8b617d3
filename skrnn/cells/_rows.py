"""What a step does to the rows of a batch: with a gradient as torch does it, without one so that the bits of a row are its own.

A prediction must not depend on the sequences that are predicted beside it, and neither BLAS nor torch's logistic function promise that: see
``kernels/_rows.py``. On other devices than CPUs, and in other precisions than float32 and float64, torch does all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

from ..kernels import WORTH_THREADS, big_matmul, column_sums, row_logistic, row_mixtures, row_product, row_scores, row_softmax, tall_product

_in_torch: ContextVar[bool] = ContextVar("in_torch", default=False)


@contextmanager
def in_torch() -> Iterator[None]:
    """Let torch do everything, in this thread: for who wants to see each operation."""
    token = _in_torch.set(True)
    try:
        yield
    finally:
        _in_torch.reset(token)


def runs_compiled(x: Tensor) -> bool:
    """Whether compiled kernels can work on ``x``: on the CPU, float32 or float64, outside torch's function transforms and compilers."""
    if torch.compiler.is_compiling() or _in_torch.get():  # asked in this order, for torch's compiler cannot read a context variable
        return False
    if torch._C._functorch.maybe_current_level() is not None:  # x may be plain where weights are not
        return False
    return x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)


def keeps_rows_apart(x: Tensor) -> bool:
    """Whether what is done to the rows of ``x`` has to give each bits of its own."""
    return not torch.is_grad_enabled() and runs_compiled(x)


def as_array(tensor: Tensor | None) -> Any:
    """The numbers of a tensor, side by side."""
    return None if tensor is None else np.ascontiguousarray(tensor.detach().numpy())


def product(h: Tensor, R: Tensor, b: Tensor | None = None) -> Tensor:
    """``h Rᵀ + b`` over the last axis of ``h``, as torch differentiates it: of the few rows of a step."""
    if not keeps_rows_apart(h) or h.dtype != R.dtype:
        return functional.linear(h, R, b)
    rows = row_product(as_array(h.reshape(-1, h.shape[-1])), as_array(R), as_array(b))
    return torch.from_numpy(rows).view(*h.shape[:-1], len(R))


def sigmoid(a: Tensor) -> Tensor:
    """``1 / (1 + exp(−a))``."""
    return torch.from_numpy(row_logistic(as_array(a))) if keeps_rows_apart(a) else torch.sigmoid(a)


def softmax(a: Tensor) -> Tensor:
    """Weights that sum to 1 over the last axis, of scores."""
    if not keeps_rows_apart(a):
        return torch.softmax(a, -1)
    return torch.from_numpy(row_softmax(as_array(a.reshape(-1, a.shape[-1])))).view(a.shape)


def scalar_products(keys: Tensor, query: Tensor) -> Tensor:
    """Scores (n, m) of keys (n, m, size) for queries (n, size)."""
    if not keeps_rows_apart(keys):
        return torch.bmm(keys, query[..., None])[..., 0]
    return torch.from_numpy(row_scores(as_array(keys), as_array(query)))


def weighted_sums(weights: Tensor, values: Tensor) -> Tensor:
    """Sums (n, size) of values (n, m, size) with weights (n, m)."""
    if not keeps_rows_apart(values):
        return torch.bmm(weights[:, None], values)[:, 0]
    return torch.from_numpy(row_mixtures(as_array(weights), as_array(values)))


def linear(x: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
    """``x Wᵀ + b`` of the many rows of all steps; on a CPU shared among threads in blocks that do not depend on their number."""
    if not runs_compiled(x):
        return functional.linear(x, W, b)
    return _Linear.apply(x, W, b) if torch.is_grad_enabled() else product(x, W, b)


class _Linear(Function):
    """With products in the faster order."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, W)
        return project(x, W, b)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, W = ctx.saved_tensors
        return project_back(ctx.needs_input_grad, x, W, dy.numpy())


def project(x: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
    """The forward half of what :func:`linear` does where there is a gradient."""
    if len(x) * W.numel() < WORTH_THREADS:
        return functional.linear(x, W, b)
    y = torch.from_numpy(big_matmul(x.detach().numpy(), W.detach().numpy().T))
    return y if b is None else y.add_(b)


def project_back(needed: Any, x: Tensor, W: Tensor, dy: NDArray[Any]) -> tuple[Tensor | None, ...]:
    """Gradients of x, W and b."""
    dx = torch.from_numpy(big_matmul(dy, W.detach().numpy())) if needed[0] else None
    dW = torch.from_numpy(tall_product(dy, x.detach().numpy())) if needed[1] else None
    return dx, dW, torch.from_numpy(column_sums(dy)) if needed[2] else None
