"""Small forecasters, for tests of what all of them have in common: a module asks for :func:`each_kind`, and makes them by :func:`small`."""

import pytest

from skrnn import EchoStateForecaster, RNNForecaster

FORECASTERS = [RNNForecaster, EchoStateForecaster]
SMALL = {"hidden_size": 4, "max_epochs": 2, "horizon": 3, "n_lags": 4, "season": None, "random_state": 0}
OF_NETWORKS = {"max_epochs", "objective", "bidirectional"}  # settings of those that are trained
SCALES = {"spectral_radius": 0.9, "leak_rate": 1.0, "input_scaling": 0.5}  # which "recursive" would choose
_now = {"kind": RNNForecaster}


@pytest.fixture(params=FORECASTERS, ids=lambda kind: kind.__name__)
def each_kind(request, monkeypatch):
    """Lets ``small`` make forecasters of each kind, one after the other."""
    monkeypatch.setitem(_now, "kind", request.param)
    return request.param


def small(**settings):
    """A forecaster that learns in no time; a test of a strategy that its kind has not is skipped."""
    kind = _now["kind"]
    known = kind().get_params()
    if settings.get("strategy", "direct") == "seq2seq" and kind is not RNNForecaster:
        pytest.skip("a strategy of networks that are trained")
    given = SMALL | (SCALES if kind is EchoStateForecaster else {}) | settings
    return kind(**{name: value for name, value in given.items() if name in known or name not in OF_NETWORKS})
