"""Recurrent cells and wrappers around cells: what happens in one time step.

Every name in ``__all__`` can be given to an estimator as ``cell="name"`` (in lower case) or as an object with its own settings.
"""

import os

import torch

from . import trees as trees
from ._antisymmetric import Antisymmetric
from ._base import Cell, Layers, Module, Parametrised, Weights, choice, count
from ._batch_norm import BatchNorm
from ._cfc import CfC
from ._clockwork import Clockwork, ClockworkState
from ._cornn import CoRNN, CoRNNState
from ._depth_gated import DepthGatedLSTM
from ._diagram import visual_block
from ._elman import Elman
from ._fully_recurrent import FullyRecurrent
from ._gru import GRU
from ._hyper import Hyper
from ._indrnn import IndRNN
from ._jordan import Jordan, JordanState
from ._lmu import LMU, LMUState
from ._lru import LRU, LRUState
from ._lstm import LSTM, LSTMState
from ._min import MinGRU, MinLSTM
from ._multiplicative import Multiplicative
from ._noise import RecurrentDropout, VariationalDropout, Zoneout
from ._ntm import NTM, NTMState, Tape, tapes
from ._quasi import QRNN, QRNNState
from ._reservoir import Reservoir
from ._rows import in_torch
from ._skip import Residual, Skip
from ._slstm import SLSTM, SLSTMState
from ._spectrum import spectral_radius
from ._spiking import Spiking, SpikingState
from ._sru import SRU, SRUState
from ._state import State, flat, hidden, map_hidden, map_outputs, map_state, put_first
from ._wrappers import Leaky, Wrapper

__all__ = [
    "GRU",
    "LMU",
    "LRU",
    "LSTM",
    "NTM",
    "QRNN",
    "SLSTM",
    "SRU",
    "Antisymmetric",
    "BatchNorm",
    "CfC",
    "Clockwork",
    "CoRNN",
    "DepthGatedLSTM",
    "Elman",
    "FullyRecurrent",
    "Hyper",
    "IndRNN",
    "Jordan",
    "Leaky",
    "MinGRU",
    "MinLSTM",
    "Multiplicative",
    "RecurrentDropout",
    "Reservoir",
    "Residual",
    "Skip",
    "Spiking",
    "VariationalDropout",
    "Zoneout",
]

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
