import numpy as np
import pytest
import torch

from skrnn.cells._rows import linear
from skrnn.frontends import Conv1d
from tests.cell_settings import assert_same, grid, pack_all, sequences, unpack_all

EXACT = 1e-12
SETTINGS = [
    *grid(kernel_size=[1, 2, 3, 5, 8], stride=[1, 2, 3], causal=[True, False]),
    {"kernel_size": 2, "stride": 7, "causal": True},
]


def conv(**settings):
    net = Conv1d(4, activation="identity", **settings).build(3, torch.Generator().manual_seed(0)).double()
    torch.nn.init.normal_(net.b, generator=torch.Generator().manual_seed(1))
    return net


def by_hand(net, x):
    """Block after block, tap after tap, from the equations."""
    K, s, n = net.kernel_size, net.stride, len(x)
    rows = []
    for k in range(-(-n // s)):
        end = min((k + 1) * s, n) - 1 if net.causal else k * s + (s - 1) // 2 + K // 2
        row = net.b.clone()
        for i in range(K):
            step = end - K + 1 + i
            if 0 <= step < n:
                row = row + net.W[:, 3 * i : 3 * (i + 1)] @ x[step]
        rows.append(row)
    return torch.stack(rows)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_outputs_are_those_of_the_equations(settings):
    net, xs = conv(**settings), sequences((4, 7, 1, 7, 13))
    assert_same(unpack_all(net(pack_all(xs))), [by_hand(net, x) for x in xs], EXACT)


@pytest.mark.parametrize("settings", grid(kernel_size=[1, 2, 5], stride=[1, 3], causal=[True, False]), ids=str)
def test_whole_blocks_are_those_of_torch(settings):
    net, x = conv(**settings), sequences((12,))[0]
    K, s = net.kernel_size, net.stride
    left = K - s if net.causal else (K - 1) // 2 - (s - 1) // 2
    right = 0 if net.causal else K // 2 + (s - 1) // 2
    padded = torch.nn.functional.pad(x.T, (left, right))
    expected = torch.nn.functional.conv1d(padded[None], net.W.view(4, K, 3).transpose(1, 2), net.b, stride=s)[0].T
    assert_same([net(pack_all([x])).data], [expected[: 12 // s]], EXACT)


@pytest.mark.parametrize("stride", [1, 3])
def test_a_causal_filter_sees_nothing_later(stride):
    net, x = conv(kernel_size=6, stride=stride), sequences((20,))[0]
    before = net(pack_all([x])).data
    for step in range(20):
        changed = x.clone()
        changed[step] += 1
        differs = (net(pack_all([changed])).data != before).any(1)
        assert differs.any()
        assert int(differs.nonzero()[0]) == step // stride


def test_a_centred_filter_sees_as_much_on_both_sides():
    net, x = conv(kernel_size=5, causal=False), sequences((20,))[0]
    before, changed = net(pack_all([x])).data, x.clone()
    changed[10] += 1
    assert (net(pack_all([changed])).data != before).any(1).nonzero().ravel().tolist() == [8, 9, 10, 11, 12]


def test_what_is_not_finite_stays_within_its_sequence_and_window():
    net, xs = conv(kernel_size=3), sequences((6, 6))
    xs[1][2] = torch.nan
    first, second = unpack_all(net(pack_all(xs)))
    assert first.isfinite().all()
    assert second.isfinite().all(1).tolist() == [True, True, False, False, False, True]


def test_a_stack_shortens_step_by_step():
    net = Conv1d(3, 3, stride=2, frontend=Conv1d(2, 4, stride=3)).build(3, torch.Generator().manual_seed(0)).double()
    x = sequences((20,))[0]
    inner = net.frontend_(pack_all([x]))
    assert len(inner.data) == 7
    assert len(net(pack_all([x])).data) == 4
    np.testing.assert_array_equal(net.out_lengths(np.array([1, 6, 7, 20])), [1, 1, 2, 4])
    assert net.get_params()["frontend__stride"] == 3


def test_the_input_gets_its_gradient():
    net, xs = conv(kernel_size=4, stride=2), sequences((5, 8, 2))
    batch = pack_all(xs)
    x = batch.data.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: net(batch._replace(data=x)).data, (x,))


def test_memory_is_bounded_where_no_gradient_is_needed(monkeypatch):
    monkeypatch.setattr("skrnn.frontends._blocks._NUMBERS", 2**10)
    net, batch = conv(kernel_size=5), pack_all(sequences((3000, 40)))
    seen = []
    monkeypatch.setattr("skrnn.frontends._conv.linear", lambda x, *weights: (seen.append(x.numel()), linear(x, *weights))[1])
    with torch.no_grad():
        net(batch)
    assert max(seen) <= 2**10
    seen.clear()
    net(batch)
    assert seen == [3040 * 15]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channels": 0}, r"'channels' parameter of Conv1d must be a whole number of at least 1; got 0"),
        ({"kernel_size": 2.5}, r"'kernel_size' parameter of Conv1d must be a whole number"),
        ({"stride": 0}, r"'stride' parameter of Conv1d must be a whole number"),
        ({"causal": None}, r"'causal' parameter of Conv1d must be one of \[True, False\]; got None"),
        ({"activation": "softmax"}, r"'activation' parameter of Conv1d must be one of \['relu', 'gelu', 'tanh', 'identity'\]"),
    ],
)
def test_parameters_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        Conv1d(**settings).build(2)
