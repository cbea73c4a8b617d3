"""The same answers on a GPU, and models that move from there to a machine without one."""

import pickle

import numpy as np
import pytest
import torch

from skrnn import Seq2SeqRegressor, Seq2SeqTranslator
from tests.estimators.samples import EQUAL, NAMES, RAGGED, answers, fit, make, target

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


@pytest.mark.parametrize(
    "settings", [{}, {"attention": "bahdanau", "teacher_forcing": 0.5}, {"attention": "dot", "cell": "lstm", "context": "both"}], ids=str
)
def test_sequences_are_written_as_on_the_cpu(settings):
    y = EQUAL[:, :3, 0]
    model = Seq2SeqRegressor(hidden_size=8, max_epochs=3, device="cuda", random_state=0, **settings).fit(RAGGED, y)
    np.testing.assert_allclose(on_the_cpu(model).predict(RAGGED), model.predict(RAGGED), rtol=1e-4, atol=1e-5)


def test_tokens_are_written_as_on_the_cpu():
    text = ["ab", "ba", "aab", "bbab"] * 6
    model = Seq2SeqTranslator(hidden_size=8, max_epochs=3, beam_width=3, device="cuda", random_state=0).fit(text, text)
    here, there = on_the_cpu(model).predict_hypotheses(text), model.predict_hypotheses(text)
    assert [h[0].tokens for h in here] == [h[0].tokens for h in there]
    assert [h[0].score for h in here] == pytest.approx([h[0].score for h in there], abs=1e-4)
