"""The network of stories: the equations of the paper, noise in ages, and the linear start."""

import numpy as np
import pytest
import torch

from skrnn.data import as_sequences
from skrnn.engine import pack
from skrnn.networks import MemoryNetwork

RNG = np.random.default_rng(0)
N_WORDS, SIZE, N_AGES = 9, 4, 6


def stories(lengths, n_words=5):
    """Rows of words, the question first; words at the end of a row may be missing."""
    tables = [RNG.integers(1, N_WORDS, size=(1 + n, n_words)) for n in lengths]
    for table in tables:
        for row in table:
            row[RNG.integers(1, n_words + 1) :] = 0
    return tables


def packed(tables):
    return pack(as_sequences(list(map(np.asarray, tables))), dtype=torch.float64)


def make(**settings):
    made = MemoryNetwork(N_WORDS, N_AGES, SIZE, torch.zeros(3), generator=torch.Generator().manual_seed(0), **{"n_places": 5} | settings).double()
    with torch.no_grad():
        made.head.W.normal_(generator=torch.Generator().manual_seed(1))
    return made.eval()


def sentence(row, W, J):
    """Section 4.1, with the weights of the authors' code."""
    row, d = row[row > 0], W.shape[1]
    k, j = np.arange(1, d + 1), np.arange(1, len(row) + 1)[:, None]
    weights = 1 + 4 * (k - (d + 1) / 2) * (j - (J + 1) / 2) / (d * J) if J else np.ones((len(row), d))
    return (weights * W[row]).sum(axis=0)


