"""What estimators still say: ``networks.Embedding`` and ``Encoder(embedding=…)``; goes when they say ``TokenVectors`` and ``frontend=``."""

from __future__ import annotations

from typing import Any

from torch import Generator
from torch.nn.utils.rnn import PackedSequence

from ..data import Encoding
from ..frontends import Frontend, TokenVectors


class Looked(Frontend):
    """Vectors of ids that come in one column."""

    def __init__(self, vectors: TokenVectors | None = None) -> None:
        super().__init__()
        self.vectors = vectors

    def _build(self, generator: Generator | None, encoding: Encoding | None) -> None:
        """Nothing is left to be made."""

    def forward(self, packed: PackedSequence) -> PackedSequence:
        vectors: Any = self.vectors
        return packed._replace(data=vectors(packed.data))
