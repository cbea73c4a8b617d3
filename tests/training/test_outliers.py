"""Outliers in the inputs while training."""

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

from skrnn import RNNSequenceRegressor, Seq2SeqTranslator
from skrnn.engine import Rule
from skrnn.networks import Pair
from skrnn.training import AdditiveOutliers

RNG = np.random.default_rng(0)


class Looks(Rule):
    """Keeps the batch that it is given."""

    def gradient(self, network, packed, loss, stream=None):
        self.seen = packed
        return torch.zeros(())


class Draws:
    generator = torch.Generator().manual_seed(0)


def spoilt(data, **settings):
    rule = Looks()
    AdditiveOutliers(**settings).around(rule).gradient(Draws(), PackedSequence(data, torch.full((len(data),), 1)), None)
    return rule.seen.data


@pytest.mark.parametrize(("rate", "size"), [(0.1, 2.0), (0.5, 1.0), (1.0, 3.0)])
def test_so_many_values_are_off_by_so_much(rate, size):
    data = torch.zeros(20_000, 2)
    outliers = spoilt(data, rate=rate, size=size)
    assert (data == 0).all()
    assert float((outliers != 0).double().mean()) == pytest.approx(rate, rel=0.05)
    assert float(outliers[outliers != 0].std()) == pytest.approx(size, rel=0.05)


def test_only_the_named_columns():
    assert [bool(column.any()) for column in spoilt(torch.zeros(500, 3), columns=[0, 2]).T] == [True, False, True]


def test_tokens_are_not_spoilt():
    translator = Seq2SeqTranslator(max_epochs=1, penalties=AdditiveOutliers())
    with pytest.raises(ValueError, match=r"Seq2Seq knows no penalties but WeightNoise; got AdditiveOutliers\(\)"):
        translator.fit(["ab", "ba"], ["a", "b"])


@pytest.mark.parametrize("settings", [{"rate": 0.0}, {"size": 0.0}])
def test_none(settings):
    rule = Looks()
    assert AdditiveOutliers(**settings).around(rule) is rule


def test_a_network_that_has_seen_outliers_follows_them_less():
    X = np.sin(0.3 * np.arange(600))[:, None] + 0.02 * RNG.normal(size=(600, 1))
    pieces = X.reshape(20, 30, 1)
    changed = X[:300].copy()
    changed[200] += 2

    def led_astray(penalties):
        model = RNNSequenceRegressor(hidden_size=16, max_epochs=60, penalties=penalties, random_state=0).fit(pieces[:, :-1], pieces[:, 1:, 0])
        return np.abs(model.predict(changed) - model.predict(X[:300]))[200]

    assert led_astray(AdditiveOutliers(0.1)) < led_astray(None)


def test_of_an_encoder_and_a_decoder_the_source_has_them():
    packed = PackedSequence(torch.zeros(50, 2), torch.full((50,), 1))
    pair, rule = Pair(packed, packed, torch.zeros(1, 2)), Looks()
    AdditiveOutliers().around(rule).gradient(Draws(), pair, None)
    assert rule.seen.source.data.any()
    assert not rule.seen.steps.data.any()


@pytest.mark.parametrize("settings", [{"rate": 1.5}, {"rate": "often"}, {"size": -1.0}])
def test_bad_settings(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        RNNSequenceRegressor(max_epochs=1, penalties=AdditiveOutliers(**settings)).fit(RNG.normal(size=(5, 4, 1)), RNG.normal(size=(5, 4)))
