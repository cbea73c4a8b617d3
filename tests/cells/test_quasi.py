import pytest
import torch

from skrnn.cells import QRNN
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, built, gap, pack_all, packed, random, without_kernel

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
every_pool = pytest.mark.parametrize(("pool", "n_gates"), [("f", 2), ("fo", 3), ("ifo", 4)])


@every_pool
@pytest.mark.parametrize("width", [1, 2, 5])
def test_number_of_weights(width, pool, n_gates):
    assert sum(w.numel() for w in QRNN(width, pool).build(F, H).parameters()) == n_gates * H * (width * F + 1)


@every_pool
@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("path", [lambda cell: cell, without_kernel], ids=["kernel", "steps"])
def test_gates_are_a_convolution_that_sees_no_future(path, width, pool, n_gates):
    """Bradbury et al. (2017), section 2: the input is padded with width - 1 zeros on the left. With f = 0, h = o z."""
    cell, x = path(built(QRNN(width, pool))), random(12, F)
    with torch.no_grad():
        cell.b[H : 2 * H] = -1000.0
    taps = cell.W.view(width, n_gates * H, F).permute(1, 2, 0).flip(-1)  # conv1d's last tap meets the present
    a = torch.nn.functional.conv1d(torch.nn.functional.pad(x.T, (width - 1, 0))[None], taps, cell.b)[0].T
    z, _, *others = a.split(H, -1)
    expected = z.tanh()
    for gate in others:
        expected = expected * gate.sigmoid()
    assert gap(scan(cell, pack_all([x]))[0].data, expected) <= EXACT


@every_pool
def test_f_keeps(pool, n_gates):
    cell, batch = built(QRNN(pool=pool)), packed()
    with torch.no_grad():
        cell.b[H : 2 * H] = 100.0
        if pool == "ifo":
            cell.b[3 * H :] = -100.0
    state = cell.initial_state(5, like=batch.data)._replace(c=random(5, H))
    assert gap(scan(cell, batch, state)[1].c, state.c) <= EXACT


def test_an_input_gate_of_one_minus_f_is_none():
    ifo, fo = built(QRNN(pool="ifo")), built(QRNN())
    with torch.no_grad():
        for ours, theirs in zip((*ifo.W.chunk(2), ifo.b), (*fo.W.chunk(2), fo.b), strict=True):
            ours[3 * H :] = -ours[H : 2 * H]
            theirs.copy_(ours[: 3 * H])
    assert gap(scan(ifo, packed())[0].data, scan(fo, packed())[0].data) <= EXACT


def test_where_biases_start():
    assert QRNN(forget_bias=2.0).build(F, H).b.tolist() == [0.0] * H + [2.0] * H + [0.0] * H


@pytest.mark.parametrize("width", [0, -1, 1.5, None])
def test_a_width_that_is_no_number_of_steps_is_refused(width):
    with pytest.raises(ValueError, match=rf"'width' parameter of QRNN must be a number of time steps of at least 1; got {width}"):
        QRNN(width).build(F, H)
