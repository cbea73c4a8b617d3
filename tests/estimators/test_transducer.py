"""A transcriber whose frames are told the labels before them."""

import itertools
import pickle

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV

from skrnn import SequenceTranscriber, as_sequences
from skrnn.cells import LSTM
from skrnn.datasets import make_phonemes
from skrnn.frontends import Conv1d
from skrnn.training import Transcripts, Transduction

X, Y = make_phonemes(30, n_phonemes=3, min_length=1, max_length=4, random_state=0)
SHORT = [x[:4] for x in X[:8]]


def make(**settings):
    return SequenceTranscriber(**{"loss": "transducer", "hidden_size": 8, "max_epochs": 3, "learning_rate": 0.02, "random_state": 0} | settings)


def log_probability(model, x, labels):
    """Of all ways to write some labels, by the loss."""
    predictor = model._predictor()
    given, wanted, _ = predictor.compared([x], [labels])
    coded = predictor.target.encode(wanted)
    pair = predictor.target.lattices(predictor.source(given.sequences), coded).packed(np.array([0]))
    with torch.inference_mode():
        return -Transduction(3).losses(model.network_.eval().answer(pair), torch.from_numpy(coded)).item()


def every_row(model, x, labels):
    """Log probabilities (n_frames, n_labels + 1, 1 + n_classes) node by node: of layers over frames and labels, and what joins them."""
    network = model.network_.eval()
    predictor = model._predictor()
    packed = predictor.source(predictor.read([x]).sequences).packed(np.array([0]))
    with torch.inference_mode():
        f = network.frames.answer(packed)
        state, g = network.labels.layers[0][0].initial_state(1, like=f), []
        for label in [0, *("abc".index(c) + 1 for c in labels)]:
            cell = network.labels.layers[0][0]
            y, state = cell.step(cell.project(network.vectors.W[[label]]), state)
            g.append(y[0] @ network.told.W.T + network.told.b)
        return torch.stack([torch.log_softmax(torch.stack([network.head(torch.tanh(a + b)[None])[0] for b in g]), -1) for a in f])


@pytest.mark.parametrize("way", [{}, {"cell": LSTM(), "frontend": Conv1d(4, 3, stride=2), "n_layers": 2}, {"bidirectional": False}], ids=str)
def test_the_network_is_what_its_equations_say(way):
    model = make(dtype="float64", **way).fit(X, Y)
    predictor = model._predictor()
    given, wanted, _ = predictor.compared(X[:6], Y[:6])
    coded = predictor.target.encode(wanted)
    lattices = predictor.target.lattices(predictor.source(given.sequences), coded)
    for index in (np.arange(6), np.array([4, 1, 3])):
        with torch.inference_mode():
            outputs = model.network_.eval().answer(lattices.packed(index))
            trained = model.network_(lattices.packed(index))
        np.testing.assert_allclose(trained, outputs, rtol=0, atol=1e-12)
        parts = np.split(outputs.numpy(), np.cumsum(coded[index, 1] * (coded[index, 2] + 1))[:-1])
        for i, part in zip(index, parts, strict=True):
            expected = every_row(model, X[i], Y[i]).numpy()
            part = part.reshape(*expected.shape[:2], 2)
            np.testing.assert_allclose(part[..., 0], expected[..., 0], rtol=0, atol=1e-12)
            for u, c in enumerate(Y[i]):
                np.testing.assert_allclose(part[:, u, 1], expected[:, u, "abc".index(c) + 1], rtol=0, atol=1e-12)


def test_a_beam_that_keeps_everything_is_enumeration():
    model = make(dtype="float64", max_epochs=8).fit(X, Y).set_params(beam_width=200)
    model._labels_per_step = 3 / 4 / 2  # at most three labels of four frames
    every = ["".join(labels) for n in range(4) for labels in itertools.product("abc", repeat=n)]
    for x, row in zip(SHORT, model.predict_hypotheses(SHORT), strict=True):
        found = {h.tokens: h.score for h in row}
        assert len(row) == len(found)
        assert {*found} == {*every}
        for labels in every:
            assert found[labels] == pytest.approx(log_probability(model, x, labels), abs=1e-9)


def test_a_wider_beam_finds_nothing_less_likely():
    model = make(max_epochs=10).fit(X, Y)
    greedy = [best[0].score for best in model.predict_hypotheses(X)]
    for width in (2, 20):
        found = model.set_params(beam_width=width).predict_hypotheses(X)
        assert all(np.diff([h.score for h in best]).max() <= 0 for best in found)
        assert np.mean([best[0].score for best in found]) >= np.mean(greedy)
        assert model.predict(X) == [best[0].tokens for best in found]


def test_the_first_loss_is_that_of_the_weights_at_the_start():
    model = make(dtype="float64", batch_size=None, optimizer="sgd", learning_rate=1e-12, max_epochs=1).fit(X, Y)
    assert model.loss_curve_[0] == pytest.approx(-np.mean([log_probability(model, x, y) for x, y in zip(X, Y, strict=True)]), abs=1e-9)


def test_labels_stand_where_they_are_likeliest():
    model = make(max_epochs=10).fit(X, Y)
    for x, y, spans in zip(SHORT, Y, model.predict_alignment(SHORT, Y[:8]), strict=False):
        log_p = every_row(model, x, y).numpy()
        ids = ["abc".index(c) + 1 for c in y]
        assert (np.diff(spans, axis=1) == 1).all()

        def score(frames, log_p=log_p, ids=ids):
            left = sum(log_p[t, sum(f <= t for f in frames), 0] for t in range(len(log_p)))
            return left + sum(log_p[t, u, k] for u, (t, k) in enumerate(zip(frames, ids, strict=True)))

        best = max(map(score, itertools.combinations_with_replacement(range(len(log_p)), len(ids))))
        assert score(spans[:, 0].tolist()) == pytest.approx(best, abs=1e-4)


