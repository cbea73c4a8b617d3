"""The same answers on a GPU, and models that move from there to a machine without one."""

import pickle

import numpy as np
import pytest
import torch

from skrnn import (
    MemoryNetworkClassifier,
    PointerNetwork,
    RNNClassifier,
    RNNLanguageModel,
    Seq2SeqRegressor,
    Seq2SeqTranslator,
    SequenceTranscriber,
    TreeClassifier,
)
from skrnn.cells import GRU, LRU, LSTM, BatchNorm, CfC, Clockwork, DepthGatedLSTM, Elman, Hyper, Leaky, Skip, VariationalDropout, Zoneout, map_state
from skrnn.datasets import make_stories
from skrnn.engine import _compiled as compiled
from skrnn.engine import scan
from tests.cell_settings import assert_same, built, gradients, packed, random_state, without_kernel
from tests.estimators.samples import EQUAL, FORMULAS, NAMES, RAGGED, TRUTHS, answers, fit, make, target

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
NETS = [{"cell": cell, "pooling": pooling} for cell in ("gru", "lstm", "elman", "leaky") for pooling in ("last", "attention")]


def on_the_cpu(model):
    """A copy of a model that was fitted on a GPU, as a machine without one would load it."""
    copied = pickle.loads(pickle.dumps(model))
    assert {weight.device.type for weight in copied.network_.parameters()} == {"cpu"}
    return copied.set_params(device="cpu")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("settings", NETS, ids=str)
