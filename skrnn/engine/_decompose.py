"""Operations of torch as compositions of those that the compiler of cells knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ._nodes import Refused

_aten = torch.ops.aten


def _layer_norm(x: Tensor, size: Any, gain: Tensor | None, bias: Tensor | None, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    axes = list(range(x.ndim - len(size), x.ndim))
    mean = x.mean(axes, keepdim=True)
    centred = x - mean
    per_deviation = torch.rsqrt((centred * centred).mean(axes, keepdim=True) + eps)
    y = centred * per_deviation
    y = y if gain is None else y * gain
    return (y if bias is None else y + bias), mean, per_deviation


def _layer_norm_backward(dy: Tensor, x: Tensor, size: Any, mean: Tensor, *more: Any) -> tuple[Any, ...]:
    per_deviation, gain, _, wanted = more
    axes, others = list(range(x.ndim - len(size), x.ndim)), list(range(x.ndim - len(size)))
    normed = (x - mean) * per_deviation
    d = dy if gain is None else dy * gain
    dx = per_deviation * (d - d.mean(axes, keepdim=True) - normed * (d * normed).mean(axes, keepdim=True))
    return dx, (dy * normed).sum(others) if wanted[1] else None, dy.sum(others) if wanted[2] else None


def _softmax(x: Tensor, axis: int, half: bool) -> Tensor:
    e = torch.exp(x - x.amax(axis, keepdim=True))
    return e / e.sum(axis, keepdim=True)


def _log_softmax(x: Tensor, axis: int, half: bool) -> Tensor:
    below = x - x.amax(axis, keepdim=True)
    return below - torch.log(torch.exp(below).sum(axis, keepdim=True))


def _log_sigmoid(x: Tensor) -> tuple[Tensor, Tensor]:
    return torch.clamp(x, max=0) - torch.log1p(torch.exp(-x.abs())), x


def _log_add_exp(a: Tensor, b: Tensor) -> Tensor:
    return torch.maximum(a, b) + torch.log1p(torch.exp(-(a - b).abs()))


def _softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    return torch.where(x * beta > threshold, x, (torch.clamp(x * beta, min=0) + torch.log1p(torch.exp(-(x * beta).abs()))) / beta)


def _split(x: Tensor, size: int, axis: int = 0) -> Any:
    return x.split_with_sizes([min(size, x.shape[axis] - k) for k in range(0, x.shape[axis], size)], axis)


def _elu(x: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor:
    return torch.where(x > 0, x * scale, torch.expm1(x * input_scale) * (alpha * scale))


def _elu_backward(g: Tensor, alpha: float, scale: float, input_scale: float, of_result: bool, x: Tensor) -> Tensor:
    slope = input_scale * (x + alpha * scale) if of_result else torch.exp(x * input_scale) * (input_scale * alpha * scale)
    return torch.where(x > 0, g * scale, g * slope)


def _gelu(x: Tensor, approximate: str = "none") -> Tensor:
    return 0.5 * x * (1 + (_tanh_of_gelu(x) if approximate == "tanh" else torch.erf(x * 0.5**0.5)))


def _tanh_of_gelu(x: Tensor) -> Tensor:
    return torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x * x * x))


def _gelu_backward(g: Tensor, x: Tensor, approximate: str = "none") -> Tensor:
    if approximate == "tanh":
        t = _tanh_of_gelu(x)
        slope = (2 / torch.pi) ** 0.5 * (1 + 3 * 0.044715 * x * x)
        return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope)
    return g * (0.5 * (1 + torch.erf(x * 0.5**0.5)) + x * torch.exp(-0.5 * x * x) * (0.5 / torch.pi) ** 0.5)


def _vector_norm(x: Tensor, order: float = 2, axes: Any = None, keepdim: bool = False, **_: Any) -> Tensor:
    if order != 2:
        raise Refused(f"a norm of order {order}")
    return torch.sqrt((x * x).sum(list(range(x.ndim)) if axes is None else axes, keepdim=keepdim))


def _sigmoid_backward(g: Tensor, y: Tensor) -> Tensor:
    return g * (y * (1 - y))


def _silu_backward(g: Tensor, x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


def _zero_where(g: Tensor, zero: Tensor) -> Tensor:
    return torch.where(zero, torch.zeros((), dtype=g.dtype), g)


def _filled(x: Tensor, mask: Tensor, value: Any) -> Tensor:
    return torch.where(mask, torch.full((), value, dtype=x.dtype), x)


def _linear(x: Tensor, W: Tensor, b: Tensor | None = None) -> Tensor:
    y = _aten.mm.default(x.reshape(-1, x.shape[-1]), W.t()).view(*x.shape[:-1], len(W))
    return y if b is None else y + b


def _argmax(x: Tensor, axis: int | None = None, keepdim: bool = False) -> Tensor:
    """The first place of the largest entry."""
    if axis is None:
        raise Refused("argmax over all axes")
    axis %= x.ndim
    size = x.shape[axis]
    from_end = torch.arange(size - 1, -1, -1).view(-1, *[1] * (x.ndim - 1 - axis))
    return size - 1 - torch.where(x == x.amax(axis, keepdim=True), from_end, -1).amax(axis, keepdim=keepdim)


def _times(factor: float, x: Tensor) -> Tensor:
    return x if factor == 1 else factor * x


DECOMPOSED: dict[Any, Callable[..., Any]] = {
    _aten.native_layer_norm.default: _layer_norm,
    _aten.native_layer_norm_backward.default: _layer_norm_backward,
    _aten._softmax.default: _softmax,
    _aten._softmax_backward_data.default: lambda g, y, axis, dtype: y * g - y * (y * g).sum(axis, keepdim=True),
    _aten._log_softmax.default: _log_softmax,
    _aten._log_softmax_backward_data.default: lambda g, y, axis, dtype: g - torch.exp(y) * g.sum(axis, keepdim=True),
    _aten.sigmoid_backward.default: _sigmoid_backward,
    _aten.tanh_backward.default: lambda g, y: g * (1 - y * y),
    _aten.addmm.default: lambda b, x, w, beta=1, alpha=1: _times(beta, b) + _times(alpha, _aten.mm.default(x, w)),
    _aten.linear.default: _linear,
    _aten.addcmul.default: lambda a, b, c, value=1: a + value * b * c,
    _aten.addcdiv.default: lambda a, b, c, value=1: a + value * b / c,
    _aten.lerp.Scalar: lambda a, b, weight: a + weight * (b - a),
    _aten.lerp.Tensor: lambda a, b, weight: a + weight * (b - a),
    _aten.log_sigmoid_forward.default: _log_sigmoid,
    _aten.log_sigmoid_backward.default: lambda g, x, kept: g * torch.sigmoid(-x),
    _aten.logaddexp.default: _log_add_exp,
    _aten.softplus.default: _softplus,
    _aten.softplus_backward.default: lambda g, x, beta, threshold: torch.where(x * beta > threshold, g, g * torch.sigmoid(x * beta)),
    _aten.threshold_backward.default: lambda g, x, threshold: _zero_where(g, x <= threshold),
    _aten.hardtanh.default: lambda x, low=-1.0, high=1.0: torch.clamp(x, low, high),
    _aten.hardtanh_backward.default: lambda g, x, low, high: _zero_where(g, (x <= low) | (x >= high)),
    _aten.leaky_relu.default: lambda x, slope=0.01: torch.where(x > 0, x, x * slope),
    _aten.leaky_relu_backward.default: lambda g, x, slope, of_result: torch.where(x > 0, g, g * slope),
    _aten.elu.default: _elu,
    _aten.elu_backward.default: _elu_backward,
    _aten.gelu.default: _gelu,
    _aten.gelu_backward.default: lambda g, x, approximate="none": _gelu_backward(g, x, approximate),
    _aten.silu.default: lambda x: x * torch.sigmoid(x),
    _aten.silu_backward.default: _silu_backward,
    _aten.masked_fill.Scalar: _filled,
    _aten.split.Tensor: _split,
    _aten.stack.default: lambda tensors, axis=0: torch.cat([t.unsqueeze(axis) for t in tensors], axis),
    _aten.argmax.default: _argmax,
    _aten.embedding.default: lambda W, places, *_: _aten.index.Tensor(W, [places]),
    _aten.square.default: lambda x: x * x,
    _aten.linalg_vector_norm.default: _vector_norm,
    _aten.mean.default: lambda x: x.mean(list(range(x.ndim))),
    _aten.sum.default: lambda x: x.sum(list(range(x.ndim))),
}
