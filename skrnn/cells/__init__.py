"""Recurrent cells and wrappers around cells: what happens in one time step.

Every name in ``__all__`` can be given to an estimator as ``cell="name"`` (in lower case) or as an object with its own settings.
"""

import os

import torch

from ._base import Cell, Layers, Module
from ._elman import Elman
from ._gru import GRU
from ._lstm import LSTM, LSTMState
from ._state import State, hidden, map_state
from ._wrappers import Leaky, Wrapper

__all__ = ["GRU", "LSTM", "Elman", "Leaky"]

if hasattr(os, "register_at_fork"):  # a child that inherits OpenMP's threads waits for them for ever
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def resolve(cell: str | Cell) -> Cell:
    """An unbuilt cell of its own for a name or a cell."""
    from sklearn.base import clone

    known = {name.lower(): globals()[name] for name in __all__}
    if isinstance(cell, Cell):
        return clone(cell)
    if isinstance(cell, str) and cell.lower() in known:
        return known[cell.lower()]()
    raise ValueError(f"The 'cell' parameter must be a Cell or one of {sorted(known)}; got {cell!r}")
