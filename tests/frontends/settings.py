"""The one list of frontends to test, and how tests make built ones and what they take.

A frontend that appears in ``skrnn.frontends.__all__`` is tested with its defaults without a line here; ``VARIANTS`` adds settings worth testing.
"""

import inspect
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

import skrnn.frontends
from skrnn.engine import pack
from skrnn.frontends import Conv1d, Embedding, Frontend, PerFrame, encode
from tests.cell_settings import RAGGED, grid

SMALL = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(2 * 2 * 3, 4))
NORMED = nn.Sequential(nn.Flatten(), nn.LazyLinear(6, bias=False), nn.BatchNorm1d(6), nn.Sigmoid(), nn.Dropout(0.5), nn.Linear(6, 2))
VARIANTS = {
    "Embedding": [
        {"size": 3, "channels": [1]},
        {"size": 2, "channels": ["place", "day"]},
        {"size": 1, "handle_unknown": "use_encoded_value", "min_frequency": 2},
    ],
    "Conv1d": [
        *grid(channels=[3], kernel_size=[1, 4], stride=[1, 3], causal=[True, False], activation=["tanh"]),
        {"channels": 2, "kernel_size": 12, "causal": False, "activation": "gelu"},
        {"channels": 2, "kernel_size": 2, "stride": 5, "activation": "identity"},
        {"channels": 3, "kernel_size": 3, "frontend": Conv1d(2, 3, stride=2, causal=False, activation="tanh")},
        {"channels": 3, "activation": "tanh", "frontend": Embedding(2, channels=[0])},
    ],
    "PerFrame": [{"size": 3, "n_filters": 2}, {"module": SMALL}, {"module": NORMED}, {"module": SMALL, "redraw": True}],
}


def _settings():
    kinds = [kind for name in skrnn.frontends.__all__ if inspect.isclass(kind := getattr(skrnn.frontends, name)) and issubclass(kind, Frontend)]
    return [kind(**given) for kind in kinds for given in ({}, *VARIANTS.get(kind.__name__, ()))]


SETTINGS = _settings()
FRONTENDS = [pytest.param(frontend, id=" ".join(repr(frontend).split())) for frontend in SETTINGS]
every_frontend = pytest.mark.parametrize("frontend", FRONTENDS)


def raw(frontend, lengths=RAGGED, seed=0):
    """What the frontend takes: pictures, frames with names, arrays of objects or of numbers; one for each length."""
    rng = np.random.default_rng(seed)
    if isinstance(frontend, PerFrame):
        return [rng.normal(size=(n, 4, 5)) for n in lengths]
    inner = frontend if isinstance(frontend, Embedding) else frontend.frontend
    if not isinstance(inner, Embedding):
        return [rng.normal(size=(n, 3)) for n in lengths]
    return [_mixed(n, inner.channels, rng) for n in lengths]


def _mixed(n, channels, rng):
    import pandas as pd

    days, places, sizes = rng.choice(["mon", "tue", "wed"], n), rng.integers(0, 2, n), rng.normal(size=n)
    if channels is None:
        return np.array([days, places.astype(str)], dtype=object).T
    if channels == [1]:
        return np.column_stack([sizes, places])
    frame = pd.DataFrame({"day": days, "size": sizes, "place": places})
    return frame if "day" in channels else frame.to_numpy(dtype=object)


@cache
def _learnt(k):
    return SETTINGS[k].learn(raw(SETTINGS[k], (40, 30), seed=9))


def learnt(frontend):
    """An encoding that has seen all categories."""
    return _learnt(next(k for k, one in enumerate(SETTINGS) if one is frontend))


def built(frontend, dtype=torch.float64, seed=0):
    """A built copy in evaluation mode, none of whose weights is trivial."""
    encoding = learnt(frontend)
    width = encode(raw(frontend, (2,)), encoding).n_features
    new = clone(frontend).build(width, torch.Generator().manual_seed(seed), encoding).to(dtype)
    draw = torch.Generator().manual_seed(100)
    with torch.no_grad():
        for weight in new.parameters():
            weight += 0.3 * torch.randn(weight.shape, generator=draw, dtype=torch.float64).to(dtype)
    return new.eval()


def packed(frontend, X, dtype=torch.float64):
    """Some raw data as a packed batch."""
    return pack(encode(X, learnt(frontend)), dtype=dtype)
