"""A picture at each step."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils.rnn import PackedSequence

from ..cells import count
from ..data import Encoding, Pictures
from ._base import Frontend
from ._torch_modules import own_copy, with_arrays, with_tensors

_BLOCK, _BLOCK_ON_DEVICE = 32, 512  # pictures seen at once: they stay in a CPU's cache


class PerFrame(Frontend):
    """A torch module for the picture at each step: a CNN–LSTM, with recurrent layers behind it (Donahue et al., 2015).

    Choose it for videos and other sequences of images, maps or spectra: X holds arrays (n_steps, height,
    width[, channels]), one for each sequence, or is one array (n_sequences, n_steps, height, width[,
    channels]). Whatever the module makes of a picture are the channels that the recurrent layers see.
    ``standardize=True`` scales a colour by its mean and deviation over all pixels.

    Parameters
    ----------
    module : torch.nn.Module or None, default=None
        From pictures (n, channels, height, width), colours first as torch has them, to numbers (n, …), each
        picture by itself. Its own weights are not touched: a copy is built, whose lazy layers
        (``LazyLinear``, ``LazyConv2d``) see their sizes from X. ``None`` is a small CNN.
    size : int, default=32
        Numbers that the small CNN makes of a picture.
    n_filters : int, default=16
        Filters of the small CNN's first layer; the second has twice as many. More see more kinds of edges,
        and cost as much more.
    shape : tuple of int or None, default=None
        (height, width) or (height, width, channels) of the pictures, where their pixels come side by side, as
        in Sequences; ``None``: X tells.
    redraw : bool, default=False
        Whether the weights of ``module`` are drawn anew from the estimator's ``random_state``; ``False``
        starts from those that it has, as of a module that was trained before.

    Notes
    -----
    ::

        y(t) = module(x(t))

        by default module = Linear(size) ∘ pool ∘ relu ∘ conv 3×3 (2 n_filters) ∘ pool ∘ relu ∘ conv 3×3 (n_filters)

    pool takes the largest of 2×2 (of what there is at the border). Drawn are all weights with two axes or
    more, uniformly within ± 1 / √fan-in, and the biases beside them, as torch draws those of its linear
    layers and convolutions; gains and shifts of norms stay as they are, and so do weights with
    ``requires_grad=False``. ``Dropout`` draws from ``random_state`` too; other random layers are refused. Batch
    norm is over all pictures of a batch while training; else the module sees some pictures at a time, and in
    ``predict`` always as many, so that memory is bounded and no prediction depends on its company. A pickle
    holds the weights as numpy arrays, and the module's classes by their names. Costs n_steps_total times the
    module.

    References
    ----------
    J. Donahue et al., "Long-term recurrent convolutional networks for visual recognition and description", CVPR 2015,
    section 3; differs from the paper in the CNN, which is small and not trained before.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.frontends import PerFrame, encode
    >>> X = [np.random.default_rng(0).normal(size=(n, 6, 8)) for n in (4, 7)]
    >>> frontend = PerFrame(size=5)
    >>> encoding = frontend.learn(X)
    >>> encode(X, encoding), encoding.shape_
    (Sequences(n_sequences=2, n_features=48, lengths=4..7, dtype=float64), (6, 8))
    >>> frontend.build(48, encoding=encoding).output_size
    5
    """

    def __init__(
        self, module: nn.Module | None = None, size: int = 32, n_filters: int = 16, shape: tuple[int, ...] | None = None, redraw: bool = False
    ) -> None:
        super().__init__()
        self.module = module
        self.size = size
        self.n_filters = n_filters
        self.shape = shape
        self.redraw = redraw

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "module":  # a hyper-parameter, whose weights are not weights of the frontend
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def encoding(self) -> Pictures:
        """Pixels side by side."""
        return Pictures(self.shape)

    def _build(self, generator: Generator | None, encoding: Encoding | None) -> None:
        count(self, "size")
        count(self, "n_filters")
        shape = encoding.shape_ if isinstance(encoding, Pictures) else ()
        if prod(shape) != self.input_size or not shape:
            raise ValueError(f"PerFrame is built for pictures of a known shape: build(…, encoding=frontend.learn(X)); got {encoding!r}")
        if self.module is not None and not isinstance(self.module, nn.Module):
            raise ValueError(f"The 'module' parameter of PerFrame must be a torch.nn.Module or None; got {self.module!r}")
        self.picture_shape = (*shape, 1)[:3]
        module = self._small_cnn() if self.module is None else self.module
        like = torch.zeros(1, self.picture_shape[2], *self.picture_shape[:2])
        self.module_, self.output_size = own_copy(module, like, generator, redraw=self.redraw or self.module is None)

    def _small_cnn(self) -> nn.Module:
        height, width, n_colours = self.picture_shape
        n, pooled = self.n_filters, -(-height // 4) * -(-width // 4)
        skip: Any = nn.utils.skip_init  # torch's global generator stays as it is: weights are drawn later
        parts = []
        for below, above in ((n_colours, n), (n, 2 * n)):
            parts += [skip(nn.Conv2d, below, above, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
        return nn.Sequential(*parts, nn.Flatten(), skip(nn.Linear, 2 * n * pooled, self.size))

    def forward(self, packed: PackedSequence) -> PackedSequence:
        x = packed.data
        couples = self.training and any(isinstance(part, _NormBase) for part in self.module_.modules())
        if couples:
            return packed._replace(data=self._numbers(x))
        size = _BLOCK if x.device.type == "cpu" else _BLOCK_ON_DEVICE
        alike = not (torch.is_grad_enabled() or self.training)
        blocks = [self._numbers(_filled(block, size) if alike else block) for block in x.split(size)]
        return packed._replace(data=torch.cat(blocks)[: len(x)])

    def _numbers(self, pixels: Tensor) -> Tensor:
        """What the module makes of pictures (n, height · width · n_colours), flat."""
        return self.module_(pixels.view(-1, *self.picture_shape).permute(0, 3, 1, 2)).flatten(1)

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        own = {k: with_arrays(part) for k, part in state["_modules"].items()}
        return state | {"_modules": own, "module": None if self.module is None else with_arrays(self.module)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = {k: with_tensors(part) for k, part in state["_modules"].items()}
        super().__setstate__(state | {"_modules": own, "module": None if state["module"] is None else with_tensors(state["module"])})


def _filled(block: Tensor, size: int) -> Tensor:
    """So many pictures, with empty ones at the end."""
    return block if len(block) == size else torch.cat([block, block.new_zeros(size - len(block), block.shape[1])])
