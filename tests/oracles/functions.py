"""Functions that the oracles share."""

from importlib import import_module

import numpy as np


def oracle(cell):
    """``step(x, state) -> (output, state)`` for one sequence in numpy, from the file that has the name of the cell."""
    return import_module(f"tests.oracles.{type(cell).__name__.lower()}").step_of(cell)


def arrays(cell):
    """The weights of a cell by their names."""
    return {name: weight.detach().numpy() for name, weight in cell.named_parameters()}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.where(a > 0, a, 0)


def layer_norm(a, gain, bias=0.0):
    """Ba, Kiros & Hinton (2016), eq. 3 and 4: mean and deviation over the units of one layer."""
    return gain * (a - a.mean()) / np.sqrt(((a - a.mean()) ** 2).mean() + 1e-5) + bias


def hidden(state):
    """The first array of a state."""
    return hidden(state[0]) if isinstance(state, tuple) else state


def with_hidden(state, h):
    """A state with ``h`` in place of its first array."""
    return (with_hidden(state[0], h), *state[1:]) if isinstance(state, tuple) else h
