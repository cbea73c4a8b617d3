"""Which parameters an L2 penalty is for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch import nn

from ..cells import Module

_OFFSETS = ("b", "g")  # how the names of biases and gains begin


def decayed(network: nn.Module) -> Iterator[nn.Parameter]:
    """The weights of a network: what its inputs and states are multiplied with, peepholes and the recurrent weights of ``IndRNN`` too.

    Biases, the gains of norms, and what else a module names in ``undecayed`` are none: nothing is simpler where they are zero. Of a module that is
    not ours, as a frontend may hold it, weights are what has two axes or more.
    """
    for path, parameter in network.named_parameters():
        *place, name = re.sub(r"(\.\d+)+$", "", path).split(".")  # without the place in a list of parameters
        owner = network.get_submodule(".".join(place))
        if isinstance(owner, Module):
            simpler_small = not name.startswith(_OFFSETS) and name not in owner.undecayed
        else:
            simpler_small = parameter.ndim > 1
        if simpler_small:
            yield parameter
