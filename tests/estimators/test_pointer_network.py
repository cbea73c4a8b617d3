"""Places in a sequence, in an order that is learned."""

import itertools
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score

from skrnn import PointerNetwork, as_sequences
from skrnn.estimators.face._held_out import Part
from skrnn.frontends import Conv1d, Embedding

RNG = np.random.default_rng(0)
X = [RNG.random((n, 2)) for n in RNG.integers(1, 6, size=60)]
Y = [np.argsort(x[:, 0]).tolist() for x in X]
BACK = [[0, k % len(x), 0] for k, x in enumerate(X)]
WAYS = [
    ({}, Y),
    ({"cell": "lstm", "n_layers": 2, "dropout": 0.3, "beam_width": 3, "n_glimpses": 2}, Y),
    ({"bidirectional": False, "dtype": "float64", "visit_once": False, "beam_width": 2, "n_glimpses": 0}, BACK),
    ({"frontend": Conv1d(5, 3), "standardize": False}, [row[:1] for row in Y]),
]
every_way = pytest.mark.parametrize(("way", "y"), WAYS, ids=[str(way) for way, _ in WAYS])


def make(**settings):
    return PointerNetwork(**{"hidden_size": 8, "max_epochs": 3, "learning_rate": 0.02, "random_state": 0} | settings)


@every_way
def test_company_and_order_do_not_matter(way, y):
    model = make(**way).fit(X, y)
    together = model.predict_hypotheses(X)
    for rows in ([5], [17, 3], list(range(59, -1, -1))):
        for i, best in zip(rows, model.predict_hypotheses([X[i] for i in rows]), strict=True):
            assert [h.tokens for h in best] == [h.tokens for h in together[i]]
            assert [h.score for h in best] == pytest.approx([h.score for h in together[i]], abs=1e-5)


@pytest.mark.parametrize("width", [1, 3])
def test_much_longer_company_changes_no_bit(width):
    company = [RNG.random((n, 1)) for n in (1, 2, 3, 40, 5, 2, 9, 1, 17)]
    model = make(beam_width=width, hidden_size=4, max_epochs=1).fit(company, [np.argsort(x[:, 0]).tolist() for x in company])
    assert model.predict_hypotheses(company) == [model.predict_hypotheses([x])[0] for x in company]


@every_way
def test_copies_say_the_same(way, y):
    first = make(**way).fit(X, y)
    again = clone(first).fit(as_sequences(X), y)
    assert first.loss_curve_ == again.loss_curve_
    assert first.predict(X) == again.predict(X) == pickle.loads(pickle.dumps(first)).predict(X)


@every_way
def test_places_are_steps_that_are_there(way, y):
    model = make(max_epochs=1, **{k: v for k, v in way.items() if k != "max_epochs"}).fit(X, y)
    for x, best in zip(X, model.predict_hypotheses(X), strict=True):
        for h in best:
            assert set(h.tokens) <= set(range(len(x)))
            assert not way.get("visit_once", True) or len(set(h.tokens)) == len(h.tokens)


@pytest.mark.parametrize("once", [True, False])
def test_a_beam_of_everything_finds_all_answers_and_their_probabilities(once):
    """Those without a repetition are a distribution; with repetitions what is as long as allowed is cut off."""
    small = [x for x in X if len(x) == 3][:3]
    model = make(dtype="float64", visit_once=once, beam_width=1000).fit(small, [[0], [1], []])
    for best in model.predict_hypotheses(small):
        assert sum(np.exp(h.score) for h in best) == pytest.approx(1, abs=1e-9)
        answers = {tuple(h.tokens) for h in best}
        assert len(answers) == len(best)
        if once:
            assert answers == {p for n in range(4) for p in itertools.permutations(range(3), n)}


@pytest.mark.parametrize("n_glimpses", [0, 1, 2])
def test_the_loss_is_that_of_the_hypotheses(n_glimpses):
    """With a teacher all steps run at once, without one after the other: the same probabilities."""
    small = [x for x in X if len(x) == 3][:4]
    y = [[2, 0, 1], [1], [], [0, 2]]
    model = make(dtype="float64", beam_width=1000, batch_size=None, optimizer="sgd", learning_rate=1e-12, max_epochs=1, n_glimpses=n_glimpses)
    model.fit(small, y)
    scores = [{tuple(h.tokens): h.score for h in best}[tuple(row)] for best, row in zip(model.predict_hypotheses(small), y, strict=True)]
    assert model.loss_curve_[0] == pytest.approx(-np.sum(scores) / sum(len(row) + 1 for row in y), abs=1e-9)


