"""Encoder and decoder: the answer depends on the pair alone, nothing is shifted by a step, and every way of running gives the same."""

import numpy as np
import pytest
import torch

from skrnn import cells
from skrnn.data import as_sequences
from skrnn.engine import LinearTeaching, pack, unpack
from skrnn.frontends import TokenVectors
from skrnn.networks import Encoder, Pair, Recurrent, Seq2Seq, Tokens, Values, Vector

RNG = np.random.default_rng(0)
SOURCES = [RNG.normal(size=(n, 3)) for n in (4, 2, 6, 3, 5)]
TARGETS = [RNG.normal(size=(n, 2)) for n in (3, 5, 1, 4, 4)]
FIRST = torch.from_numpy(RNG.normal(size=(5, 2)))
ALL = range(5)
WAYS = [
    {},
    {"cell": "lstm", "bidirectional": True, "context": "both"},
    {"cell": "gru", "n_layers": 2, "context": "every"},
    {"cell": "lstm", "n_layers": 2, "attention": "bahdanau", "coverage": True},
    {"cell": "gru", "bidirectional": True, "attention": "dot", "context": "every"},
    {"cell": "elman", "attention": "general", "reverse": True, "input_feeding": False},
]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


def network(*, cell="gru", decoder=None, bidirectional=False, n_layers=1, reverse=False, feedback=True, n_known=1, **settings):
    g = torch.Generator().manual_seed(0)
    recurrent = Recurrent(cells.resolve(cell), 3, 4, n_layers=n_layers, bidirectional=bidirectional, generator=g)
    encoder = Encoder(recurrent, reverse=reverse)
    fed = Values(2) if feedback else None
    bias = torch.zeros(2)
    net = Seq2Seq(encoder, cells.resolve(decoder or cell), 4, bias, n_layers=n_layers, n_known=n_known, feedback=fed, generator=g, **settings)
    torch.nn.init.normal_(net.head.W, generator=g)  # it starts at zero, and then nothing reaches the outputs
    return net.double().eval()


def pair(rows=ALL, *, teacher=True, n_known=1):
    source = pack(as_sequences([SOURCES[i] for i in rows]), dtype=torch.float64)
    target = pack(as_sequences([TARGETS[i] for i in rows]), dtype=torch.float64)
    steps = target._replace(data=torch.sin(target.data[:, :n_known]))
    return Pair(source, steps, FIRST[list(rows)], target.data if teacher else None)


def parts(batch, rows):
    """Rows of the outputs, for each sequence in the order of the batch."""
    return list(unpack(batch.steps._replace(data=rows.detach())))


@every_way
@pytest.mark.parametrize("feedback", [True, False])
def test_company_and_order_do_not_matter(way, feedback):
    net = network(feedback=feedback, **way)
    for run, taught in ((net, True), (net.free, False)):
        together = parts(batch := pair(teacher=taught), run(batch))
        for rows in ([i] for i in ALL):
            np.testing.assert_allclose(parts(alone := pair(rows, teacher=taught), run(alone))[0], together[rows[0]], rtol=0, atol=1e-12)
        turned = parts(batch := pair(ALL[::-1], teacher=taught), run(batch))
        for one, other in zip(turned[::-1], together, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@every_way
def test_a_sure_teacher_in_the_loop_is_strict_teacher_forcing(way):
    net, batch = network(**way), pair()
    step_by_step = torch.cat(net.write(batch, *net.start(batch), p=1.0)[0])
    torch.testing.assert_close(step_by_step, net(batch), rtol=0, atol=1e-12)


@every_way
def test_own_outputs_as_teacher_are_the_free_run(way):
    net = network(**way)
    free = net.free(pair(teacher=False))
    torch.testing.assert_close(net(pair()._replace(teacher=free)), free, rtol=0, atol=1e-12)


@every_way
def test_no_step_sees_its_own_truth_or_a_later_one(way):
    """And each sees the one before: nothing is shifted by a step."""
    net, batch = network(**way), pair([3])
    for k in range(4):
        teacher = batch.teacher.clone()
        teacher[k] += 1
        changed = (net(batch._replace(teacher=teacher)) - net(batch)).abs().sum(1) > 1e-9
        assert changed.tolist() == [j > k for j in range(4)]
    first = (net(batch._replace(first=batch.first + 1)) - net(batch)).abs().sum(1) > 1e-9
    assert first.all()


@every_way
@pytest.mark.parametrize("feedback", [True, False])
def test_what_is_known_about_a_step_is_seen_at_this_step(way, feedback):
    net, batch = network(feedback=feedback, **way), pair([3])
    for k in range(4):
        known = batch.steps.data.clone()
        known[k] += 1
        changed = (net(batch._replace(steps=batch.steps._replace(data=known))) - net(batch)).abs().sum(1) > 1e-9
        assert changed.tolist() == [j >= k for j in range(4)]


@every_way
def test_all_of_the_source_is_seen(way):
    net, batch = network(**way), pair([2])
    for k in range(6):
        source = batch.source.data.clone()
        source[k] += 1
        assert not torch.allclose(net(batch._replace(source=batch.source._replace(data=source))), net(batch), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in cells.__all__ if any(True for _ in getattr(cells, name)().build(3, 4).parameters())])
def test_every_cell_encodes_and_decodes(name):
    for settings in ({}, {"bidirectional": True, "attention": "bahdanau"}):
        net = network(cell=name.lower(), **settings).train()
        net(pair()).square().sum().backward()
        reached = [weight.grad is not None and bool(weight.grad.any()) for weight in net.encoder.parameters()]
        assert any(reached)
        assert torch.isfinite(net.eval().free(pair(teacher=False))).all()