def answer(network, table, linear=False):
    W, T = (w.detach().numpy() for w in (network.sentences.W, network.ages.W))
    vectors, ages = np.split(W, W.shape[1] // SIZE, axis=1), np.split(T, T.shape[1] // SIZE, axis=1)
    n, J = len(table) - 1, network.sentences.n_places
    looks = []

    def memory(which):
        return np.array([sentence(row, vectors[which], J) + ages[which][min(n - 1 - i, N_AGES - 1)] for i, row in enumerate(table[1:])])

    u = sentence(table[0], vectors[0 if network.H is None else 2], J)
    for hop in range(network.n_hops):
        m, c = (memory(hop), memory(hop + 1)) if network.H is None else (memory(0), memory(1))
        p = m @ u
        if not linear:
            p = np.exp(p) / np.exp(p).sum()
        u = (u if network.H is None else network.H.detach().numpy() @ u) + p @ c
        looks.append(p)
    return network.head.W.detach().numpy() @ u, looks


@pytest.mark.parametrize("settings", [{}, {"tying": "layerwise"}, {"n_places": 0, "n_hops": 1}, {"n_linear": 1, "n_hops": 2}], ids=str)
def test_the_equations_of_the_paper(settings):
    network, tables = make(**settings), stories([3, 1, 8, 5])
    looks = network.look(packed(tables))[1]
    outputs = network(packed(tables))
    for k, table in enumerate(tables):
        expected, weights = answer(network, table, "n_linear" in settings)
        np.testing.assert_allclose(outputs[k].detach(), expected, atol=1e-12)
        for hop, p in enumerate(weights):
            np.testing.assert_allclose(looks[hop][k, : len(p)].detach(), p, atol=1e-12)
            assert not looks[hop][k, len(p) :].any()


def test_what_sentences_are_found_by_may_be_something_else():
    network, other = make(keyed=True), make()
    tables = stories([3, 2, 5])
    keyed = [np.concatenate([table, table[1:]]) for table in tables]
    np.testing.assert_allclose(network(packed(keyed)).detach(), other(packed(tables)).detach(), atol=1e-12)
    swapped = [np.concatenate([table, table[:0:-1]]) for table in tables]
    looks, found = network.look(packed(swapped))[1][0], other.look(packed([np.concatenate([t[:1], t[:0:-1]]) for t in tables]))[1][0]
    np.testing.assert_allclose(looks.detach(), found.detach(), atol=1e-12)


def test_order_counts_by_ages_alone():
    (table,) = stories([5])
    turned = np.concatenate([table[:1], table[:0:-1]])
    with_ages, without = make(), MemoryNetwork(N_WORDS, 0, SIZE, torch.zeros(3), generator=torch.Generator().manual_seed(0)).double().eval()
    for network, alike in ((with_ages, False), (without, True)):
        one, other = (network.look(packed([t]))[0].detach() for t in (table, turned))
        assert np.allclose(one, other) == alike


def test_the_gradient_is_that_of_finite_differences():
    network, tables = make(), packed(stories([3, 2]))
    names = dict(network.named_parameters())

    def outputs(*weights):
        return torch.func.functional_call(network, dict(zip(names, weights, strict=True)), (tables,))

    weights = [w.detach().clone().requires_grad_() for w in names.values()]
    weights[0] = weights[0].detach()  # of the word 0 there is none
    assert torch.autograd.gradcheck(outputs, weights)


def test_nothing_stays_nothing():
    network, tables = make().train(), packed(stories([3, 2]))
    assert not network.sentences.W[0].any()
    network(tables).sum().backward()
    assert not network.sentences.W.grad[0].any()
    assert network.sentences.W.grad[1:].any()


def test_noise_makes_sentences_older_in_their_order_while_training_alone():
    network = make(noise=0.5)
    n_sentences = torch.tensor([[6], [3], [1]])
    age = (n_sentences - 1 - torch.arange(6)).clamp(min=0)
    drawn = torch.stack([network._aged(age, n_sentences) for _ in range(200)])
    assert (drawn >= age).all()
    assert ((drawn[:, 0, :-1] - drawn[:, 0, 1:]) >= 1).all()
    assert drawn[:, 0].max() == 8  # 6 of 9
    assert drawn[:, 1, 0].max() == 4  # 3 of 5
    assert sorted(set(drawn[:, 2, 0].tolist())) == [0, 1]
    tables = packed(stories([6, 3]))
    assert torch.equal(network(tables), network(tables))
    network.train()
    assert not torch.equal(network(tables), network(tables))


def test_the_first_epochs_are_linear():
    network, tables = make(n_linear=2), packed(stories([6, 3]))
    linear = []
    for _ in range(4):
        network.train()
        network.eval()
        linear.append(not torch.allclose(network.look(tables)[1][0].sum(1), torch.ones(2).double()))
    assert linear == [True, True, False, False]


def test_with_a_margin_hops_take_the_sentence_that_they_should():
    network, soft, tables = make(margin=0.5), make(), stories([4, 2])
    facts = np.array([[3, 1, 4], [2, 2, 1]])
    rows = [np.vstack([table, [*fact, 0, 0]]) for table, fact in zip(tables, facts, strict=True)]
    outputs, looks = network(packed(rows)).detach(), network.look(packed(rows))[1]
    assert (torch.stack(looks, 1).argmax(2).numpy() + 1 == facts).all()
    told, u, lost = soft.read(packed(tables)), soft.read(packed(tables)).question, np.zeros(2)
    for k in range(3):
        scores = torch.einsum("nsd,nd->ns", told.keys[k], u).detach().numpy()
        for i, n in enumerate((4, 2)):
            own = scores[i, facts[i, k] - 1]
            lost[i] += sum(max(0, 0.5 - own + scores[i, j]) for j in range(n) if j != facts[i, k] - 1)
        u = u + told.values[k][torch.arange(2), facts[:, k] - 1]
    np.testing.assert_allclose(outputs[:, -1], lost, atol=1e-12)
    np.testing.assert_allclose(outputs[:, :-1], network.head(u).detach(), atol=1e-12)


def test_with_a_margin_hops_take_the_highest_score_where_they_are_not_told():
    network, tables = make(margin=0.5), stories([4, 2])
    rows = [np.vstack([table, np.zeros((1, 5), int)]) for table in tables]
    looks, told, u = network.look(packed(rows))[1], network.read(packed(rows)), network.read(packed(rows)).question
    for i, n in enumerate((4, 2)):
        assert looks[0][i].argmax() == (told.keys[0][i, :n] @ u[i]).argmax()
    assert not network(packed(rows))[:, -1].any()
    assert torch.equal(network(packed(rows))[:, :-1], network.answer(packed(rows)))
