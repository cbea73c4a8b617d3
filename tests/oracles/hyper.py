"""Ha, Dai & Le (2016): at every step a cell with other weights, scaled by what an LSTM says that sees x and h."""

import copy

import numpy as np
import torch

from tests.oracles.functions import arrays, hidden, oracle, with_hidden


def scaled(cell, d, b):
    """The cell with rows of its input weights scaled by ``d``, and ``b`` on top of its scaled biases."""
    cell, d, b = copy.deepcopy(cell), torch.as_tensor(d), torch.as_tensor(b)
    layers = [part for part in cell.modules() if "W" in dict(part.named_parameters(recurse=False))]
    sizes = [len(layer.W) for layer in layers]
    for layer, scale, more in zip(layers, d.split(sizes), b.split(sizes), strict=True):
        layer.W.data, layer.b.data = scale[:, None] * layer.W.data, scale * layer.b.data + more
    return cell


def step_of(cell):
    w, lstm = arrays(cell), copy.deepcopy(cell.hyper_)
    lstm.W.data = torch.cat([lstm.W.data, cell.R.data], 1)
    hyper = oracle(lstm)

    def step(x, state):
        q, r = hyper(np.hstack([x, hidden(state)]), state[1])
        z_x, z_h, z_b = np.split(w["E"] @ q, 3)
        now = scaled(cell.cell_, 1 + w["D_x"] @ z_x, w["D_b"] @ z_b)
        y, s = oracle(now)(x, with_hidden(state[0], (1 + w["D_h"] @ z_h) * hidden(state)))
        return y, (s, r)

    return step