def test_cells_may_differ():
    net = network(cell="lstm", decoder="gru")
    assert not net.hands_on
    assert net(pair()).shape == (17, 2)


def test_an_encoder_like_the_decoder_hands_its_states_on():
    """Sutskever et al. (2014)."""
    net, batch = network(cell="lstm", n_layers=2), pair([0])
    _, last = net.encoder.recurrent.run(batch.source)
    states, _ = net.start(batch)
    for one, other in zip(last[0], states, strict=True):
        assert torch.equal(one.h, other.h)
        assert torch.equal(one.c, other.c)


def test_a_reversed_source_is_the_source_from_its_end():
    forward, reverse = (network(reverse=way, attention="general") for way in (False, True))
    reverse.load_state_dict(forward.state_dict())
    batch = pair([2], teacher=False)
    turned = batch._replace(source=batch.source._replace(data=batch.source.data.flip(0)))
    torch.testing.assert_close(reverse.free(turned), forward.free(batch), rtol=0, atol=1e-12)
    one, other = (torch.stack(net.attention_weights(b)) for net, b in ((reverse, turned), (forward, batch)))
    torch.testing.assert_close(one, other.flip(-1), rtol=0, atol=1e-12)  # weights stand at the places of the steps


def test_a_step_without_any_input_is_written():
    net = network(feedback=False, n_known=0)
    assert net(pair(n_known=0)).shape == (17, 2)


@pytest.mark.parametrize("way", [WAYS[0], WAYS[3], WAYS[4]], ids=str)
def test_the_gradient(way):
    net, batch = network(**way), pair(teacher=False)
    weights = list(net.parameters())
    assert torch.autograd.gradcheck(lambda *_: net.free(batch), weights, fast_mode=True)


def test_the_teacher_is_asked_as_the_schedule_says():
    net, batch = network(teacher_forcing=LinearTeaching(k=1.0, c=0.5)).train(), pair()
    strict, free = net(batch), None
    torch.testing.assert_close(strict, network()(batch))  # p(0) = 1
    mixed = net(batch)
    free = net(batch)  # p(2) = 0
    assert net.n_updates == 3
    torch.testing.assert_close(free, network().free(batch))
    assert not torch.allclose(mixed, strict)
    assert not torch.allclose(mixed, free)


def test_scheduled_sampling_draws_from_the_generator_of_the_network():
    net, batch = network(teacher_forcing=0.5).train(), pair()
    runs = []
    for seed in (1, 1, 2):
        net.draw_from(torch.Generator().manual_seed(seed))
        runs.append(net(batch))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_evaluation_counts_no_updates():
    net = network(teacher_forcing="linear")
    net(pair())
    net.free(pair())
    assert net.n_updates == 0


@pytest.mark.parametrize("grad_path", ["full", "cell_only"])
def test_a_cut_path_changes_gradients_and_no_values(grad_path):
    net, batch = network(cell="lstm"), pair()
    outputs = net(batch, grad_path=grad_path)
    torch.testing.assert_close(outputs, net(batch), rtol=0, atol=1e-12)
    outputs.sum().backward()
    assert all(weight.grad.any() for weight in net.encoder.parameters())


def test_a_path_that_cuts_the_encoder_off_is_refused():
    with pytest.raises(ValueError, match="cuts the encoder off"):
        network()(pair(), grad_path="none")
    network(context="every")(pair(), grad_path="none").sum().backward()


def test_tokens_are_chosen_and_embedded():
    g = torch.Generator().manual_seed(0)
    tokens = TokenVectors(5, 3, g)
    net = Seq2Seq(Vector(2), cells.GRU(), 4, torch.zeros(5), feedback=Tokens(tokens), context="both", generator=g).double().eval()
    torch.nn.init.normal_(net.head.W, generator=g)
    steps = pack(as_sequences([np.zeros((3, 1)), np.zeros((2, 1))]), dtype=torch.float64)
    batch = Pair(pack(as_sequences(np.ones((2, 1, 2))), dtype=torch.float64), steps._replace(data=steps.data[:, :0]), torch.ones(2, 1))
    free = net.free(batch)
    own = free.argmax(1, keepdim=True).double()
    torch.testing.assert_close(net(batch._replace(teacher=own)), free, rtol=0, atol=1e-12)
    assert torch.equal(tokens(torch.tensor([[3.0]])), tokens.W[3:4])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="'context' parameter must be one of"):
        network(context="start")
    with pytest.raises(ValueError, match="attention needs a source with steps"):
        Seq2Seq(Vector(2), cells.GRU(), 4, torch.zeros(1), attention="dot")
    with pytest.raises(ValueError, match="attention=None: it looks at no steps"):
        network().attention_weights(pair())


def test_without_attention_a_sure_teacher_runs_through_the_kernels(monkeypatch):
    """Encoder and decoder: no cell is stepped."""
    net, batch = network(cell="gru", n_layers=2, context="both").train(), pair()
    direct = network(cell="lstm", feedback=False).train()
    expected = net(batch), direct(batch)

    def step(*_):
        raise AssertionError("a step without a kernel")

    monkeypatch.setattr(cells.GRU, "step", step)
    monkeypatch.setattr(cells.LSTM, "step", step)
    assert torch.equal(net(batch), expected[0])
    assert torch.equal(direct(batch), expected[1])