def test_sorting_is_learnt():
    rng = np.random.default_rng(1)
    numbers = [rng.random((n, 1)) for n in rng.integers(2, 4, size=400)]
    order = [np.argsort(x[:, 0]).tolist() for x in numbers]
    model = PointerNetwork(hidden_size=16, max_epochs=20, random_state=0).fit(numbers[:350], order[:350])
    assert model.score(numbers[350:], order[350:]) > 0.8
    assert all(sorted(row) == list(range(len(x))) for x, row in zip(numbers, model.predict(numbers), strict=True))


@pytest.mark.parametrize("n_glimpses", [0, 2])
def test_gradients_are_those_of_finite_differences(n_glimpses):
    model = make(dtype="float64", hidden_size=3, max_epochs=1, n_glimpses=n_glimpses).fit(X, Y)
    predictor = model._predictor()
    given, wanted, _ = predictor.compared(X[:4], Y[:4])
    data = predictor.target.data(Part(given.sequences, predictor.target.encode(wanted), None), predictor.source(given.sequences))
    pair, target, _ = data.batch(np.arange(4))
    objective, network = predictor.target.objective, model.network_
    objective.mean(network(pair), target, None).backward()
    for weight in network.parameters():
        flat, gradient = weight.data.view(-1), weight.grad.view(-1)
        for k in (0, len(flat) - 1):
            moved = []
            for step in (1e-6, -1e-6):
                flat[k] += step
                with torch.no_grad():
                    moved.append(objective.mean(network(pair), target, None).item())
                flat[k] -= step
            assert gradient[k].item() == pytest.approx((moved[0] - moved[1]) / 2e-6, abs=1e-6)


def test_another_number_of_glimpses_is_another_network():
    model = make(max_epochs=1, warm_start=True).fit(X, Y)
    assert len(model.network_.glimpses) == 1
    assert len(clone(model).set_params(n_glimpses=0).fit(X, Y).network_.glimpses) == 0
    with pytest.raises(ValueError, match="n_glimpses"):
        model.set_params(n_glimpses=2).fit(X, Y)


def test_scikit_learns_tools_weights_and_going_on():
    search = GridSearchCV(make(max_epochs=1), {"beam_width": [1, 2], "cell": ["gru", "elman"]}, cv=2).fit(X, Y)
    assert 0 <= search.best_score_ <= 1
    assert len(cross_val_score(make(max_epochs=1), X, Y, cv=3)) == 3
    assert {type(row) for row in cross_val_predict(make(max_epochs=1), X, Y, cv=2)} == {list}
    assert make().partial_fit(X, Y).partial_fit(X, Y).n_iter_ == 2
    stopped = make(early_stopping=True, max_epochs=4).fit(X, Y)
    assert len(stopped.validation_scores_) == stopped.n_iter_
    weight = np.arange(60.0)
    exact = [a == b for a, b in zip(stopped.predict(X), Y, strict=True)]
    assert stopped.score(X, Y, weight) == pytest.approx(np.average(exact, weights=weight))
    words = [list("abca"[: 1 + k % 4]) for k in range(30)]
    assert len(make(frontend=Embedding(3), max_epochs=1).fit(words, [[0]] * 30).predict(words)) == 30


@pytest.mark.parametrize(
    ("y", "settings", "error", "match"),
    [
        ([[9]] * 60, {}, ValueError, r"y\[0\]\[0\] must be the place of a step of X\[0\], a whole number from 0 to \d; got 9"),
        ([[-1]] * 60, {}, ValueError, "got -1"),
        ([[0.0]] * 60, {}, ValueError, "got 0.0"),
        ([[True]] * 60, {}, ValueError, "got True"),
        ([[0, 0]] * 60, {}, ValueError, r"y\[0\] has a step twice, \[0, 0\]; use visit_once=False"),
        (Y[:-1], {}, ValueError, "inconsistent numbers of samples"),
        (np.zeros(60, int), {}, TypeError, r"y\[0\] must be a list"),
        (None, {}, ValueError, "requires y"),
        (Y, {"frontend": Conv1d(4, stride=2)}, ValueError, "need a frontend that keeps them"),
        (Y, {"rule": "truncated_bptt"}, ValueError, "'rule' parameter"),
        (Y, {"visit_once": 3}, ValueError, "'visit_once' parameter"),
        (Y, {"n_glimpses": -1}, ValueError, "'n_glimpses' parameter"),
    ],
)
def test_bad_input_is_named(y, settings, error, match):
    with pytest.raises(error, match=match):
        make(**settings).fit(X, y)


def test_nothing_to_point_at_is_an_answer():
    assert make(max_epochs=20).fit(X, [[]] * 60).predict(X) == [[]] * 60
    with pytest.raises(ValueError, match="NaN"):
        make().fit([x * np.nan for x in X], Y)


def test_answers_grow_with_those_that_training_goes_on_with():
    model = make(visit_once=False, frontend=None).partial_fit(X, [[0]] * 60)
    for _ in range(30):
        model.partial_fit(X, [[0] * 4] * 60)
    assert model.predict(X[:3]) == [[0] * 4] * 3
