"""Frontends: what stands between the input of a step and the first recurrent layer.

Without one the recurrent layers take the channels of X as they are. `Embedding` makes vectors of categories,
`Conv1d` filters along time, and `PerFrame` makes numbers of the picture at each step. They are parametrised
like cells: ``Conv1d(8, frontend=Embedding(4))`` embeds tokens and then filters them. What they learn from
data without a gradient (categories, the shape of a picture) is an encoding, which is numpy alone.

Examples
--------
>>> import torch
>>> from skrnn.cells import GRU
>>> from skrnn.engine import pack
>>> from skrnn.frontends import Conv1d, Embedding, encode
>>> from skrnn.networks import Recurrent, SequenceNetwork
>>> X, g = (
...     [["the", "cat", "sat"], ["the", "dog"]],
...     torch.Generator().manual_seed(0),
... )
>>> frontend = Conv1d(8, kernel_size=3, frontend=Embedding(4))
>>> encoding = frontend.learn(X)
>>> sequences = encode(X, encoding)
>>> frontend = frontend.build(sequences.n_features, g, encoding)
>>> network = SequenceNetwork(
...     Recurrent(GRU(), frontend.output_size, 16, generator=g),
...     "last",
...     torch.zeros(2),
...     frontend,
... )
>>> network(pack(sequences)).shape
torch.Size([2, 2])
"""

from ._base import Frontend, encode, resolve_frontend
from ._conv import Conv1d
from ._embedding import Embedding
from ._per_frame import PerFrame
from ._tokens import TokenVectors

__all__ = ["Conv1d", "Embedding", "PerFrame", "encode"]
