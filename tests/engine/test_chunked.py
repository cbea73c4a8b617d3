import pytest
import torch

from skrnn.cells import LSTM, Clockwork, Reservoir
from skrnn.engine import scan
from skrnn.engine._chunked import scan_chunked
from tests.cell_settings import assert_same, leaves, pack_all, random

LONG = random(2003, 2)


def made(cell, size=20):
    return cell.build(2, size, torch.Generator().manual_seed(0)).double().eval()


@pytest.mark.parametrize("n_chunks", [2, 7, 10])
@pytest.mark.parametrize("cell", [Reservoir(spectral_radius=0.6), Reservoir(spectral_radius=0.6, leak_rate=0.7), LSTM(forget_bias=-1.0)], ids=repr)
def test_pieces_are_the_whole(monkeypatch, cell, n_chunks):
    """The last piece is shorter; the state may be anything that forgets, to the last bit on some machines."""
    monkeypatch.setattr("skrnn.engine._chunked._in_one_piece", None)
    cell = made(cell)
    begin = cell.initial_state(1, like=LONG)
    whole, last = scan(cell, pack_all([LONG]), begin)
    found = scan_chunked(cell, LONG, n_chunks=n_chunks, n_warmup=200, tol=1e-9)
    assert found.seam <= 1e-9
    assert_same([found.outputs, *leaves(found.state)], [whole.data, *leaves(last)], 1e-9)


@pytest.mark.parametrize("cell", [Reservoir(spectral_radius=0.9, leak_rate=0.02), Clockwork()], ids=repr)
def test_what_does_not_forget_is_run_in_one_piece(cell):
    """Slow units remember longer than the warm-up; a clock that counts from the first step never forgets."""
    cell = made(cell)
    found = scan_chunked(cell, LONG, n_chunks=10, n_warmup=11)
    assert found.seam > 1e-5
    assert_same([found.outputs], [scan(cell, pack_all([LONG]))[0].data], 1e-12)


@pytest.mark.parametrize(("n_chunks", "n_warmup"), [(1, 10), (100, 300), (5000, 1)])
def test_what_is_too_short_for_pieces_is_run_in_one(n_chunks, n_warmup):
    cell, state = made(Reservoir(spectral_radius=0.5)), random(1, 20)
    found = scan_chunked(cell, LONG, state, n_chunks=n_chunks, n_warmup=n_warmup)
    assert_same([found.outputs], [scan(cell, pack_all([LONG]), state)[0].data], 1e-12)


def test_a_first_state_is_carried_on():
    cell, state = made(Reservoir(spectral_radius=0.5)), random(1, 20)
    found = scan_chunked(cell, LONG, state, n_chunks=4, n_warmup=100)
    assert_same([found.outputs], [scan(cell, pack_all([LONG]), state)[0].data], 1e-12)


@pytest.mark.parametrize("name", ["n_chunks", "n_warmup"])
def test_counts_below_1_are_refused(name):
    with pytest.raises(ValueError, match=rf"'{name}' of scan_chunked must be at least 1; got 0"):
        scan_chunked(made(Reservoir()), LONG, **{name: 0})
