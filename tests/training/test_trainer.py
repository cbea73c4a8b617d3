import re
from itertools import pairwise

import numpy as np
import pytest
import torch

from skrnn.data import as_sequences
from skrnn.engine import BPTT, RTRL, Runnable, TruncatedBPTT
from skrnn.training import (
    OPTIMIZERS,
    ActivationPenalty,
    Batches,
    Data,
    DivergenceError,
    DivergenceWarning,
    InterruptedWarning,
    Pascanu,
    SquaredError,
    TemporalActivationPenalty,
    Trainer,
)
from skrnn.training._schedules import over_time
from tests.cell_settings import random

N, RATE = 60, 0.1
X = random(N) - random(N).mean()


class Line(Runnable):
    """y = w x + b over sequences of one step, from the best constant; NaN in the training passes ``bad``."""

    def __init__(self, bad=()):
        super().__init__()
        self.w, self.b = (torch.nn.Parameter(torch.zeros(1, dtype=torch.float64)) for _ in range(2))
        self.bad, self.seen = bad, []

    def forward(self, packed, detach_every=None, grad_path="full"):
        failing = self.training and len(self.seen) in self.bad
        if self.training:
            self.seen.append(self.w.item())
        return packed.data * self.w + self.b + (torch.nan if failing else 0.0)


class Recorder(OPTIMIZERS["sgd"]):
    """Writes down learning rates and gradients."""

    def __init__(self, network):
        super().__init__(network.parameters())
        self.rates, self.gradients = [], []

    def step(self, learning_rate, weight_decay=0.0):
        self.rates.append(learning_rate)
        self.gradients.append(torch.cat([p.grad for p in self.parameters]))
        super().step(learning_rate, weight_decay)


def line_data(slope=2.0, rows=slice(None), weight=None):
    x = X[rows]
    sequences = as_sequences(x.numpy()[:, None, None])
    batches = Batches(sequences, np.zeros(1), np.ones(1), torch.float64, torch.device("cpu"))
    return Data(batches, slope * x[:, None], weight)


def trainer(**settings):
    given = {"optimizer": "adam", "learning_rate": RATE, "schedule": "constant", "max_epochs": 8, "batch_size": None}
    return Trainer(SquaredError(), **({"rule": BPTT()} | given | settings))


def run(network, *, slope=2.0, held_out=None, on_epoch=lambda history: False, optimizer=None, seed=0, **settings):
    generator = torch.Generator().manual_seed(seed)
    return trainer(**settings).run(network, line_data(slope), generator, held_out=held_out, on_epoch=on_epoch, optimizer=optimizer)


# -- a run that goes well ------------------------------------------------------------------------------------------------------------------------


def test_training_finds_the_line_and_leaves_a_module_ready_to_predict():
    network = Line()
    history = run(network, learning_rate=0.3, max_epochs=100, batch_size=16, schedule="cosine")
    assert network.w.item() == pytest.approx(2, abs=1e-3)
    assert len(history.losses) == 100
    assert history.losses[-1] < 1e-5 < history.losses[0]
    assert not network.training
    assert all(p.grad is None for p in network.parameters())


def test_the_loss_of_an_epoch_has_the_precision_of_the_network():
    history = run(Line(), max_epochs=1)
    assert history.losses == pytest.approx([float((2 * X).square().mean())], rel=1e-14)


def test_a_run_follows_from_the_generator():
    first, again, other = (Line() for _ in range(3))
    for network, seed in ((first, 0), (again, 0), (other, 1)):
        run(network, seed=seed, batch_size=7)
    assert torch.equal(first.w, again.w)
    assert not torch.equal(first.w, other.w)


def test_a_callback_sees_every_epoch_and_may_stop():
    lengths = []
    history = run(Line(), on_epoch=lambda history: lengths.append(len(history.losses)) or len(lengths) == 3)
    assert lengths == [1, 2, 3]
    assert len(history.losses) == 3


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
def test_the_learning_rate_follows_the_schedule_batch_by_batch(schedule):
    network = Line()
    recorder = Recorder(network)
    run(network, schedule=schedule, batch_size=20, max_epochs=4, optimizer=recorder)
    np.testing.assert_allclose(recorder.rates, [RATE * over_time(schedule)(k / 12) for k in range(12)], rtol=1e-12)


def test_plateau_halves_the_learning_rate_while_the_held_out_loss_does_not_fall():
    network = Line()
    recorder = Recorder(network)
    run(network, schedule="plateau", max_epochs=12, optimizer=recorder, held_out=line_data(-2.0))
    assert recorder.rates == [RATE] * 6 + [RATE / 2] * 5 + [RATE / 4]


@pytest.mark.parametrize(("clip", "measure"), [("clip_norm", torch.linalg.vector_norm), ("clip_value", lambda g: g.abs().max())])
def test_gradients_are_clipped(clip, measure):
    free, clipped = Line(), Line()
    free_recorder, recorder = Recorder(free), Recorder(clipped)
    run(free, slope=100.0, max_epochs=1, optimizer=free_recorder)
    run(clipped, slope=100.0, max_epochs=1, optimizer=recorder, **{clip: 0.01})
    assert float(measure(free_recorder.gradients[0])) > 1
    assert float(measure(recorder.gradients[0])) == pytest.approx(0.01, rel=1e-6)


