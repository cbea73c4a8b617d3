import pytest
import torch
from sklearn.base import clone

from skrnn.data import Categories
from skrnn.engine import pack
from skrnn.frontends import Conv1d, Embedding, PerFrame, encode, resolve_frontend

X = [[["a", 0.5, 7, "x"], ["b", 1.5, 9, "x"]], [["a", -1.0, 9, "y"]]]


def built(frontend, X):
    encoding = frontend.learn(X)
    sequences = encode(X, encoding)
    return clone(frontend).build(sequences.n_features, torch.Generator().manual_seed(0), encoding).double(), pack(sequences, dtype=torch.float64)


def test_numbers_come_first_and_then_the_vectors_of_each_channel():
    net, batch = built(Embedding(2, channels=[2, 0, -1], handle_unknown="error"), X)
    W = net.vectors.W
    assert len(W) == 2 + 2 + 2
    found = net(batch).data  # in packed order: both first steps, then the second of the first sequence
    for row, (number, rows) in zip(found, [(0.5, [0, 2, 4]), (-1.0, [0, 3, 5]), (1.5, [1, 3, 4])], strict=True):
        assert torch.equal(row, torch.cat([torch.tensor([number], dtype=torch.float64), *(W[k] for k in rows)]))
    assert net.output_size == 7


def test_each_category_has_a_gradient_of_its_own():
    net, batch = built(Embedding(2, channels=[0, 2, 3], handle_unknown="error"), X)
    net(batch).data.sum().backward()
    assert net.vectors.W.grad[:, 0].tolist() == [2, 1, 1, 2, 2, 1]


def test_all_channels_may_be_categories():
    net, batch = built(Embedding(3), [["to", "be"], ["or"]])
    assert net.output_size == 3
    assert net(batch).data.shape == (3, 3)


def test_the_vector_of_what_is_unknown_is_zero_until_it_is_taught():
    frontend = Embedding(3, handle_unknown="use_encoded_value")
    net, _ = built(frontend, [["to", "be"], ["or"]])
    encoding = frontend.learn([["to", "be"], ["or"]])
    batch = pack(encode([["not", "be"]], encoding), dtype=torch.float64)
    assert net(batch).data[0].tolist() == [0, 0, 0]
    assert net(batch).data[1].all()


def test_where_no_type_tells_of_categories_numbers_pass():
    net, batch = built(Embedding(2, channels="from_dtype"), [[[0.5, 1.0], [1.5, 2.0]], [[2.5, 3.0]]])
    assert torch.equal(net(batch).data, batch.data)
    assert net.output_size == 2


def test_rare_categories_teach_the_vector_of_what_is_unknown():
    net, batch = built(Embedding(2, handle_unknown="use_encoded_value", min_frequency=2), [["to", "be"], ["or", "to"]])
    net(batch).data.sum().backward()
    assert net.vectors.W.grad[:, 0].tolist() == [2, 2]


def test_an_embedding_is_built_for_categories_that_are_known():
    with pytest.raises(
        ValueError, match=r"Embedding is built for categories that are known: build\(…, encoding=frontend.learn\(X\)\); got encoding=None"
    ):
        Embedding().build(3)
    with pytest.raises(ValueError, match="Embedding is built for categories that are known"):
        Embedding().build(1, encoding=Embedding().encoding())
    with pytest.raises(ValueError, match=r"has learnt 2 channels, but is built for input_size=3"):
        Embedding().build(3, encoding=Categories.numbered(2, 2))
    with pytest.raises(ValueError, match=r"'size' parameter of Embedding must be a whole number of at least 1; got 0"):
        Embedding(0).build(1, encoding=Categories.numbered(2))


def test_a_frontend_is_resolved_as_a_copy():
    given = Conv1d(3, frontend=Embedding(2))
    found = resolve_frontend(given)
    assert repr(found) == repr(given)
    assert found is not given
    assert found.frontend is not given.frontend
    assert resolve_frontend(None) is None
    for wrong in ("embedding", Embedding, torch.nn.Linear(1, 1)):
        with pytest.raises(ValueError, match=r"'frontend' parameter must be a frontend of skrnn\.frontends or None; got"):
            resolve_frontend(wrong)


def test_settings_are_named_in_repr_and_searched_by_name():
    assert repr(Embedding(8, channels=["day"])) == "Embedding(channels=['day'], size=8)"
    assert repr(Conv1d(frontend=Embedding(2))) == "Conv1d(frontend=Embedding(size=2))"
    assert repr(PerFrame(size=3)) == "PerFrame(size=3)"
    assert Conv1d(frontend=Embedding(2)).set_params(frontend__size=5).frontend.size == 5
