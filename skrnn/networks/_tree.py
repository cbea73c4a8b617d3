"""Outputs for whole trees, or for each of their nodes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import hidden
from ..cells.trees import TreeCell
from ..engine import Forest, Runnable, climb
from ..frontends import Frontend
from ._network import Linear
from ._recurrent import Dropout


class TreeNetwork(Runnable):
    """A cell at all nodes of trees, and a linear head at the roots or at all nodes.

    Parameters
    ----------
    cell : TreeCell
        Built, for what the frontend gives.
    bias : Tensor of shape (n_outputs,)
        Start of the head's bias.
    frontend : Frontend or None, default=None
        Built, for the tokens; it keeps them apart.
    per_node : bool, default=False
        Whether there are outputs at all nodes.
    dropout : float, default=0.0
        Share of the units set to zero before the head while training.
    """

    def __init__(self, cell: TreeCell, bias: Tensor, frontend: Frontend | None = None, *, per_node: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.frontend, self.recurrent, self.per_node = frontend, cell, per_node
        self.dropout = Dropout(dropout)
        self.head = Linear(cell.hidden_size, bias)
        self.draw_from(cell.generator)

    def forward(self, packed: Forest, detach_every: int | None = None, grad_path: str = "full") -> Tensor:
        """Outputs (n_trees, n_outputs) in the order of the trees, or (n_nodes_total, n_outputs) in that of the nodes of the batch."""
        return self.head(self.dropout(self.vectors(packed, per_node=self.per_node, grad_path=grad_path)))

    def answer(self, packed: Forest) -> Tensor:
        """What ``forward`` gives."""
        return self(packed)

    def at_nodes(self, packed: Forest) -> Tensor:
        """Outputs (n_nodes_total, n_outputs) of all nodes, whatever the network has learned from."""
        return self.head(self.vectors(packed, per_node=True))

    def vectors(self, packed: Forest, *, per_node: bool = False, grad_path: str = "full") -> Tensor:
        """Hidden states of the roots (n_trees, hidden_size) in the order of the trees, or of all nodes of the batch."""
        seen = packed
        if self.frontend is not None:
            tokens = PackedSequence(packed.data, torch.tensor([len(packed.data)]))  # each by itself
            seen = packed._replace(data=self.frontend(tokens).data)
        states = climb(self.recurrent, seen, grad_path=grad_path)
        return torch.cat([hidden(state) for state in states]) if per_node else hidden(states[-1])[packed.roots]
