"""Translators that copy: what is in no vocabulary is written where the source has it, and all else is as without."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from skrnn import Seq2SeqTranslator
from skrnn.data import END, Vocabulary
from skrnn.estimators.face._held_out import Part


def greetings(n, seed=0):
    """Names that never come again, one of two ways round."""
    rng = np.random.default_rng(seed)
    pairs = [["".join(rng.choice(list("abcdefghij"), size=5)) for _ in range(2)] for _ in range(n)]
    X = [[a, "meets", b] if k % 2 else ["today", b, "met", a] for k, (a, b) in enumerate(pairs)]
    return X, [[b, "and", a] for a, b in pairs]


X, Y = greetings(60)
NEW, NEW_Y = greetings(20, seed=1)
WAYS = [
    {},
    {"cell": "lstm", "context": "both", "coverage": True, "bidirectional": False, "reverse_source": True},
    {"attention": "dot", "n_layers": 2},
    {"attention": "general", "shared_vocabulary": True},
]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


def make(**settings):
    small = {"hidden_size": 12, "embedding_size": 6, "max_epochs": 3, "learning_rate": 0.02, "min_frequency": 2, "random_state": 0}
    return Seq2SeqTranslator(**small | {"copy": True} | settings)


@pytest.fixture(scope="module")
def learned():
    return make(max_epochs=40, learning_rate=0.03).fit(X, Y)


def test_names_that_are_in_no_vocabulary_are_copied(learned):
    assert set(learned.vocabulary_) == {"and"}
    assert learned.score(NEW, NEW_Y) >= 0.95
    assert learned.predict([["X1", "meets", "X2"]]) == [["X2", "and", "X1"]]
    assert make(copy=False, max_epochs=40, learning_rate=0.03).fit(X, Y).score(NEW, NEW_Y) == 0


@every_way
def test_every_way_of_looking_points(way):
    assert make(hidden_size=32, max_epochs=40, learning_rate=0.03, **way).fit(X, Y).score(NEW, NEW_Y) >= 0.9


@every_way
@pytest.mark.parametrize("width", [1, 3])
def test_company_and_order_do_not_matter_in_any_bit(way, width):
    model = make(beam_width=width, length_penalty=0.6, **way).fit(X, Y)
    rows = [*NEW, ["and"], ["zig"], ["zig", "zag", "zig"] * 4]
    together = model.predict_hypotheses(rows)
    assert model.predict_hypotheses(rows[::-1])[::-1] == together
    assert [model.predict_hypotheses([row])[0] for row in rows] == together


@every_way
def test_the_seed_decides_all(way):
    first, again = (make(**way).fit(X, Y) for _ in range(2))
    assert first.loss_curve_ == again.loss_curve_
    assert first.predict(NEW) == again.predict(NEW) == pickle.loads(pickle.dumps(first)).predict(NEW)


@every_way
def test_a_beam_of_one_is_greedy_and_its_score_the_log_probability(way):
    model = make(dtype="float64", max_epochs=20, **way).fit(X, Y)
    predictor = model._predictor()
    for x, (best,) in zip(NEW[:6], model.predict_hypotheses(NEW[:6]), strict=True):
        given, wanted, _ = predictor.compared([x], [best.tokens])
        pair, ids, _ = predictor.target.data(Part(given.sequences, predictor.target.encode(wanted), None), predictor.source(given.sequences)).batch(
            np.array([0])
        )
        log_p = model.network_(pair).detach().numpy()
        log_p[:, :END] = -np.inf  # neither unknown nor begin is written
        log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
        n = len(ids) if len(best.tokens) < 2 * model._longest else len(ids) - 1  # it has ended
        assert log_p.argmax(1)[:n].tolist() == ids[:n].tolist()
        assert best.score == pytest.approx(log_p[np.arange(n), ids[:n].numpy()].sum(), abs=1e-9)


def test_a_wide_beam_writes_nothing_that_neither_vocabulary_nor_source_has():
    model = make(beam_width=20).fit(X, Y)
    for x, best in zip(NEW, model.predict_hypotheses(NEW), strict=True):
        assert all(set(h.tokens) <= {"and", *x} for h in best)
        assert len({tuple(h.tokens) for h in best}) == len(best)


def test_a_source_of_strangers_and_one_of_none_do_not_warn(learned):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        strange, known = learned.predict([["kim", "pat", "lee"], ["meets", "meets"]])
        model = make(min_frequency=1).fit(X, Y)
        assert set(model.predict([["kim", "pat"]])[0]) <= {"kim", "pat", *model.vocabulary_}
    assert set(strange) <= {"kim", "pat", "lee", "and"}
    assert set(known) <= {"meets", "and"}  # read, and never written in fit, but copied like any other


def test_a_target_that_stands_nowhere_is_unknown_as_ever():
    y = [[b, "and", f"nowhere{k}"] for k, (b, _, _) in enumerate(Y)]
    model = make(max_epochs=10).fit(X, y)
    assert np.isfinite(model.loss_curve_).all()
    assert all(None not in row for row in model.predict(NEW))
    predictor = model._predictor()
    _, wanted, _ = predictor.compared(X, y)
    assert (predictor.target.encode(wanted).values == 0).sum() == 60


def test_strings_are_copied_by_characters():
    texts = ["ab"[k % 2] + chr(0x400 + k) for k in range(80)]
    model = make(max_epochs=40, learning_rate=0.03).fit(texts[:60], [text[::-1] for text in texts[:60]])
    assert set(model.vocabulary_) == set("ab")
    assert model.predict(texts[60:]) == [text[::-1] for text in texts[60:]]


def test_tokens_need_be_no_strings():
    numbers = [[1, k + 100, (k, "x")] for k in range(60)]
    model = make(max_epochs=40, learning_rate=0.03).fit(numbers, [[c] for _, _, c in numbers])
    assert len(model.vocabulary_) == 0
    assert model.predict([[1, 7.5, (None, "y")], [1, None, 0.5]]) == [[(None, "y")], [0.5]]
    assert all(isinstance(row, str) for row in make().fit(numbers, ["ab"] * 60).predict(numbers))


@every_way
def test_attention_weights(way):
    model = make(**way).fit(X, Y)
    for y in (None, NEW_Y):
        for x, told, weights in zip(NEW, model.predict(NEW) if y is None else y, model.attention_weights(NEW, y), strict=True):
            assert weights.shape == (len(told), len(x))
            np.testing.assert_allclose(weights.sum(1), 1, rtol=0, atol=1e-6)


def test_it_is_learned_on_own_outputs_too():
    model = make(teacher_forcing="linear", max_epochs=40, learning_rate=0.03).fit(X, Y)
    assert model.score(NEW, NEW_Y) >= 0.9


def test_passes_with_other_names_each_time():
    model = make(learning_rate=0.03)
    for seed in range(30):
        model.partial_fit(*greetings(60, seed=100 + seed))
    assert model.score(NEW, NEW_Y) >= 0.9


def test_going_on_and_held_out_pairs():
    model = make(warm_start=True, early_stopping=True).fit(X, Y)
    assert len(model.fit(X, Y).validation_scores_) == 6
    assert make(early_stopping=True).fit(X, Y, X_val=NEW, y_val=NEW_Y).validation_scores_[-1] > -10
    with pytest.raises(ValueError, match="copy=True, but the estimator now has copy=False"):
        model.set_params(copy=False).fit(X, Y)


@pytest.mark.parametrize("copy", [False, True])
def test_the_parameter_is_of_the_next_fit(copy):
    model = make(copy=copy).fit(X, Y)
    before = model.predict_hypotheses(NEW)
    assert model.set_params(copy=not copy).predict_hypotheses(NEW) == before
    assert model.fit(X, Y).predict_hypotheses(NEW) == make(copy=not copy).fit(X, Y).predict_hypotheses(NEW)


def test_scikit_learns_tools():
    search = GridSearchCV(make(max_epochs=20, learning_rate=0.05), {"copy": [False, True]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"copy": True}
    assert search.score(NEW, NEW_Y) >= 0.5
    assert clone(make()).get_params()["copy"] is True
    weighted = make().fit(X, Y, np.arange(60.0))
    assert weighted.loss_curve_ != make().fit(X, Y).loss_curve_


def test_a_fit_leaves_what_it_leaves_without(learned):
    """But for the weights of the switch between writing and pointing."""
    without = make(copy=False).fit(X, Y)
    assert set(vars(learned)) == set(vars(without))
    assert (learned.n_features_in_, learned.mean_.shape) == (without.n_features_in_, without.mean_.shape) == (1, (1,))
    assert learned.n_parameters_ == without.n_parameters_ + learned.hidden_size + 1


def test_rows_may_come_one_by_one(learned):
    assert learned.predict(row for row in NEW) == learned.predict(NEW)


def test_bad_settings_and_data_are_refused_and_nothing_changes(learned):
    before = learned.predict(NEW)
    with pytest.raises(ValueError, match=r"copy=True needs attention, .*; got attention=None"):
        make(attention=None).fit(X, Y)
    with pytest.raises(ValueError, match="The 'copy' parameter of Seq2SeqTranslator must be"):
        make(copy="names").fit(X, Y)
    with pytest.raises(NotFittedError):
        make().predict(X)
    with pytest.raises(ValueError, match=r"X\[0\]\[0\] is 'kim', a token that was not seen in fit"):
        make(handle_unknown="error").fit(X, Y).predict([["kim"]])
    for bad, error, message in (
        (Y[:-1], ValueError, "inconsistent numbers"),
        ([1] * 60, TypeError, r"y\[0\] must be"),
        (None, ValueError, "requires y"),
    ):
        with pytest.raises(error, match=message):
            learned.fit(X, bad)
        assert learned.predict(NEW) == before
    with pytest.raises(TypeError, match=r"X_val: X\[0\] must be"):
        make(early_stopping=True).fit(X, Y, X_val=[1], y_val=[["a"]])
    with pytest.raises(ValueError, match="empty"):
        learned.predict([[]])


def test_tokens_beside_the_known_ones_have_ids_of_their_row():
    words = Vocabulary(("a", "b"), 3)
    rows = [("x", "a", "y", "x"), ("y", "b"), ("a",)]
    strangers = words.strangers(rows)
    assert strangers == [("x", "y"), ("y",), ()]
    ids = words.encode(rows, "X", beside=strangers)
    assert [row[:, 0].tolist() for row in ids] == [[5, 3, 6, 5], [5, 4], [3]]
    assert words.decode([5, 3, 6, END, 5], strangers[0]) == ["x", "a", "y"]
    assert words.encode([("z", "y")], "y", beside=[("y",)]).values[:, 0].tolist() == [0, 5]
