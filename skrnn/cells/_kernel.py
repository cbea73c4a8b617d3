"""The bridge from compiled kernels and torch's own whole-sequence kernels to cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence

from ..kernels import Kernel, Layout
from ._rows import as_array, keeps_rows_apart, product, project, project_back, runs_compiled
from ._state import State

WholeSequence = Callable[[PackedSequence, State, bool], tuple[Tensor, State] | None]  # what `Cell.kernel` describes


@dataclass(frozen=True)
class OnDevice:
    """A whole-sequence kernel from those for a kind of device each."""

    cpu: WholeSequence | None = None  # for kernels written by hand: float32 or float64
    gpu: WholeSequence | None = None  # for torch's own kernels and parallel operations

    def __call__(self, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State] | None:
        x = packed.data
        run = self.cpu if runs_compiled(x) else self.gpu if runs_in_torch(x) else None
        return None if run is None else run(packed, state, reverse)


def run_compiled(kernel: Kernel, packed: PackedSequence, reverse: bool, W: Tensor, b: Tensor | None, *inputs: Tensor | None) -> tuple[Tensor, ...]:
    """Outputs and final state of a kernel over ``x Wᵀ + b``, x a packed batch; differentiable in x, W, b and the kernel's other ``inputs``."""
    x, layout = packed.data, Layout.of(packed.batch_sizes.numpy())
    if not keeps_rows_apart(x):
        return _Compiled.apply((kernel, layout, reverse), x, W, b, *inputs)
    y, state, _ = kernel.forward(layout, reverse, product(x, W, b).numpy(), *map(as_array, inputs))
    return tuple(map(torch.from_numpy, (y, *state)))


class _Compiled(Function):
    @staticmethod
    def forward(ctx: Any, way: tuple[Kernel, Layout, bool], x: Tensor, W: Tensor, b: Tensor | None, *inputs: Tensor | None) -> tuple[Tensor, ...]:
        ctx.save_for_backward(x, W)
        ctx.way = kernel, layout, reverse = way
        y, state, ctx.saved = kernel.forward(layout, reverse, project(x, W, b).numpy(), *map(as_array, inputs))
        return tuple(map(torch.from_numpy, (y, *state)))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        (x, W), (kernel, layout, reverse) = ctx.saved_tensors, ctx.way
        du, *back = kernel.backward(layout, reverse, ctx.saved, *map(as_array, gradients))
        of_projection = project_back(ctx.needs_input_grad[1:4], x, W, du)
        return None, *of_projection, *(None if g is None else torch.from_numpy(g) for g in back)


def runs_in_torch(x: Tensor) -> bool:
    """Whether torch's own whole-sequence kernels (cuDNN) should work on ``x``: on a GPU, outside torch's function transforms."""
    return x.is_cuda and torch._C._functorch.maybe_current_level() is None


def run_torch(name: str, packed: PackedSequence, reverse: bool, state: tuple[Tensor, ...], *weights: Tensor) -> tuple[Tensor, ...]:
    """Outputs and final state of ``torch.nn``'s ``"lstm"``, ``"gru"``, ``"rnn_tanh"`` or ``"rnn_relu"``, from W, R and two biases.

    Runs on any device; the weights are laid end to end, where cuDNN looks for them.
    """
    flat = torch.cat([w.reshape(-1) for w in weights]).split([w.numel() for w in weights])
    order = reversal(packed.batch_sizes).to(packed.data.device) if reverse else None
    x = packed.data if order is None else packed.data[order]
    hx = tuple(s[None].contiguous() for s in state)
    kernel = getattr(torch._VF, name)
    y, *last = kernel(x, packed.batch_sizes, hx if name == "lstm" else hx[0], [f.view_as(w) for f, w in zip(flat, weights, strict=True)],
                      True, 1, 0.0, torch.is_grad_enabled(), False)  # fmt: skip
    return (y if order is None else y[order], *(s[0] for s in last))


def reversal(batch_sizes: Tensor) -> Tensor:
    """Rows of a packed batch in the order that turns every sequence around; its own inverse."""
    layout = Layout.of(batch_sizes.numpy())
    step, sequence = layout.places
    return torch.from_numpy(layout.starts[layout.lengths[sequence] - 1 - step] + sequence)