@pytest.mark.parametrize("X", [RAGGED, EQUAL], ids=["ragged", "equal"])
def test_answers_are_those_of_the_cpu(name, settings, X):
    model = fit(name, X, device="cuda", **settings)
    assert {weight.device.type for weight in model.network_.parameters()} == {"cuda"}
    np.testing.assert_allclose(answers(on_the_cpu(model), X), answers(model, X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_training_is_that_of_the_cpu(name):
    here, there = (fit(name, RAGGED, device=device, dtype="float64") for device in ("cpu", "cuda"))
    np.testing.assert_allclose(answers(there, RAGGED), answers(here, RAGGED), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", ["child_sum", "n_ary", "recursive", "rntn"])
def test_trees_are_those_of_the_cpu(cell):
    model = TreeClassifier(cell, hidden_size=8, max_epochs=3, dropout=0.3, device="cuda", dtype="float64", random_state=0).fit(FORMULAS, TRUTHS)
    for here, there in zip(on_the_cpu(model).predict_proba(FORMULAS), model.predict_proba(FORMULAS), strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_is_taken_when_there_is_one(name):
    model = make(name)
    assert next(model.fit(EQUAL, target(model, EQUAL)).network_.parameters()).is_cuda


@pytest.mark.parametrize("name", NAMES)
def test_learning_goes_on_elsewhere(name):
    model = on_the_cpu(fit(name, RAGGED, device="cuda"))
    model.partial_fit(RAGGED, target(model, RAGGED))
    assert np.isfinite(answers(model, RAGGED)).all()


@pytest.mark.parametrize("name", NAMES)
def test_tensors_on_the_gpu_are_welcome(name):
    X = torch.tensor(EQUAL, device="cuda")
    model = fit(name, EQUAL)
    np.testing.assert_array_equal(answers(model, X), answers(model, EQUAL))


# -- compiled steps --------------------------------------------------------------------------------------------------------------------------------

COMPILED = [
    *(Elman("relu", layer_norm=True), LSTM(peephole=True), GRU("before"), Leaky(LSTM()), CfC(), Hyper(), Clockwork(), DepthGatedLSTM()),
    *(Skip(GRU(), 3), VariationalDropout(LSTM())),
]


def on_the_gpu(cell, lengths, dtype):
    """A cell that learns, a batch and a state, on the GPU."""
    batch, state = packed(lengths, dtype=dtype), random_state(cell, len(lengths), dtype=dtype)
    return cell.cuda(), batch._replace(data=batch.data.cuda()), map_state(lambda s: s.cuda(), state)


@pytest.mark.parametrize("cell", COMPILED, ids=repr)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-10)], ids=str)
def test_compiled_steps_are_the_steps(cell, reverse, dtype, tolerance):
    cell = without_kernel(built(cell, dtype)).train().draw_from(torch.Generator())
    for lengths in ((4, 19, 1, 17, 3), (16, 16, 16), (19,)):
        cell, batch, state = on_the_gpu(cell, lengths, dtype)
        with compiled.compiling("cuda"):
            assert compiled.scan_compiled(cell, batch, state, reverse) is not None
            values, grads = gradients(cell, batch, state, reverse=reverse)
        expected, expected_grads = gradients(cell, batch, state, reverse=reverse)
        assert_same([v.cpu() for v in values + grads], [v.cpu() for v in expected + expected_grads], tolerance)


@pytest.mark.parametrize("cell", [Zoneout(GRU()), BatchNorm(LSTM()), LRU(), LSTM()], ids=repr)
def test_cells_that_are_not_compiled_learn_as_ever(cell):
    """Those that draw or influence each other, and those with a kernel."""
    cell = built(cell, torch.float32).train().draw_from(torch.Generator().manual_seed(0))
    cell, batch, state = on_the_gpu(cell, (16, 20), torch.float32)
    with compiled.compiling("cuda"):
        scan(cell, batch, state)[0].data.sum().backward()
    assert all(w.grad.isfinite().all() for w in cell.parameters() if w.grad is not None)


def test_a_long_fit_with_compiled_steps_learns_what_one_without_learns():
    X, y = np.random.default_rng(0).normal(size=(32, 20, 2)).astype(np.float64), np.arange(32) % 2
    settings = {"hidden_size": 8, "max_epochs": 5, "device": "cuda", "dtype": "float64", "random_state": 0}
    found = []
    for devices in ((), ("cuda",), ("cuda",)):
        with compiled.compiling(*devices):
            model = RNNClassifier(LSTM(peephole=True), **settings).fit(X, y)
            found.append(model.predict_proba(X))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
    np.testing.assert_array_equal(found[2], found[1])


def test_steps_are_compiled_by_themselves_when_a_cell_has_learned_for_long(monkeypatch):
    monkeypatch.setattr(compiled, "_USUAL", compiled._USUAL._replace(after=40))
    cell, batch, state = on_the_gpu(built(LSTM(peephole=True), torch.float32).train(), (20, 20), torch.float32)
    assert [compiled.scan_compiled(cell, batch, state, False) is not None for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(
    "settings", [{}, {"attention": "bahdanau", "teacher_forcing": 0.5}, {"attention": "dot", "cell": "lstm", "context": "both"}], ids=str
)
def test_sequences_are_written_as_on_the_cpu(settings):
    y = EQUAL[:, :3, 0]
    model = Seq2SeqRegressor(hidden_size=8, max_epochs=3, device="cuda", random_state=0, **settings).fit(RAGGED, y)
    np.testing.assert_allclose(on_the_cpu(model).predict(RAGGED), model.predict(RAGGED), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("copy", [False, True])
def test_tokens_are_written_as_on_the_cpu(copy):
    text = ["ab", "ba", "aab", "bbab"] * 6
    model = Seq2SeqTranslator(copy=copy, hidden_size=8, max_epochs=3, beam_width=3, device="cuda", random_state=0).fit(text, text)
    text += ["axb", "yz"] if copy else []
    here, there = on_the_cpu(model).predict_hypotheses(text), model.predict_hypotheses(text)
    assert [h[0].tokens for h in here] == [h[0].tokens for h in there]
    assert [h[0].score for h in here] == pytest.approx([h[0].score for h in there], abs=1e-4)


@pytest.mark.parametrize("settings", [{}, {"cell": "gru", "n_layers": 2, "tie_weights": True}, {"cell": "lru", "softmax": "adaptive"}], ids=str)
def test_texts_are_told_and_written_as_on_the_cpu(settings):
    texts = ["ab", "ba", "aab", "bbab", ""] * 6
    model = RNNLanguageModel(hidden_size=8, max_epochs=3, bptt_steps=4, device="cuda", random_state=0, **settings).fit(texts[:4] * 9)
    copied = on_the_cpu(model)
    np.testing.assert_allclose(copied.predict_proba(texts), model.predict_proba(texts), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(copied.score(texts[:4]), model.score(texts[:4]), rtol=1e-4)
    assert copied.generate(texts, 5, random_state=0) == model.generate(texts, 5, random_state=0)


def test_labels_are_heard_as_on_the_cpu():
    y = ["ab"[: len(x) // 2] for x in RAGGED]
    here, there = (SequenceTranscriber(hidden_size=8, max_epochs=3, device=device, random_state=0).fit(RAGGED, y) for device in ("cpu", "cuda"))
    assert here.loss_curve_ == pytest.approx(there.loss_curve_, rel=1e-3)
    for moved, stayed in zip(on_the_cpu(there).predict_log_proba(RAGGED), there.predict_log_proba(RAGGED), strict=True):
        np.testing.assert_allclose(moved, stayed, rtol=1e-4, atol=1e-5)


def test_places_are_pointed_at_as_on_the_cpu():
    y = [np.argsort(x[:, 0]).tolist() for x in RAGGED]
    model = PointerNetwork(hidden_size=8, max_epochs=3, beam_width=2, device="cuda", random_state=0).fit(RAGGED, y)
    here, there = on_the_cpu(model).predict_hypotheses(RAGGED), model.predict_hypotheses(RAGGED)
    assert [h[0].score for h in here] == pytest.approx([h[0].score for h in there], abs=1e-4)


@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
def test_questions_are_answered_as_on_the_cpu(tying):
    X, y = make_stories("two_facts", 60, random_state=0)
    made = (MemoryNetworkClassifier(tying=tying, max_epochs=5, dtype="float64", device=device, random_state=0) for device in ("cpu", "cuda"))
    here, there = (model.fit(X, y) for model in made)
    np.testing.assert_allclose(there.predict_proba(X), here.predict_proba(X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(on_the_cpu(there).attention(X), there.attention(X), rtol=1e-4, atol=1e-5)
