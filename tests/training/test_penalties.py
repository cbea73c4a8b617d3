"""Penalties beside the loss: their values, their gradients, and that nothing else is changed."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch.autograd import gradcheck

from skrnn.cells import GRU, LSTM, BatchNorm, CoRNN, Elman, Leaky, RecurrentDropout, Residual, Skip, VariationalDropout, Zoneout, hidden
from skrnn.engine import BPTT, RTRL, Guessing, Stream, TruncatedBPTT
from skrnn.networks import POOLINGS, Recurrent, SequenceNetwork, StepNetwork
from skrnn.networks._watched import Watched, watching
from skrnn.training import ActivationPenalty, Pascanu, TemporalActivationPenalty, WeightNoise, as_penalties, penalised
from skrnn.training._pascanu import omega
from tests.cell_settings import ONE_OF_EACH_CLASS, RAGGED, assert_same, built, floating, pack_all, packed, random, random_state, sequences, stacked

EXACT = 1e-10  # float64, relative
STACKS = [{}, {"bidirectional": True}, {"n_layers": 2}, {"n_layers": 2, "bidirectional": True}]
OF_OUTPUTS = [ActivationPenalty(1.0), TemporalActivationPenalty(1.0), TemporalActivationPenalty(1.0, of="norm")]
EVERY = [*OF_OUTPUTS, Pascanu(1.0), WeightNoise(0.1)]
every_penalty = pytest.mark.parametrize("penalty", EVERY, ids=repr)
of_outputs = pytest.mark.parametrize("penalty", OF_OUTPUTS, ids=repr)
every_stack = pytest.mark.parametrize("stack", STACKS, ids=str)


def network(cell=None, pooling="steps", **stack):
    """A network in training whose head is not at its start of zero."""
    recurrent = stacked(cell or LSTM(), **stack)
    net = StepNetwork(recurrent, torch.zeros(2)) if pooling == "steps" else SequenceNetwork(recurrent, pooling, torch.zeros(2))
    torch.nn.init.normal_(net.head.W, generator=torch.Generator().manual_seed(5))
    return net.double().train().draw_from(torch.Generator().manual_seed(3))


def loss(outputs):
    return (outputs - random(*outputs.shape, seed=8)).square().sum()


def learnt(net, rule, batch):
    """The loss that a rule gives, and the gradients of all weights."""
    net.zero_grad()
    value = rule.gradient(net, batch, loss)
    return value, [torch.zeros_like(w) if w.grad is None else w.grad.clone() for w in net.parameters()]


# -- what recurrent layers put out ---------------------------------------------------------------------------------------------------------------


def value_of(penalty, net, batch, detach_every=None):
    """By the equations, from the outputs of the top layer, sequence after sequence."""
    of_direction = []
    for out in net.recurrent(batch, detach_every):
        hs = torch.nn.utils.rnn.unpack_sequence(out)
        if isinstance(penalty, TemporalActivationPenalty):
            hs = [h.norm(dim=1, keepdim=True) for h in hs] if penalty.of == "norm" else hs
            hs = [h[1:] - h[:-1] for h in hs]
        of_direction.append(torch.cat(hs).square().mean())
    return torch.stack(of_direction).mean()


@of_outputs
@every_stack
@pytest.mark.parametrize("pooling", [*POOLINGS, "steps"])
def test_the_gradient_is_that_of_the_loss_and_the_equations(penalty, stack, pooling):
    net, batch = network(pooling=pooling, **stack), packed()
    value, got = learnt(net, penalised(BPTT(), [penalty]), batch)
    total = loss(net(batch)) + value_of(penalty, net, batch)
    assert_same(got, torch.autograd.grad(total, list(net.parameters())), EXACT)
    assert torch.equal(value, loss(net(batch)).detach())


@of_outputs
@every_stack
@pytest.mark.parametrize("pooling", ["mean", "steps"])
@pytest.mark.parametrize("n_steps", [1, 3, 7])
def test_truncation_cuts_loss_and_penalty_alike(penalty, stack, pooling, n_steps):
    net, batch = network(GRU(), pooling, **stack), packed()
    _, got = learnt(net, penalised(TruncatedBPTT(n_steps), [penalty]), batch)
    total = loss(net(batch, n_steps)) + value_of(penalty, net, batch, n_steps)
    assert_same(got, torch.autograd.grad(total, list(net.parameters())), EXACT)


@pytest.mark.parametrize("penalties", [[p] for p in OF_OUTPUTS] + [OF_OUTPUTS], ids=str)
@pytest.mark.parametrize("stack", STACKS[:3], ids=str)
@pytest.mark.parametrize("pooling", ["mean", "steps"])
def test_rtrl_equals_bptt(penalties, stack, pooling):
    net, batch = network(GRU(), pooling, **stack), packed((3, 5, 1))
    found = [learnt(net, penalised(rule, penalties), batch)[1] for rule in (RTRL(), BPTT())]
    assert_same(*found, EXACT)


@of_outputs
def test_finite_differences_agree(penalty):
    net, batch = network(Elman(), bidirectional=True), packed((2, 4, 1))

    class Value(BPTT):
        def gradient(self, network, packed, loss, stream=None):
            values.append(loss(network(packed)))
            return values[-1]

    def value(*_):  # gradcheck changes the weights in place
        penalised(Value(), [penalty]).gradient(net, batch, loss)
        return values.pop()

    values = []
    assert gradcheck(value, tuple(net.parameters()), fast_mode=True)


@of_outputs
def test_a_ragged_batch_is_its_sequences_together(penalty):
    """A mean over steps: each sequence counts as often as it has steps, or changes."""
    net, xs = network(), sequences(RAGGED)
    fewer = 0 if isinstance(penalty, ActivationPenalty) else 1
    counts = [len(x) - fewer for x in xs]
    alone = [gradient_of_penalty(penalty, net, pack_all([x])) for x in xs]
    expected = [sum(n * g for n, g in zip(counts, of_weight, strict=True)) / sum(counts) for of_weight in zip(*alone, strict=True)]
    assert_same(gradient_of_penalty(penalty, net, pack_all(xs)), expected, EXACT)


def gradient_of_penalty(penalty, net, batch):
    with_it, without = (learnt(net, penalised(BPTT(), given), batch)[1] for given in ([penalty], []))
    return [a - b for a, b in zip(with_it, without, strict=True)]


def test_sequences_of_one_step_have_no_change():
    net, batch = network(), packed((1, 1))
    for of in ("units", "norm"):
        assert_same(gradient_of_penalty(TemporalActivationPenalty(of=of), net, batch), [torch.zeros_like(w) for w in net.parameters()], EXACT)


@of_outputs
def test_output_penalties_go_on_with_a_stream(penalty):
    net, batch, with_it, without = network(), packed((5, 5)), Stream(), Stream()
    for _ in range(2):
        value = penalised(BPTT(), [penalty]).gradient(net, batch, loss, with_it)
        assert_same([value], [BPTT().gradient(net, batch, loss, without)], EXACT)
    assert_same(floating(with_it.states), floating(without.states), EXACT)


# -- Pascanu's Omega -----------------------------------------------------------------------------------------------------------------------------


def omega_of_elman(weights, xs, dy, R_of_jacobian):
    """Pascanu et al. (2013): terms (‖v(t) J(t)‖ / ‖v(t)‖ − 1)², J with its own R; dy: gradients of the loss in the outputs."""
    W, R, b = weights
    terms = []
    for x, d in zip(xs, dy, strict=True):
        h = [np.zeros(len(b))]
        for row in x:
            h.append(np.tanh(W @ row + R @ h[-1] + b))
        v = np.zeros(len(b))
        for t in range(len(x), 1, -1):
            v = v + d[t - 1]
            slope = 1 - np.tanh(W @ x[t - 1] + R_of_jacobian @ h[t - 1] + b) ** 2
            terms.append((np.linalg.norm((v * slope) @ R_of_jacobian) / np.linalg.norm(v) - 1) ** 2)
            v = (v * (1 - h[t] ** 2)) @ R
    return np.mean(terms)


@pytest.mark.parametrize("lengths", [(9,), RAGGED], ids=str)
def test_omega_and_its_gradient_are_those_of_the_equations(lengths):
    net, xs = network(Elman()), sequences(lengths)
    cell, batch = net.recurrent.layers[0][0], pack_all(sequences(lengths))
    targets = [random(len(x), 2, seed=20 + k) for k, x in enumerate(xs)]
    target = pack_all(targets).data
    found = omega(net, batch, lambda outputs: (outputs * target).sum())
    weights = [w.detach().numpy() for w in (cell.W, cell.R, cell.b)]
    dy = [(t @ net.head.W).detach().numpy() for t in targets]
    xs = [x.numpy() for x in xs]
    assert float(found.detach()) == pytest.approx(omega_of_elman(weights, xs, dy, weights[1]), rel=1e-12)
    got = torch.autograd.grad(found, [cell.R, cell.W, cell.b], allow_unused=True)
    assert got[1:] == (None, None)  # what the input alone gives is held constant
    way = random(*cell.R.shape, seed=9).numpy()
    ends = [omega_of_elman(weights, xs, dy, weights[1] + step * way) for step in (1e-6, -1e-6)]
    assert float((got[0] * torch.from_numpy(way)).sum()) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("cell", [LSTM(peephole=True), GRU(), CoRNN(), Leaky(LSTM()), Skip(GRU(), 2), LSTM(gate_recurrence="all")], ids=repr)
def test_omega_takes_the_whole_state(cell):
    """With dense Jacobians of all numbers of the state, h, c and what is carried, each by itself."""
    net, batch = network(cell), packed((6,))
    cell, target = net.recurrent.layers[0][0], random(6, 2, seed=20)
    shapes = [leaf.shape for leaf in floating(cell.initial_state(1, like=batch.data))]
    like = cell.initial_state(1, like=batch.data)

    def step(numbers, u):
        parts = iter(part.view(shape) for part, shape in zip(numbers.split([s.numel() for s in shapes]), shapes, strict=True))
        _, new = cell.step(u, _rebuilt(like, parts))
        return torch.cat([leaf.flatten() for leaf in floating(new)])

    s, states, jacobians = torch.cat([leaf.flatten() for leaf in floating(like)]), [], []
    for u in cell.project(batch.data).detach().split(1):
        jacobians.append(torch.func.jacrev(step)(s, u).detach())
        s = step(s, u).detach()
        states.append(s)
    v, terms = torch.zeros_like(s), []
    for row, J in zip(reversed(target), reversed(jacobians), strict=True):
        v = v.clone()
        v[: cell.hidden_size] += (row @ net.head.W).detach()
        terms.append(((v @ J).norm() / v.norm() - 1) ** 2)
        v = v @ J
    expected = torch.stack(terms[:-1]).mean()  # without the step from the initial state
    assert_same([omega(net, batch, lambda outputs: (outputs * target).sum())], [expected], EXACT)


def _rebuilt(state, parts):
    if torch.is_tensor(state):
        return next(parts) if state.is_floating_point() else state
    rebuilt = [_rebuilt(part, parts) for part in state]
    return tuple(rebuilt) if type(state) is tuple else type(state)(*rebuilt)


@pytest.mark.parametrize("stack", [{}, {"bidirectional": True}], ids=str)
def test_omega_of_a_ragged_batch_is_the_mean_over_its_steps(stack):
    net, xs = network(GRU(), "mean", **stack), sequences(RAGGED)
    counts = [len(x) - 1 for x in xs]
    alone = [omega(net, pack_all([x]), lambda outputs: outputs.sum()) for x in xs]
    expected = sum(n * of_one for n, of_one in zip(counts, alone, strict=True)) / sum(counts)
    assert_same([omega(net, pack_all(xs), lambda outputs: outputs.sum())], [expected], EXACT)


def test_the_omegas_of_layers_and_directions_add_up():
    net, batch = network(GRU(), n_layers=2, bidirectional=True), packed()
    whole = omega(net, batch, loss)
    whole.backward()
    assert all(cell.R.grad.abs().max() > 0 for layer in net.recurrent.layers for cell in layer)
    assert net.head.W.grad is None
    assert float(whole.detach()) > 0


def test_an_orthogonal_recurrence_that_is_scaled_has_the_omega_of_its_scale():
    """At tanh(0) the slope is 1."""
    net = network(Elman(), "last")
    batch, cell = packed((8,)), net.recurrent.layers[0][0]
    with torch.no_grad():
        cell.R.copy_(torch.nn.init.orthogonal_(torch.empty_like(cell.R), generator=torch.Generator().manual_seed(0))).mul_(0.7)
        cell.W.zero_()
        cell.b.zero_()
    assert float(omega(net, batch, loss).detach()) == pytest.approx(0.3**2, rel=1e-12)


def weights_act_within_a_step(cell):
    """Whether the next state is another with other weights, given what the input contributes."""
    cell, x = built(cell), random(1, 3)
    u, before = cell.project(x), random_state(cell, 1)
    after = floating(cell.step(u, before)[1])
    with torch.no_grad():
        for weight in cell.parameters():
            weight *= 1.1
    return not all(map(torch.equal, after, floating(cell.step(u, before)[1])))


@pytest.mark.parametrize("cell", ONE_OF_EACH_CLASS)
def test_pascanu_changes_the_weights_of_every_cell_that_has_them(cell):
    net, batch = network(cell), packed()
    if not weights_act_within_a_step(cell):
        with pytest.raises(ValueError, match=r"Pascanu has nothing to change in .*: no weight but those of its input"):
            omega(net.eval(), batch, loss)
        return
    found = omega(net.eval(), batch, loss)
    found.backward()
    gradients = torch.cat([w.grad.flatten() for w in net.recurrent.parameters() if w.grad is not None])
    assert gradients.isfinite().all()
    assert gradients.abs().max() > 0


NOISY = [Zoneout(LSTM()), VariationalDropout(LSTM()), RecurrentDropout(LSTM()), BatchNorm(LSTM()), Residual(LSTM())]


@pytest.mark.parametrize("cell", NOISY, ids=repr)
def test_noise_is_off_while_omega_is_taken_and_nothing_else_changes(cell):
    net, batch = network(cell, n_layers=2), packed()
    net.recurrent.dropout.rate = 0.5
    plain, with_omega = ([*_after(net, rule, batch)] for rule in (BPTT(), penalised(BPTT(), [Pascanu(1.0)])))
    for a, b in zip(plain, with_omega, strict=True):
        assert torch.equal(a, b)
    assert net.training
    assert not any(isinstance(module, Watched) for module in net.modules())


def _after(net, rule, batch):
    """Loss, random numbers and buffers after a batch, from the same start."""
    kept = {name: value.clone() for name, value in net.state_dict().items()}
    net.draw_from(torch.Generator().manual_seed(3))
    yield learnt(net, rule, batch)[0]
    yield net.generator.get_state()
    yield from [buffer.clone() for buffer in net.buffers()]
    net.load_state_dict(kept)


def test_the_gradient_of_omega_comes_on_top():
    net, batch = network(), packed()
    _, got = learnt(net, penalised(BPTT(), [Pascanu(3.0)]), batch)
    total = loss(net(batch)) + 3 * omega(net, batch, loss)
    assert_same(got, torch.autograd.grad(total, list(net.parameters())), EXACT)


def test_gradients_that_are_zero_have_no_direction():
    net, batch = network(), packed()
    torch.nn.init.zeros_(net.head.W)
    assert float(omega(net, batch, loss)) == 0


@pytest.mark.parametrize("seed", range(3))
def test_training_on_omega_lets_gradients_through(seed):
    """On a contracting network the gradient vanishes to nothing within 40 steps; after 60 steps on Omega alone a tenth or more of it arrives."""
    net = SequenceNetwork(Recurrent(Elman(), 3, 50, generator=torch.Generator().manual_seed(seed)), "last", torch.zeros(1)).double()
    torch.nn.init.normal_(net.head.W, generator=torch.Generator().manual_seed(seed))
    batch, cell = pack_all(list(random(20, 40, 3, seed=seed))), net.recurrent.layers[0][0]
    with torch.no_grad():
        cell.R.mul_(0.3)
    omegas, arriving = [], [_arriving(net, batch)]
    for _ in range(60):
        now = omega(net, batch, lambda outputs: outputs.square().mean())
        omegas.append(float(now.detach()))
        cell.R.data -= 0.2 * torch.autograd.grad(now, cell.R)[0]
    arriving.append(_arriving(net, batch))
    assert omegas[-1] < 0.1 * omegas[0]
    assert arriving[0] < 1e-10
    assert arriving[1] > 0.1


def _arriving(net, batch):
    """Norm of the gradient in the first hidden state, relative to that in the last."""
    with watching(net.recurrent) as (cell,):
        value = net(batch).square().mean()
        states = [hidden(step.after) for step in cell.steps]
    norms = [g.norm(dim=1).mean() for g in torch.autograd.grad(value, states, allow_unused=True, materialize_grads=True)]
    return float(norms[0] / norms[-1])


# -- noise in the weights ------------------------------------------------------------------------------------------------------------------------


class Asked(BPTT):
    """Keeps the weights that it sees, and may fail."""

    def __init__(self, error=None):
        object.__setattr__(self, "error", error)
        object.__setattr__(self, "seen", [])

    def gradient(self, network, packed, loss, stream=None):
        self.seen.append({name: weight.detach().clone() for name, weight in network.named_parameters()})
        value = super().gradient(network, packed, loss, stream)
        if self.error is not None:
            raise self.error
        return value


def test_the_gradient_is_taken_at_noisy_weights_and_the_weights_stay():
    net, batch, rule = network(Leaky(LSTM(), 0.5, trainable=True), n_layers=2), packed(), Asked()
    clean = {name: weight.detach().clone() for name, weight in net.named_parameters()}
    value, got = learnt(net, penalised(rule, [WeightNoise(0.1)]), batch)
    assert all(torch.equal(weight, clean[name]) for name, weight in net.named_parameters())
    (noisy,) = rule.seen
    noise = torch.cat([(noisy[name] - clean[name]).flatten() for name in clean if name.startswith("recurrent.")])
    assert float(noise.std()) == pytest.approx(0.1, rel=0.1)
    assert all(torch.equal(noisy[name], clean[name]) for name in clean if name.startswith("head."))
    net.load_state_dict(noisy, strict=False)
    expected, gradients = learnt(net, BPTT(), batch)
    assert_same([value, *got], [expected, *gradients], EXACT)


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt()], ids=repr)
def test_an_error_leaves_the_clean_weights(error):
    net = network()
    clean = [weight.detach().clone() for weight in net.parameters()]
    with pytest.raises(type(error)):
        penalised(Asked(error), [WeightNoise(0.1)]).gradient(net, packed(), loss)
    assert all(map(torch.equal, net.parameters(), clean))


def test_an_error_within_omega_leaves_the_network_as_it_was():
    net, calls = network(n_layers=2), []

    def fails_in_the_second_pass(outputs):
        calls.append(outputs)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return loss(outputs)

    with pytest.raises(KeyboardInterrupt):
        penalised(BPTT(), [Pascanu(1.0)]).gradient(net, packed(), fails_in_the_second_pass)
    assert net.training
    assert [type(cell) for layer in net.recurrent.layers for cell in layer] == [LSTM, LSTM]


@pytest.mark.parametrize("rule", [BPTT(), BPTT("cell_only"), TruncatedBPTT(3), TruncatedBPTT(4, stride=2), RTRL(), RTRL(1)], ids=repr)
def test_noise_goes_with_every_rule_that_follows_a_gradient(rule):
    net, batch = network(), packed()
    first, again = (learnt(net.draw_from(torch.Generator().manual_seed(0)), penalised(rule, [WeightNoise(0.1)]), batch)[1] for _ in range(2))
    other = learnt(net, penalised(rule, [WeightNoise(0.1)]), batch)[1]
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))


# -- all of them ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ONE_OF_EACH_CLASS)
def test_penalties_of_outputs_and_noise_go_with_every_cell(cell):
    net, batch = network(cell, "mean"), packed()
    value, gradients = learnt(net, penalised(BPTT(), [*OF_OUTPUTS, WeightNoise(0.01)]), batch)
    assert value.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_penalties_are_told_the_first_nearest_to_the_loss():
    """Omega sees the noise that comes after it, and not that which comes before."""
    net, batch = network(), packed()
    orders = [[Pascanu(1.0), WeightNoise(0.1)], [WeightNoise(0.1), Pascanu(1.0)]]
    inside, outside = (learnt(net.draw_from(torch.Generator().manual_seed(0)), penalised(BPTT(), order), batch)[1] for order in orders)
    noisy = learnt(net.draw_from(torch.Generator().manual_seed(0)), penalised(BPTT(), [WeightNoise(0.1)]), batch)[1]
    at_clean = torch.autograd.grad(omega(net, batch, loss), list(net.parameters()), allow_unused=True, materialize_grads=True)
    assert_same(outside, [a + b for a, b in zip(noisy, at_clean, strict=True)], EXACT)
    assert max(float((a - b).abs().max()) for a, b in zip(inside, outside, strict=True)) > 1e-6


@every_penalty
def test_strength_zero_is_the_rule_itself(penalty):
    name = "scale" if isinstance(penalty, WeightNoise) else "alpha"
    assert penalised(rule := BPTT(), [clone(penalty).set_params(**{name: 0})]) is rule


@every_penalty
@pytest.mark.parametrize("bad", [-1, np.inf, np.nan, True, "2", None])
def test_bad_strengths_are_refused(penalty, bad):
    name = "scale" if isinstance(penalty, WeightNoise) else "alpha"
    given = type(penalty)(**{name: bad})
    with pytest.raises(ValueError, match=f"The '{name}' parameter of {type(penalty).__name__} must be a number of at least 0; got {bad!r}"):
        penalised(BPTT(), [given])


def test_a_bad_measure_is_refused():
    with pytest.raises(ValueError, match=r"The 'of' parameter of TemporalActivationPenalty must be one of \['norm', 'units'\]; got 'h'"):
        penalised(BPTT(), [TemporalActivationPenalty(of="h")])


@every_penalty
def test_guessing_is_refused_by_name(penalty):
    with pytest.raises(ValueError, match=rf"{type(penalty).__name__} needs .*; got Guessing\(scale=100.0, goal=0.05\)"):
        penalised(Guessing(), [penalty])


@pytest.mark.parametrize("rule", [TruncatedBPTT(), RTRL(), BPTT("none")], ids=repr)
def test_omega_needs_the_gradient_of_every_step(rule):
    with pytest.raises(ValueError, match=r"Pascanu needs rule='bptt', whose gradient reaches every step on every path; got (Tr|RT|BPTT)"):
        penalised(rule, [ActivationPenalty(), Pascanu()])


def test_omega_needs_whole_sequences():
    with pytest.raises(ValueError, match="Pascanu needs whole sequences: leave it out where a stream goes on"):
        penalised(BPTT(), [Pascanu()]).gradient(network(), packed(), loss, Stream())


@pytest.mark.parametrize("bad", ["pascanu", [ActivationPenalty(), 2.0], (Pascanu,)], ids=repr)
def test_what_is_no_penalty_is_refused(bad):
    with pytest.raises(ValueError, match=r"The 'penalties' parameter must be None, a penalty of skrnn\.training, or a tuple or list of them; got"):
        as_penalties(bad)
