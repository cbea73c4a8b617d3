"""Any torch module inside a model: its weights from the generator of the fit, its pickle without tensors."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _LazyConvXdMixin
from torch.nn.modules.dropout import _DropoutNd

from ..cells import Module


class SeededDropout(Module):
    """``torch.nn.Dropout`` that draws from the generator of the fit; axes behind the first ``n_axes`` share their mask."""

    def __init__(self, p: float, n_axes: int | None) -> None:
        super().__init__()
        self.p, self.n_axes = p, n_axes

    def forward(self, x: Tensor) -> Tensor:
        """Scale what is kept while training; change nothing else."""
        if not self.training or self.p == 0:
            return x
        shape = x.shape if self.n_axes is None else (*x.shape[: self.n_axes], *[1] * (x.ndim - self.n_axes))
        mask = torch.empty(shape, dtype=x.dtype).bernoulli_(1 - self.p, generator=self.generator)
        return x * mask.to(x.device) / max(1 - self.p, torch.finfo(x.dtype).tiny)


_DRAWING_WHEN_SEEN: Any = (nn.LazyLinear, _LazyConvXdMixin)
_UNSEEDED = (_DropoutNd, nn.RReLU)  # they draw from torch's global generator; dropouts of `_DROPOUTS` are replaced
_DROPOUTS: dict[type[nn.Module], int | None] = {nn.Dropout: None, nn.Dropout1d: 2, nn.Dropout2d: 2, nn.Dropout3d: 2}


def own_copy(module: nn.Module, like: Tensor, generator: Generator | None, *, redraw: bool) -> tuple[nn.Module, int]:
    """A copy with weights drawn from ``generator``, and how many numbers it makes of one ``like`` (1, …).

    Each weight with two axes or more is uniform within ± 1 / √fan-in, and so are the biases beside it:
    torch's own start of its linear layers and convolutions. Weights that need no gradient, and what stands
    beside no matrix (gains and shifts of norms), stay; all do without ``redraw``.
    """
    _refuse(module)
    twin = nn.Sequential(copy.deepcopy(module)).to(like.dtype)  # in another, so that a module that is a dropout itself has a parent
    lazy = [part for part in twin.modules() if isinstance(part, _DRAWING_WHEN_SEEN) and part.has_uninitialized_params()]
    for part in lazy:
        part.reset_parameters = lambda: None  # it would draw from torch's global generator
    with torch.no_grad():
        size = _size_of(_tried(twin.eval(), like), like)
    for part in lazy:
        del part.reset_parameters
    for part in twin.modules():
        if redraw or part in lazy:
            _draw(part, generator)
    _seed_dropouts(twin)
    return twin.train()[0], size


def _refuse(module: nn.Module) -> None:
    """What would break the promises of estimators: the same seed, the same bits; no answer depends on its company."""
    for part in module.modules():
        if isinstance(part, _UNSEEDED) and type(part) not in _DROPOUTS:
            able = [kind.__name__ for kind in _DROPOUTS]
            raise ValueError(f"the module holds {part!r}, which draws from torch's global generator: use one of {able}")
        if isinstance(part, _NormBase) and not part.track_running_stats:
            raise ValueError(f"the module holds {part!r}, whose answers depend on their company: use track_running_stats=True")


def _tried(module: nn.Module, like: Tensor) -> Any:
    """What a module makes of an input."""
    try:
        return module(like)
    except RuntimeError as error:
        raise ValueError(f"the module cannot take an input of shape {tuple(like.shape)}, colours first as torch has them: {error}") from error


def _size_of(outputs: Any, like: Tensor) -> int:
    if not isinstance(outputs, Tensor) or outputs.ndim < 2 or len(outputs) != len(like):
        found = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
        raise ValueError(f"the module must make numbers of each input by itself; of an input of shape {tuple(like.shape)} it made {found}")
    return outputs[0].numel()


def _draw(part: nn.Module, generator: Generator | None) -> None:
    weights = [weight for weight in part.parameters(recurse=False) if weight.requires_grad]
    matrices = [weight for weight in weights if weight.ndim > 1]
    with torch.no_grad():
        for weight in weights if matrices else ():
            fan_in = (weight if weight.ndim > 1 else matrices[0])[0].numel()
            bound = max(fan_in, 1) ** -0.5
            weight.copy_(torch.empty(weight.shape, dtype=torch.float32).uniform_(-bound, bound, generator=generator))


def _seed_dropouts(module: nn.Module) -> None:
    children: Any = list(module.named_children())
    for name, part in children:
        if type(part) in _DROPOUTS:
            module._modules[name] = SeededDropout(part.p, _DROPOUTS[type(part)])
        else:
            _seed_dropouts(part)


# -- pickles ---------------------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """A weight or buffer in a pickle: its numbers (None: not yet known), whether it is a weight and needs a gradient."""

    numbers: Any
    weight: bool
    requires_grad: bool

    @classmethod
    def of(cls, tensor: Tensor) -> Kept:
        numbers = None if isinstance(tensor, nn.UninitializedParameter) else tensor.detach().cpu().numpy()
        return cls(numbers, isinstance(tensor, nn.Parameter), tensor.requires_grad)

    def tensor(self) -> Tensor:
        if self.numbers is None:
            return nn.UninitializedParameter(requires_grad=self.requires_grad)
        tensor = torch.from_numpy(np.array(self.numbers))
        return nn.Parameter(tensor, requires_grad=self.requires_grad) if self.weight else tensor


def with_arrays(module: nn.Module) -> nn.Module:
    """A copy that holds numpy arrays where it held tensors: for a pickle. What was shared stays shared."""
    parts = [part for part in module.modules() if not isinstance(part, Module)]  # ours hold arrays in a pickle
    tensors = [tensor for part in parts for tensor in (*part._parameters.values(), *part._buffers.values()) if tensor is not None]
    return copy.deepcopy(module, {id(tensor): Kept.of(tensor) for tensor in tensors})


def with_tensors(module: nn.Module) -> nn.Module:
    """The module itself, from a pickle, with tensors again."""
    made: dict[int, Tensor] = {}
    for part in module.modules():
        places: list[dict[str, Any]] = [part._parameters, part._buffers]
        for of_kind in places:
            kept = {name: value for name, value in of_kind.items() if isinstance(value, Kept)}
            of_kind.update({name: made.setdefault(id(value), value.tensor()) for name, value in kept.items()})
    return module
