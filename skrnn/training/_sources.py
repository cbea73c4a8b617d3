"""What a trainer gets its batches from: a source of what is read, and what should come out of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ..engine import longest_first

Index = NDArray[np.int64]  # numbers of examples, or of rows
Batch = tuple[Any, Tensor, Tensor | None]  # what a network reads, with targets and weights in the order of its outputs

_POOL = 16  # batches that are sorted by length together
_CHUNK_STEPS = 2**16  # time steps predicted at once
_CHUNK_NUMBERS = 2**24  # inputs predicted at once
_CHUNK_SEQUENCES = 512


class Source(ABC):
    """Examples that a network reads in batches: sequences, pairs of sequences, windows of series."""

    @abstractmethod
    def __len__(self) -> int:
        """How many examples there are."""

    @property
    @abstractmethod
    def lengths(self) -> Index:
        """Steps of each example, in which its cost grows."""

    @abstractmethod
    def rows(self, index: Index) -> Index:
        """Where the outputs of a batch of the examples ``index``, step by step, lie among those of all examples, end to end."""

    @abstractmethod
    def packed(self, index: Index) -> Any:
        """The examples ``index`` as a network reads them."""

    @abstractmethod
    def shuffled(self, batch_size: int | None, generator: Generator) -> list[Index]:
        """The batches of an epoch, in random order."""

    @abstractmethod
    def chunks(self) -> Iterator[Index]:
        """Every example once, in chunks of bounded work."""


class Examples(ABC):
    """A source, what should come out of it, and how much each answer counts.

    Attributes
    ----------
    source : Source
    target : Tensor
        Of all rows, or of enough of them to find the best constant output.
    weight : Tensor or None
        How much each row of ``target`` counts, with mean 1 over all rows; ``None``: all alike.
    """

    source: Source
    target: Tensor
    weight: Tensor | None

    @property
    @abstractmethod
    def n_rows(self) -> float:
        """Of how many rows the mean loss is, each as often as it counts: what a penalty of the weights is divided by."""

    @abstractmethod
    def batch(self, index: Index) -> Batch:
        """The examples ``index`` as a network reads them, with targets and weights in the order of its outputs."""


@dataclass(frozen=True, eq=False)
class Data(Examples):
    """Examples whose targets are there, for each example or for each step.

    Parameters
    ----------
    source : Source
    target : Tensor of shape (n_rows,) or (n_rows, n_outputs)
        A row for each example; of steps end to end as :meth:`Source.rows` counts them.
    weight : Tensor of shape (n_rows,) or None, default=None
        How much each row counts, with mean 1; ``None``: all alike.
    per_step : bool, default=False
        Whether rows are steps.
    total_weight : float or None, default=None
        Sum of the weights before their mean was 1, so that a row of weight 2 is two rows; ``None``: the number of rows.
    """

    source: Source
    target: Tensor
    weight: Tensor | None = None
    per_step: bool = False
    total_weight: float | None = None

    @classmethod
    def weighted(cls, source: Source, target: Tensor, weight: NDArray[Any] | None, dtype: torch.dtype, *, per_step: bool = False) -> Self:
        """Where the ``weight`` of a row is how often it counts."""
        if weight is None:
            return cls(source, target, per_step=per_step)
        relative = torch.from_numpy(weight / weight.mean()).to(target.device, dtype)
        return cls(source, target, relative, per_step, float(weight.sum()))

    @property
    def n_rows(self) -> float:
        return float(len(self.target)) if self.total_weight is None else self.total_weight

    def batch(self, index: Index) -> Batch:
        rows = torch.from_numpy(self.source.rows(index) if self.per_step else index).to(self.target.device)
        weight = None if self.weight is None else self.weight.index_select(0, rows)
        return self.source.packed(index), self.target.index_select(0, rows), weight


def shuffled_by_length(lengths: Index, batch_size: int | None, generator: Generator) -> list[Index]:
    """Every example once, in batches of about the same length, in random order."""
    n = len(lengths)
    order = torch.randperm(n, generator=generator).numpy()
    size = n if batch_size is None else min(batch_size, n)
    if size < n and (lengths != lengths[0]).any():
        pools = np.split(order, range(_POOL * size, n, _POOL * size))
        order = np.concatenate([pool[longest_first(lengths[pool])] for pool in pools])
    batches = np.split(order, range(size, n, size))
    return [batches[k] for k in torch.randperm(len(batches), generator=generator).tolist()]


def chunks_by_length(lengths: Index, width: int = 1) -> Iterator[Index]:
    """Every example once, longest first, in chunks of bounded work; a step has ``width`` inputs."""
    n_steps = min(_CHUNK_STEPS, _CHUNK_NUMBERS // width)
    order = longest_first(lengths)
    done = 0
    while done < len(order):
        n = int(np.clip(n_steps // lengths[order[done]], 1, _CHUNK_SEQUENCES))
        yield order[done : done + n]
        done += n
