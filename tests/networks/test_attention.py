"""What a decoder sees of an encoder's outputs: the equations of the papers in numpy, and weights that are shares."""

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

from skrnn.cells import Elman
from skrnn.networks import Attending

SCORES = ("bahdanau", "dot", "general")
every_score = pytest.mark.parametrize("score", SCORES)
LENGTHS = (5, 2, 4)
H = 4


def built(score, **settings):
    cell = Attending(Elman(), score, H, **settings).build(3, H, torch.Generator().manual_seed(0)).double()
    for weight in cell.parameters():
        weight.requires_grad_(False)
        weight += 0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1), dtype=weight.dtype)
    return cell


def memory(lengths=LENGTHS):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, H)) for n in lengths]


def started(cell, sources):
    packed = pack_sequence([torch.from_numpy(source) for source in sources], enforce_sorted=False)
    return cell.look_at(packed, None, cell.initial_state(len(sources), like=packed.data))


def steps(cell, sources, n_steps=3):
    """Outputs and weights of some steps on given inputs."""
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(n_steps, 1, 3))).expand(-1, len(sources), -1)
    state, outputs, weights = started(cell, sources), [], []
    for u in x:
        y, state = cell.step(cell.project(u), state)
        outputs.append(y)
        weights.append(state.weights)
    return torch.stack(outputs), torch.stack(weights)


def oracle(cell, source, n_steps=3):
    """Bahdanau et al. (2015), appendix A.1.2, and Luong et al. (2015), sections 3.1 and 3.3, around Elman's cell."""
    p = {name: weight.numpy() for name, weight in cell.named_parameters()}
    x = np.random.default_rng(1).normal(size=(n_steps, 3))
    s, y, outputs, weights, covered = np.zeros(H), np.zeros(H), [], [], np.zeros(len(source))
    for t in range(n_steps):
        if cell.score != "bahdanau":
            s = np.tanh(p["cell_.W"] @ np.concatenate([x[t], y] if cell.input_feeding else [x[t]]) + p["cell_.R"] @ s + p["cell_.b"])
        w = p.get("scores.w", np.zeros(H))
        e = [
            p["scores.v"] @ np.tanh(p["scores.W"] @ s + p["scores.U"] @ h + p["scores.b"] + w * k)
            if cell.score == "bahdanau"
            else s @ (p["scores.W"] @ h if cell.score == "general" else h)
            for h, k in zip(source, covered, strict=True)
        ]
        a = np.exp(e) / np.exp(e).sum()
        c = a @ source
        if cell.score == "bahdanau":
            s = np.tanh(p["cell_.W"] @ np.concatenate([x[t], c]) + p["cell_.R"] @ s + p["cell_.b"])
        y = np.tanh(p["W_c"] @ np.concatenate([c, s]))
        covered = covered + a
        outputs.append(y)
        weights.append(a)
    return np.array(outputs), np.array(weights)


@pytest.mark.parametrize(
    ("score", "settings"),
    [("bahdanau", {}), ("bahdanau", {"coverage": True}), ("dot", {}), ("general", {}), ("general", {"input_feeding": False})],
)
def test_the_equations_of_the_papers(score, settings):
    cell, sources = built(score, **settings), memory()
    outputs, weights = steps(cell, sources)
    for k, source in enumerate(sources):
        expected, shares = oracle(cell, source)
        np.testing.assert_allclose(outputs[:, k], expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(weights[:, k, : len(source)], shares, rtol=0, atol=1e-12)


@every_score
def test_weights_are_shares_of_the_steps_that_there_are(score):
    _, weights = steps(built(score), memory())
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=0, atol=1e-12)
    for k, n in enumerate(LENGTHS):
        assert (weights[:, k, n:] == 0).all()
        assert (weights[:, k, :n] > 0).all()


@every_score
def test_company_does_not_matter(score):
    cell, sources = built(score), memory()
    together, _ = steps(cell, sources)
    for k, source in enumerate(sources):
        alone, _ = steps(cell, [source])
        np.testing.assert_allclose(together[:, k], alone[:, 0], rtol=0, atol=1e-12)


@every_score
def test_the_gradient(score):
    cell = built(score, coverage=score == "bahdanau")
    start = started(cell, memory((3, 2)))
    u = torch.ones(2, 3, dtype=torch.float64)

    def two_steps(values, *weights):
        state = start._replace(memory=start.memory._replace(values=values, keys=cell.scores.keys(values)))
        y, state = cell.step(u, state)
        return cell.step(u, state)[0] + y

    leaves = [start.memory.values, *cell.parameters()]
    assert torch.autograd.gradcheck(two_steps, [leaf.requires_grad_() for leaf in leaves])


def test_dot_adds_the_directions_of_an_encoder():
    one, both = (Attending(Elman(), "dot", size).build(3, H, torch.Generator().manual_seed(0)).double() for size in (H, 2 * H))
    values = torch.randn(2, 5, 2 * H, dtype=torch.float64)
    torch.testing.assert_close(both.scores.keys(values), one.scores.keys(values[..., :H] + values[..., H:]))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="as large as the decoder's, 4; got 6"):
        Attending(Elman(), "dot", 6).build(3, 4)
    with pytest.raises(ValueError, match="'attention' parameter must be None or one of"):
        Attending(Elman(), "cosine", 4).build(3, 4)
    with pytest.raises(ValueError, match="coverage=True needs attention='bahdanau'"):
        Attending(Elman(), "dot", 4, coverage=True).build(3, 4)
