import numpy as np
import pytest
import torch

from skrnn.data import Sequences, as_sequences
from skrnn.engine import pack, unpack
from tests.cell_settings import pack_all, sequences

LENGTHS = {"ragged": (2, 5, 1, 4, 3), "ties": (2, 5, 2, 5, 1), "equal": (4, 4, 4), "one": (6,), "one step": (1,)}
every_batch = pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)


def arrays(lengths):
    return as_sequences([x.numpy() for x in sequences(lengths)])


@pytest.mark.parametrize("name", ["ragged", "one"])
def test_pack_is_torchs(name):
    """Without ties, among which torch gives no order."""
    ours, theirs = pack(arrays(LENGTHS[name]), dtype=torch.float64), pack_all(sequences(LENGTHS[name]))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@every_batch
def test_torch_unpacks_what_we_packed(lengths):
    back = torch.nn.utils.rnn.unpack_sequence(pack(arrays(lengths), dtype=torch.float64))
    assert all(torch.equal(x, y) for x, y in zip(back, sequences(lengths), strict=True))


@every_batch
def test_unpack_undoes_pack(lengths):
    X = arrays(lengths)
    back = unpack(pack(X, dtype=torch.float64))
    assert isinstance(back, Sequences)
    np.testing.assert_array_equal(back.values, X.values)
    np.testing.assert_array_equal(back.offsets, X.offsets)


@every_batch
def test_unpack_takes_what_torch_packed(lengths):
    back = unpack(pack_all(sequences(lengths)))
    for got, x in zip(back, sequences(lengths), strict=True):
        np.testing.assert_array_equal(got, x)


def test_unpack_takes_sequences_that_were_packed_in_order_and_need_gradient():
    xs = sequences((5, 3, 3, 1))
    batch = torch.nn.utils.rnn.pack_sequence([x.requires_grad_() for x in xs])
    assert batch.sorted_indices is None
    for got, x in zip(unpack(batch), xs, strict=True):
        np.testing.assert_array_equal(got, x.detach())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_packed_data_have_the_dtype_and_the_device_asked_for(dtype):
    X = arrays((2, 5, 1))
    batch = pack(X, dtype=dtype, device="meta")
    assert batch.data.dtype == dtype
    assert batch.data.device.type == batch.unsorted_indices.device.type == "meta"
    assert batch.batch_sizes.device.type == "cpu"
    assert unpack(pack(X, dtype=dtype)).dtype == {torch.float32: np.float32, torch.float64: np.float64}[dtype]


def test_packing_changes_nothing_and_shares_nothing():
    X = arrays((3, 3))
    before = X.values.copy()
    pack(X, dtype=torch.float64).data.zero_()
    np.testing.assert_array_equal(X.values, before)