def test_frames_say_what_comes_behind_what_was_written():
    model = make(max_epochs=10).fit(X, Y)
    for x, y, spans, frames in zip(X, model.predict(X), model.predict_alignment(X), model.predict_log_proba(X), strict=True):
        log_p = every_row(model, x, y).numpy()
        before = np.searchsorted(spans[:, 0], np.arange(len(x)))
        np.testing.assert_allclose(frames, log_p[np.arange(len(x)), before], rtol=0, atol=1e-5)


def test_a_frame_can_say_more_than_one_label():
    rng = np.random.default_rng(0)
    codes = [rng.integers(0, 2, rng.integers(1, 5)) for _ in range(120)]
    steps = [np.eye(2)[code] for code in codes]
    labels = ["".join(["abc", "bd"][k] for k in code) for code in codes]
    model = SequenceTranscriber(loss="transducer", hidden_size=16, max_epochs=40, random_state=0).fit(steps[:100], labels[:100])
    assert model.predict(steps[100:]) == labels[100:]
    with pytest.raises(ValueError, match="is too short for its labels"):
        SequenceTranscriber().fit(steps, labels)


def test_labels_and_nothing_at_all():
    model = make(max_epochs=30, batch_size=8).fit([np.zeros((6, 1)), np.ones((6, 1))] * 30, ["", "a"] * 30)
    assert model.predict([np.zeros((6, 1)), np.ones((6, 1))]) == ["", "a"]
    assert [s.shape for s in model.predict_alignment([np.zeros((6, 1)), np.ones((6, 1))], ["", "a"])] == [(0, 2), (1, 2)]


class Bigrams:
    classes_ = np.array(["a", "b", "c"])

    def predict_proba(self, prefixes):
        return np.array([[0.2, 0.5, 0.3] if prefix[-1:] == "a" else [0.6, 0.1, 0.3] for prefix in prefixes])


@pytest.mark.parametrize("bonus", [0.3, -0.2])
def test_a_language_model_counts_as_it_should(bonus):
    model = make(dtype="float64", max_epochs=8).fit(X, Y).set_params(beam_width=200)
    model._labels_per_step = 3 / 4 / 2
    alone = [{h.tokens: h.score for h in row} for row in model.predict_hypotheses(SHORT)]
    model.set_params(language_model=Bigrams(), language_weight=0.7, length_bonus=bonus)
    for before, row in zip(alone, model.predict_hypotheses(SHORT), strict=True):
        assert {h.tokens for h in row} == {*before}
        for h in row:
            p = [Bigrams().predict_proba([h.tokens[:k]])[0, "abc".index(c)] for k, c in enumerate(h.tokens)]
            assert h.score == pytest.approx(before[h.tokens] + 0.7 * np.log(p).sum() + bonus * len(h.tokens), abs=1e-9)


def test_weight_is_repetition():
    exact = {"dtype": "float64", "batch_size": None, "optimizer": "sgd", "learning_rate": 0.1, "max_epochs": 5, "alpha": 1.0}
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    rows = np.repeat(np.arange(len(X)), weight)
    weighted = make(**exact).fit(X, Y, sample_weight=weight)
    repeated = make(**exact).fit([X[i] for i in rows], [Y[i] for i in rows])
    for x, y in zip(X, Y, strict=True):
        assert log_probability(weighted, x, y) == pytest.approx(log_probability(repeated, x, y), rel=1e-7)


def test_going_on_searching_and_copies():
    model = make(max_epochs=1).fit(X, Y)
    assert pickle.loads(pickle.dumps(model)).predict_hypotheses(X) == model.predict_hypotheses(as_sequences(X))
    assert model.partial_fit(X, Y).n_iter_ == 2
    assert GridSearchCV(make(max_epochs=1), {"loss": ["ctc", "transducer"]}, cv=2, error_score="raise").fit(X, Y).best_score_ <= 1
    with pytest.raises(ValueError, match="network of loss=transducer, but the estimator now has loss=ctc"):
        model.set_params(loss="ctc", warm_start=True).fit(X, Y)
    assert len(make(early_stopping=True, max_epochs=2).fit(X, Y).validation_scores_) == 2
    with pytest.raises(ValueError, match="is for a beam, and beam_width=1 is greedy"):
        make(max_epochs=1).fit(X, Y).set_params(language_model=Bigrams()).predict_log_proba(X)
    with pytest.raises(ValueError, match="'loss' parameter"):
        make(loss="rnnt").fit(X, Y)
    with pytest.raises(ValueError, match="Transducer learns by rule='bptt' or 'guessing'"):
        make(rule="truncated_bptt").fit(X, Y)


def test_a_table_of_labels_and_back():
    coded = Transcripts.of(np.array([3, 2]), np.array([3, 2]), [[1, 2], []]).as_table()
    lattices = make(max_epochs=1).fit(X, Y)._predictor().target
    pair = lattices.lattices(make(max_epochs=1).fit(X, Y)._predictor().source(as_sequences([X[0][:3], X[1][:2]])), coded)
    assert pair.lengths.tolist() == [9, 2]
    assert pair.packed(np.array([0, 1])).teacher[:, 0].tolist() == [1, 0, 2, 0]


@pytest.mark.parametrize("first", ["", "a"])
def test_transcripts_grow_with_those_that_training_goes_on_with(first):
    model = make(beam_width=2, learning_rate=0.05).partial_fit(SHORT, [first] * 8, classes=["a", "b"])
    for _ in range(40):
        model.partial_fit(SHORT, ["a" * 9] * 8)
    assert min(map(len, model.predict(SHORT))) >= 9  # twice as many as the first would be two, or none
