"""Penalties as a parameter of estimators."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skrnn import estimators
from skrnn.cells import GRU, LSTM, Leaky, MinGRU, Zoneout
from skrnn.engine import TruncatedBPTT
from skrnn.training import ActivationPenalty, Pascanu, TemporalActivationPenalty, WeightNoise
from tests.estimators.samples import CLASSES, EQUAL, RAGGED, Hook

KNOWN = {name: getattr(estimators, name)().get_params() for name in CLASSES}
OTHERS = {  # who writes knows noise alone; others have other targets
    "teacher_forcing",
    "visit_once",
    "bptt_steps",
    "reverse_target",
    "horizon",
    "include_current",
    "per_node",
    "n_levels",
    "n_hops",
}
NAMES = [name for name, known in KNOWN.items() if "penalties" in known and not OTHERS & set(known)]
EVERY = [ActivationPenalty(1.0), TemporalActivationPenalty(1.0), TemporalActivationPenalty(1.0, of="norm"), Pascanu(1.0), WeightNoise(0.05)]
every_estimator = pytest.mark.parametrize("name", NAMES)
every_penalty = pytest.mark.parametrize("penalty", EVERY, ids=repr)


def make(name, **settings):
    given = {"hidden_size": 8, "max_epochs": 3, "learning_rate": 0.02, "random_state": 0} | settings
    return getattr(estimators, name)(**{key: value for key, value in given.items() if key in KNOWN[name]})


def target(name, X):
    """Running sums of the first channel, or their sign; the last of them where a sequence has one target, or something is said."""
    sums = [np.cumsum(x[:, 0]) for x in X]
    if name == "SequenceTranscriber":
        return ["u" if s[-1] > 0 else "d" for s in sums]
    if name in ("RNNTagger", "RNNClassifier", "NeuralTuringMachine"):
        sums = [np.where(s > 0, "up", "down") for s in sums]
    return sums if name in ("RNNTagger", "RNNSequenceRegressor", "NeuralTuringMachine") else np.array([s[-1] for s in sums])


def fit(name, X=RAGGED, **settings):
    return make(name, **settings).fit(X, target(name, X))


def weights(estimator):
    return [weight.detach().numpy() for weight in estimator.network_.parameters()]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


@every_estimator
@every_penalty
def test_a_penalty_changes_the_weights_and_the_seed_decides_all(name, penalty):
    first, again, without = (fit(name, penalties=given) for given in (penalty, clone(penalty), None))
    assert same(first, again)
    assert not same(first, without)
    assert all(np.isfinite(weight).all() for weight in weights(first))


HIGH, ONE_WAY = {"n_layers": 2, "bidirectional": True, "dropout": 0.2}, {"bidirectional": False}


@every_estimator
@pytest.mark.parametrize(
    ("X", "cell", "stack"),
    [(RAGGED, "lstm", HIGH), (EQUAL, Leaky(GRU(), 0.5), HIGH), (RAGGED, Zoneout(LSTM()), ONE_WAY)],
    ids=["lstm", "leaky", "zoneout"],
)
def test_all_of_them_go_with_every_cell_and_stack(name, X, cell, stack):
    model = fit(name, X, cell=cell, penalties=EVERY, **stack)
    assert np.isfinite(model.loss_curve_).all()
    ask = model.predict if hasattr(model, "predict") else model.transform
    for one, again in zip(ask(X), ask(X), strict=True):
        np.testing.assert_array_equal(one, again)


@every_estimator
def test_strength_zero_is_no_penalty_to_the_bit(name):
    nothing = [ActivationPenalty(0), TemporalActivationPenalty(0), Pascanu(0), WeightNoise(0)]
    plain = fit(name)
    for penalties in (nothing, (), []):
        assert same(fit(name, penalties=penalties), plain)


@every_penalty
def test_the_loss_curve_and_the_scores_are_without_penalty(penalty):
    """In the first epoch of one batch all weights are those that were drawn."""
    y = target("RNNRegressor", RAGGED)
    with_it, plain = (make("RNNRegressor", batch_size=None, penalties=given).fit(RAGGED, y, X_val=RAGGED, y_val=y) for given in (penalty, None))
    assert with_it.loss_curve_[0] == plain.loss_curve_[0]  # the head starts at zero: the recurrence and its noise do not reach the outputs yet
    squares = (with_it.predict(RAGGED) - y) ** 2 / with_it.target_scale_[0] ** 2
    assert max(with_it.validation_scores_) == pytest.approx(-squares.mean(), rel=1e-5)


def test_a_search_goes_over_the_strength():
    y = target("RNNClassifier", RAGGED)
    search = GridSearchCV(make("RNNClassifier", penalties=ActivationPenalty()), {"penalties__alpha": [0, 50]}, cv=2).fit(RAGGED, y)
    assert search.best_estimator_.penalties.alpha == search.best_params_["penalties__alpha"]
    chosen = [Pascanu(), (ActivationPenalty(2.0), WeightNoise()), None]
    search = GridSearchCV(make("RNNClassifier"), {"penalties": chosen}, cv=2).fit(RAGGED, y)
    assert repr(search.best_estimator_.penalties) == repr(search.best_params_["penalties"])


@every_penalty
def test_penalties_are_parameters(penalty):
    model = make("RNNClassifier", penalties=penalty)
    for copied in (clone(model), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert copied.penalties is not penalty
        assert repr(copied.penalties) == repr(penalty)
        assert copied.penalties.get_params() == penalty.get_params()
    several = clone(make("RNNClassifier", penalties=(penalty, penalty))).penalties
    assert [p.get_params() for p in several] == 2 * [penalty.get_params()]
    assert several[0] is not penalty
    assert repr(type(penalty)()) == f"{type(penalty).__name__}()"


def test_what_was_fitted_with_penalties_pickles():
    model = fit("RNNClassifier", penalties=EVERY)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(RAGGED), model.predict_proba(RAGGED))


def test_a_fit_leaves_the_penalty_as_it_was():
    penalty = Pascanu(1.0)
    before = dict(vars(penalty))
    fit("RNNClassifier", penalties=penalty)
    assert vars(penalty) == before


@pytest.mark.parametrize("rule", ["bptt", "truncated_bptt", TruncatedBPTT(3), "rtrl", "snap1"], ids=repr)
def test_rules_go_with_penalties_of_outputs_and_noise(rule):
    penalties = [ActivationPenalty(), TemporalActivationPenalty(), WeightNoise()]
    model = fit("RNNSequenceRegressor", rule=rule, penalties=penalties, max_epochs=1, cell="elman")
    assert np.isfinite(model.loss_curve_).all()


def test_learning_online_goes_with_penalties_of_outputs_and_noise():
    model = make("RNNSequenceRegressor", penalties=[TemporalActivationPenalty(), WeightNoise()])
    y = np.array(target("RNNSequenceRegressor", EQUAL))
    for piece in (slice(0, 3), slice(3, 6)):
        model.partial_fit(EQUAL[:, piece], y[:, piece], continue_stream=True)
    assert model.n_iter_ == 2


def refused(model, X, y, match, **given):
    """An error, after which the estimator is what it was."""
    before = dict(vars(model))
    with pytest.raises(ValueError, match=match):
        (model.partial_fit if given else model.fit)(X, y, **given)
    assert vars(model) == before


def test_what_makes_no_sense_is_refused_by_name():
    y = target("RNNSequenceRegressor", RAGGED)
    guessing = make("RNNSequenceRegressor", rule="guessing", batch_size=None, penalties=ActivationPenalty())
    refused(guessing, RAGGED, y, r"ActivationPenalty needs a rule that follows the gradient, such as 'bptt' or 'rtrl'; got Guessing\(")
    rtrl = make("RNNSequenceRegressor", rule="rtrl", penalties=Pascanu())
    refused(rtrl, RAGGED, y, r"Pascanu needs rule='bptt', whose gradient reaches every step on every path; got RTRL\(order=None\)")
    online = make("RNNSequenceRegressor", penalties=Pascanu())
    refused(online, EQUAL, target("RNNSequenceRegressor", EQUAL), r"leave it out .* \(continue_stream=True\)", continue_stream=True)
    refused(make("RNNSequenceRegressor", cell=MinGRU(), penalties=Pascanu()), RAGGED, y, r"Pascanu has nothing to change in MinGRU\(\)")
    refused(make("RNNSequenceRegressor", penalties=["noise"]), RAGGED, y, "The 'penalties' parameter must be None, a penalty of .*got \\['noise'\\]")
    refused(make("RNNSequenceRegressor", penalties="noise"), RAGGED, y, "The 'penalties' parameter of RNNSequenceRegressor must be")
    refused(make("RNNSequenceRegressor", penalties=Pascanu(-1)), RAGGED, y, "The 'alpha' parameter of Pascanu must be a number of at least 0; got -1")


@every_penalty
def test_an_interrupted_fit_keeps_clean_weights(penalty):
    """The weights after the first epoch, which was the best so far: those of a fit of the same schedule that a callback ends there."""
    y = target("RNNRegressor", RAGGED)
    settings = {"penalties": penalty, "schedule": "constant", "X_val": RAGGED, "y_val": y}
    held_out = {key: settings.pop(key) for key in ("X_val", "y_val")}

    def interrupt(estimator):
        if estimator.n_iter_ == 2:
            raise KeyboardInterrupt

    ended, interrupted = (make("RNNRegressor", **settings) for _ in range(2))
    ended.set_callbacks(Hook(lambda estimator: estimator.n_iter_ == 2)).fit(RAGGED, y, **held_out)
    with pytest.warns(UserWarning, match="interrupted by user after 2 epochs"):
        interrupted.set_callbacks(Hook(interrupt)).fit(RAGGED, y, **held_out)
    assert same(ended, interrupted)
