"""What holds for every frontend of ``skrnn.frontends.__all__`` in every setting."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch.autograd import gradcheck

import skrnn.frontends
from skrnn.cells import GRU
from skrnn.engine import BPTT, RTRL, Guessing, Stream, TruncatedBPTT, unpack
from skrnn.frontends import Conv1d, PerFrame, encode
from skrnn.networks import Encoder, Recurrent, SequenceNetwork, StepNetwork
from skrnn.networks import _sequence as sequence_module
from skrnn.networks import _steps as step_module
from tests.cell_settings import RAGGED, assert_same, random, unpack_all
from tests.frontends.settings import SMALL, built, every_frontend, learnt, packed, raw

EXACT = 1e-12  # float64, relative


def gradients(frontend, batch):
    """Outputs, and the gradients of a fixed projection of each row in all weights; rows are weighed by sequence and step, not by place."""
    for weight in frontend.parameters():
        weight.grad = None
    out = frontend(batch)
    total = sum(((torch.arange(len(y), dtype=y.dtype) + 1 + i)[:, None] * y).sum() for i, y in enumerate(unpack_all(out)))
    total.backward()
    return out, [weight.grad for weight in frontend.parameters() if weight.grad is not None]


# -- sequences ---------------------------------------------------------------------------------------------------------------------------------


@every_frontend
def test_a_ragged_batch_equals_its_sequences_one_by_one_and_so_do_its_gradients(frontend):
    net, X = built(frontend), raw(frontend)
    together, grads = gradients(net, packed(frontend, X))
    parts, alone = unpack_all(together), []
    for i, x in enumerate(X):
        batch = packed(frontend, [x])
        one = net(batch)
        assert_same([one.data], [parts[i]], EXACT)
        weighed = ((torch.arange(len(one.data)) + 1.0 + i)[:, None] * one.data).sum()
        found = torch.autograd.grad(weighed, [w for w in net.parameters() if w.requires_grad], materialize_grads=True)
        alone = [a + b for a, b in zip(alone, found, strict=True)] if alone else list(found)
    assert_same(grads, alone, EXACT)


@every_frontend
def test_the_order_of_a_batch_does_not_matter(frontend):
    net, X = built(frontend), raw(frontend)
    forward, backward = (unpack_all(net(packed(frontend, part))) for part in (X, X[::-1]))
    assert_same(backward[::-1], forward, EXACT)


@every_frontend
def test_without_a_gradient_the_same_comes_out(frontend, monkeypatch):
    monkeypatch.setattr("skrnn.frontends._blocks._NUMBERS", 64)
    net, batch = built(frontend), packed(frontend, raw(frontend, (70, 9)))
    with torch.no_grad():
        found = net(batch).data
    assert_same([found], [net(batch).data], EXACT)
    assert found.dtype == torch.float64


@every_frontend
def test_lengths_are_as_announced(frontend):
    net, batch = built(frontend), packed(frontend, raw(frontend))
    found = unpack(net(batch)).lengths
    np.testing.assert_array_equal(found, net.out_lengths(np.array(RAGGED)))
    assert net.changes_lengths == (list(found) != list(RAGGED))
    assert net(batch).data.shape[1] == net.output_size


@every_frontend
def test_a_step_depends_on_others_only_where_the_frontend_says_so(frontend):
    net, batch = built(frontend), packed(frontend, raw(frontend, (20,)))
    changed = batch._replace(data=torch.cat([batch.data[:10], batch.data[:10].flip(0)]))
    before = net.out_lengths(np.array([10]))[0]
    same = torch.equal(net(batch).data[: before - 6], net(changed).data[: before - 6])
    assert same or net.mixes_steps
    one_by_one = torch.cat([net(batch._replace(data=row[None], batch_sizes=torch.tensor([1]))).data for row in batch.data])
    assert net.mixes_steps or torch.allclose(one_by_one, net(batch).data, rtol=0, atol=EXACT)


@every_frontend
def test_gradient(frontend):
    net, batch = built(frontend), packed(frontend, raw(frontend, (2, 4, 1)))
    x = batch.data.clone().requires_grad_(isinstance(frontend, Conv1d | PerFrame) and "Embedding" not in repr(frontend))
    weights = [w for w in net.parameters() if w.requires_grad]
    assert gradcheck(lambda *_: net(batch._replace(data=x)).data, (x, *weights), fast_mode=True)


@every_frontend
def test_single_precision_computes_the_same(frontend):
    low, high = (built(frontend, dtype)(packed(frontend, raw(frontend), dtype)).data for dtype in (torch.float32, torch.float64))
    assert low.dtype == torch.float32
    assert_same([low.double()], [high], 1e-5)


# -- objects -----------------------------------------------------------------------------------------------------------------------------------


class _NumpyOnly(pickle.Unpickler):
    """Refuses tensors and storages of torch; the modules themselves may be named, and the hooks of lazy ones."""

    def find_class(self, module, name):
        assert not module.startswith("torch") or module.startswith(("torch.nn.modules", "torch.utils.hooks")), f"the pickle holds {module}.{name}"
        return super().find_class(module, name)


def _through_pickle(thing):
    return _NumpyOnly(io.BytesIO(pickle.dumps(thing))).load()


@every_frontend
@pytest.mark.parametrize("copied", [_through_pickle, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_copy_of_a_built_frontend_computes_the_same_bits(frontend, copied):
    net, batch = built(frontend), packed(frontend, raw(frontend))
    twin = copied(net)
    assert torch.equal(twin(batch).data, net(batch).data)
    assert not {w.data_ptr() for w in twin.parameters()} & {w.data_ptr() for w in net.parameters()}
    assert [w.requires_grad for w in twin.parameters()] == [w.requires_grad for w in net.parameters()]


@every_frontend
def test_a_copy_of_an_unbuilt_frontend_builds_the_same(frontend):
    twin, encoding = _through_pickle(clone(frontend)), _through_pickle(learnt(frontend))
    X = raw(frontend)
    sequences = encode(X, encoding)
    nets = [one.build(sequences.n_features, torch.Generator().manual_seed(3), encoding) for one in (twin, clone(frontend))]
    for one, other in zip(*(net.state_dict().values() for net in nets), strict=True):
        assert torch.equal(one, other)


@every_frontend
def test_what_is_learnt_from_data_is_plain_numpy(frontend):
    plain = (int, str, type(None), tuple, np.ndarray)
    for value in vars(learnt(frontend)).values():
        assert isinstance(value, plain) or (isinstance(value, list) and all(isinstance(item, plain) for item in value))


@every_frontend
def test_a_clone_has_the_parameters_and_no_weights(frontend):
    assert repr(clone(built(frontend))) == repr(frontend)
    assert not list(clone(built(frontend)).parameters())
    assert not list(clone(frontend).parameters())


@pytest.mark.parametrize("frontend", [p for p in every_frontend.args[1] if "module=" not in p.id])
def test_repr_makes_the_frontend_again(frontend):
    again = eval(repr(frontend), vars(skrnn.frontends).copy())
    assert repr(again.get_params()) == repr(frontend.get_params())


@every_frontend
def test_parameters_are_set_by_name_also_inside_another(frontend):
    given = frontend.get_params(deep=False)
    outer = Conv1d(frontend=type(frontend)()).set_params(**{f"frontend__{name}": value for name, value in given.items()})
    assert repr(outer.frontend) == repr(frontend)
    assert {f"frontend__{name}" for name in frontend.get_params()} <= set(outer.get_params())


@every_frontend
def test_the_weights_follow_from_the_seed(frontend):
    encoding = learnt(frontend)
    width = encode(raw(frontend), encoding).n_features
    first, again, other = (clone(frontend).build(width, torch.Generator().manual_seed(seed), encoding).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert all(torch.equal(first[name], other[name]) for name in first) == (repr(frontend) == repr(PerFrame(SMALL)))


@every_frontend
def test_building_training_and_running_leave_global_random_states_alone(frontend):
    before = torch.get_rng_state(), np.random.get_state()[1]
    net, batch = built(frontend), packed(frontend, raw(frontend))
    net.draw_from(torch.Generator().manual_seed(0)).train()
    net(batch).data.sum().backward()
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])


@every_frontend
def test_nothing_of_the_users_is_changed(frontend):
    X, state = raw(frontend), pickle.dumps(frontend)
    copied = copy.deepcopy(X)
    encode(X, frontend.learn(X))
    built(frontend)
    for x, kept in zip(X, copied, strict=True):
        assert type(x) is type(kept)
        assert (np.asarray(x) == np.asarray(kept)).all()
    assert pickle.dumps(frontend) == state


# -- networks ----------------------------------------------------------------------------------------------------------------------------------

LONG = (9, 17, 4, 17)
NETWORKS = {
    "sequences": lambda recurrent, frontend: SequenceNetwork(recurrent, "attention", torch.zeros(2), frontend),
    "sequences, last": lambda recurrent, frontend: SequenceNetwork(recurrent, "last", torch.zeros(2), frontend),
    "steps": lambda recurrent, frontend: StepNetwork(recurrent, torch.zeros(2), frontend),
}
every_network = pytest.mark.parametrize("kind", NETWORKS)
# Kinds go with ways in engine/test_rules.py: here every frontend meets every kind and both ways, the cross is slow.
every_network_or_way = pytest.mark.parametrize(
    ("kind", "way"),
    [
        pytest.param(
            kind, {"bidirectional": both}, id=f"{kind}, {'both ways' if both else 'one way'}", marks=[pytest.mark.slow] * (both and kind != "steps")
        )
        for kind in NETWORKS
        for both in (False, True)
    ],
)


def network(frontend, kind, **settings):
    """A network with a frontend that keeps the steps where that is needed, and no trivial head."""
    front = built(frontend)
    if kind == "steps" and front.changes_lengths:
        pytest.skip("makes fewer steps")
    g = torch.Generator().manual_seed(1)
    net = NETWORKS[kind](Recurrent(GRU(), front.output_size, 5, generator=g, **settings), front).double().eval()
    torch.nn.init.normal_(net.head.W, generator=g)
    return net


def found(net, rule, batch):
    net.zero_grad()
    value = rule.gradient(net, batch, lambda out: (out - random(*out.shape, seed=8)).square().sum())
    return [value, *(torch.zeros_like(w) if w.grad is None else w.grad.clone() for w in net.parameters())]


@every_frontend
@every_network_or_way
def test_truncated_bptt_of_the_whole_is_bptt(frontend, kind, way):
    net, batch = network(frontend, kind, **way), packed(frontend, raw(frontend, LONG))
    assert_same(found(net, TruncatedBPTT(17), batch), found(net, BPTT(), batch), EXACT)


@every_frontend
@every_network_or_way
def test_truncation_cuts_states_alone(frontend, kind, way):
    """By hand: one graph, in which the state is cut after every third step behind the frontend."""
    net, batch = network(frontend, kind, **way), packed(frontend, raw(frontend, LONG))
    got = found(net, TruncatedBPTT(3), batch)
    net.zero_grad()
    out = net(batch, detach_every=3)
    loss = (out - random(*out.shape, seed=8)).square().sum()
    loss.backward()
    assert_same(got, [loss, *(torch.zeros_like(w) if w.grad is None else w.grad for w in net.parameters())], EXACT)


@every_frontend
def test_every_output_sees_as_far_back_as_the_truncation_says(frontend):
    """k1 = 2, k2 = 4: the loss of each piece from a run that begins 4 steps before its end, with the state cut there; frontends see all."""
    net, batch = network(frontend, "steps"), packed(frontend, raw(frontend, (9, 9)))
    got = found(net, TruncatedBPTT(4, stride=2), batch)[1:]
    outputs, seen = net(batch).detach(), net.see(batch)
    expected = [torch.zeros_like(w) for w in net.parameters()]
    for end in range(2, 11, 2):
        first, last = max(end - 4, 0), min(end, 9)
        states = net.recurrent.start(seen)
        if first:
            states = net.recurrent.advance([seen._replace(data=seen.data[: 2 * first], batch_sizes=seen.batch_sizes[:first])], states)[1]
        states = tuple(tuple(s.detach() for s in d) for d in states)
        part = seen._replace(data=seen.data[2 * first : 2 * last], batch_sizes=seen.batch_sizes[first:last])
        rows = net.advance([part], (states, ()))[1][0] + net.head.b
        whole = outputs.clone()
        whole[2 * (end - 2) : 2 * last] = rows[2 * (end - 2 - first) :]
        loss = (whole - random(*whole.shape, seed=8)).square().sum()
        grads = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True, allow_unused=True)
        expected = [a if b is None else a + b for a, b in zip(expected, grads, strict=True)]
    assert_same(got, expected, EXACT)


@every_frontend
@every_network
def test_predictions_in_pieces_are_those_of_the_whole(frontend, kind, monkeypatch):
    for module in (sequence_module, step_module):
        monkeypatch.setattr(module, "PIECE", 3)
    net, batch = network(frontend, kind), packed(frontend, raw(frontend, LONG))
    with torch.no_grad():
        pieces = net.outputs(batch)[0] if kind == "steps" else net.head(net.features(batch))
    assert_same([pieces], [net(batch)], EXACT)


@every_frontend
@every_network
def test_guessing_draws_the_weights_of_the_frontend_too(frontend, kind):
    net, batch = network(frontend, kind).draw_from(torch.Generator().manual_seed(0)), packed(frontend, raw(frontend))
    before = [w.clone() for w in net.frontend.parameters()]
    Guessing().gradient(net, batch, lambda out: out.square().sum())
    assert not any(torch.equal(a, b) for a, b in zip(before, net.frontend.parameters(), strict=True))


@every_frontend
def test_rtrl_refuses_weights_outside_of_the_recurrence(frontend):
    net, batch = network(frontend, "sequences"), packed(frontend, raw(frontend))
    with pytest.raises(ValueError, match=r"RTRL follows the weights of the recurrent layers, but \w+\("):
        RTRL().gradient(net, batch, lambda out: out.square().sum())


@every_frontend
def test_streams_need_steps_by_themselves(frontend):
    net, batch = network(frontend, "steps"), packed(frontend, raw(frontend, (6, 6)))
    stream = Stream()
    if net.frontend.mixes_steps:
        with pytest.raises(ValueError, match=r"A stream needs a frontend that takes each step by itself"):
            BPTT().gradient(net, batch, lambda out: out.square().sum(), stream)
        return
    half = [batch._replace(data=batch.data[rows], batch_sizes=batch.batch_sizes[:3]) for rows in (slice(6), slice(6, None))]
    first, states = net.outputs(half[0])
    second, _ = net.outputs(half[1], states)
    assert_same([torch.cat([first, second])], [net(batch)], EXACT)
    BPTT().gradient(net, half[0], lambda out: out.square().sum(), stream)
    assert_same(stream.states[0], states[0], EXACT)


@every_frontend
@pytest.mark.parametrize("reverse", [False, True])
def test_an_encoder_reads_what_the_frontend_makes(frontend, reverse):
    front, batch = built(frontend), packed(frontend, raw(frontend))
    recurrent = Recurrent(GRU(), front.output_size, 4, bidirectional=True, generator=torch.Generator().manual_seed(0)).double().eval()
    with_frontend = Encoder(recurrent, frontend=front, reverse=reverse)(batch)
    without = Encoder(recurrent, reverse=reverse)(front(batch))
    assert torch.equal(with_frontend.context, without.context)
    assert torch.equal(with_frontend.outputs.data, without.outputs.data)
    np.testing.assert_array_equal(unpack(with_frontend.outputs).lengths, front.out_lengths(np.array(RAGGED)))