def test_a_weight_of_zero_leaves_a_sequence_out():
    weighted, part = Line(), Line()
    generator = torch.Generator().manual_seed(0)
    weight = torch.tensor([2.0, 0.0], dtype=torch.float64).repeat(N // 2)
    trainer().run(weighted, line_data(weight=weight), generator)
    trainer().run(part, line_data(rows=slice(None, None, 2)), generator)
    assert abs(weighted.w.item() - part.w.item()) < 1e-12


def test_the_score_is_the_negative_weighted_mean_loss():
    weight = random(N, seed=4).abs()
    losses = (2 * X).square()
    assert trainer().score(Line(), line_data()) == pytest.approx(-float(losses.mean()), rel=1e-14)
    assert trainer().score(Line(), line_data(weight=weight)) == pytest.approx(-float(losses @ weight / weight.sum()), rel=1e-14)


# -- early stopping ------------------------------------------------------------------------------------------------------------------------------


def test_early_stopping_restores_the_weights_with_the_best_score():
    network, held_out = Line(), line_data(slope=0.42)
    history = run(network, held_out=held_out, patience=3, max_epochs=50)
    best = int(np.argmax(history.scores))
    assert len(history.scores) == best + 1 + 3 == len(history.losses)
    assert trainer().score(network, held_out) == history.scores[best]
    assert 0 < best < 10


def test_weights_that_never_beat_the_start_are_given_up():
    network = Line()
    history = run(network, held_out=line_data(-2.0), patience=4, max_epochs=50)
    assert len(history.losses) == 4
    assert network.w.item() == 0


def test_an_improvement_within_tol_does_not_count():
    history = run(Line(), held_out=line_data(), patience=2, tol=1e9, max_epochs=50)
    assert len(history.losses) == 2


# -- a run that goes wrong -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, 3])
def test_divergence_goes_back_to_the_best_weights_at_half_the_rate(bad):
    network = Line(bad={bad})
    with pytest.warns(DivergenceWarning, match=rf"epoch {bad + 1}: restored the best weights so far, learning_rate 0.1 -> 0.05"):
        history = run(network)
    assert len(history.losses) == 8
    assert np.isfinite(history.losses).all()
    assert network.seen[bad + 1] == network.seen[bad]
    steps = [b - a for a, b in pairwise(network.seen)]
    assert steps[bad + 1] == pytest.approx(RATE / 2, rel=1e-6)  # the first step of a fresh Adam is the learning rate


def test_divergence_restores_the_best_weights_not_the_last():
    network = Line(bad={4})

    def spoil(history):
        if len(history.losses) == 3:
            network.w.data.fill_(-50.0)

    with pytest.warns(DivergenceWarning, match="epoch 5"):
        run(network, on_epoch=spoil)
    assert network.seen[3] == -50
    assert network.seen[5] == pytest.approx(3 * RATE, rel=0.01)


def test_the_fourth_divergence_is_an_error_and_leaves_the_best_weights():
    network = Line(bad=range(3, 100))
    message = r"epoch 4, 4 times, down to learning_rate=0.0125. Use a smaller learning_rate, keep standardize=True, or set clip_norm=1.0"
    with pytest.warns(DivergenceWarning) as warned, pytest.raises(DivergenceError, match=message):
        run(network)
    assert len(warned) == 3
    assert network.w.item() == network.seen[3]
    assert not network.training


def test_an_interruption_keeps_the_best_weights():
    network = Line()

    def interrupt(history):
        if len(history.losses) == 3:
            network.w.data.fill_(torch.nan)
            raise KeyboardInterrupt

    with pytest.warns(InterruptedWarning, match="interrupted by user after 3 epochs; the best weights so far are kept"):
        history = run(network, on_epoch=interrupt)
    assert history.interrupted
    assert network.w.item() == pytest.approx(3 * RATE, rel=0.01)
    assert not network.training


def test_another_error_passes_through():
    network = Line()
    with pytest.raises(ZeroDivisionError):
        run(network, on_epoch=lambda history: 1 / 0)
    assert not network.training


@pytest.mark.parametrize("rule", [TruncatedBPTT(3), RTRL()], ids=repr)
def test_a_rule_that_cannot_train_a_network_is_refused_before_the_first_step(rule):
    network = Line()
    message = re.escape(f"Line learns by rule='bptt' or 'guessing'; got {rule!r}, which needs a skrnn.engine.PiecewiseRunnable")
    with pytest.raises(ValueError, match=message):
        trainer(rule=rule).run(network, line_data(), torch.Generator())
    assert network.seen == []


@pytest.mark.parametrize("penalty", [ActivationPenalty(), TemporalActivationPenalty(), Pascanu()], ids=repr)
def test_a_penalty_that_does_not_fit_a_network_is_refused_before_the_first_step(penalty):
    network = Line()
    with pytest.raises(ValueError, match=re.escape(f"Line knows no penalties but WeightNoise or AdditiveOutliers; got {penalty!r}")):
        trainer(penalties=(penalty,)).run(network, line_data(), torch.Generator())
    assert network.seen == []
