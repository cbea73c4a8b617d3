"""The equations of Qin et al. (2017)."""

import numpy as np
import pytest
import torch

from skrnn import as_sequences
from skrnn.cells import GRU, LSTM, Elman
from skrnn.engine import pack
from skrnn.networks import DualStage
from tests.oracles.functions import arrays, oracle

T, K, M, P = 5, 4, 3, 2
RNG = np.random.default_rng(0)
WINDOWS = RNG.normal(size=(6, T, K + 1))
PACKED = pack(as_sequences(WINDOWS), dtype=torch.float64)


def built(cell):
    """A network all of whose weights are drawn."""
    generator = torch.Generator().manual_seed(0)
    network = DualStage(cell, K, T, M, P, torch.zeros(1), generator=generator).double()
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(generator=generator)
    return network.eval()


def softmax(e):
    return np.exp(e) / np.exp(e).sum()


def units(state):
    return np.hstack([units(part) for part in state]) if isinstance(state, tuple) else state


def zeros(cell):
    return tuple(np.zeros(cell.hidden_size) for _ in range(2)) if isinstance(cell, LSTM) else np.zeros(cell.hidden_size)


def recomputed(network, window):
    """Equations 8 to 16 and 22: output, and the weights of both stages."""
    x, y = window[:, :-1], window[:, -1]
    e, d, w = arrays(network.encoder), arrays(network.decoder), arrays(network)
    step, state, h, alphas = oracle(network.encoder.cell_), zeros(network.encoder.cell_), [], []
    for now in x:
        alphas.append(softmax(np.array([e["v"] @ np.tanh(e["W"] @ units(state) + e["U"] @ x[:, k]) for k in range(K)])))
        out, state = step(alphas[-1] * now, state)
        h.append(out)
    step, state, c, betas = oracle(network.decoder.cell_), zeros(network.decoder.cell_), np.zeros(M), []
    for before in y:
        betas.append(softmax(np.array([d["v"] @ np.tanh(d["W"] @ units(state) + d["U"] @ one) for one in h])))
        out, state = step(d["w"] @ np.hstack([before, c]) + d["b"], state)
        c = betas[-1] @ np.array(h)
    return w["head.W"] @ (w["W_y"] @ np.hstack([out, c]) + w["b_w"]) + w["head.b"], np.array(alphas), np.array(betas)


@pytest.mark.parametrize("cell", [LSTM(), GRU(), Elman()], ids=repr)
def test_equals_the_equations(cell):
    network = built(cell)
    with torch.no_grad():
        outputs, (alphas, betas) = network(PACKED), network.attention(PACKED)
    for window, out, a, b in zip(WINDOWS, outputs.numpy(), alphas.numpy(), betas.numpy(), strict=True):
        expected, alpha, beta = recomputed(network, window)
        np.testing.assert_allclose(out, expected, rtol=1e-10)
        np.testing.assert_allclose(a, alpha, rtol=1e-10)
        np.testing.assert_allclose(b, beta, rtol=1e-10)


def test_the_state_decides_about_the_drivers():
    """Without the tanh of equation 8 it would cancel in the softmax, and the weights would be the same in all steps."""
    alphas = built(LSTM()).attention(PACKED)[0]
    assert (alphas[:, 1:] - alphas[:, :-1]).abs().amax(dim=(0, 2)).min() > 1e-2


def test_weights_are_shares():
    for weights in built(GRU()).attention(PACKED):
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:2], dtype=torch.float64))
        assert (weights > 0).all()


def test_gradients():
    network = built(LSTM())

    def output(*weights):
        return torch.func.functional_call(network, dict(zip(dict(network.named_parameters()), weights, strict=True)), (PACKED,))

    assert torch.autograd.gradcheck(output, tuple(network.parameters()))
