"""NVARTransformer: which products there are, and that no step sees another sequence or its future."""

from itertools import product
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skrnn.data import Sequences, as_sequences
from skrnn.datasets import make_lorenz
from skrnn.metrics import valid_time
from skrnn.preprocessing import NVARTransformer

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(n, 2)) for n in (6, 1, 3, 9)]


def by_hand(x, n_delays, stride, degrees, edge):
    """The features of one sequence, as sets of products: those of equal value are one."""
    rows = []
    for k in range(len(x)):
        past = [k - j * stride for j in range(n_delays)]
        linear = np.concatenate([x[max(i, 0)] if i >= 0 or edge == "repeat" else 0 * x[0] for i in past])
        products = {tuple(sorted(places)) for d in degrees for places in product(range(len(linear)), repeat=d)}
        rows.append([1.0, *linear, *(np.prod(linear[list(places)]) for places in sorted(products, key=lambda p: (len(p), p)))])
    return np.array(rows)


@pytest.mark.parametrize("edge", ["repeat", "zero"])
@pytest.mark.parametrize(("n_delays", "stride", "degree"), [(1, 1, 2), (2, 1, 2), (3, 2, 2), (2, 3, 3), (2, 1, (2, 3)), (4, 1, 1)])
def test_features(n_delays, stride, degree, edge):
    nvar = NVARTransformer(n_delays, stride, degree, edge=edge)
    got = nvar.fit_transform(RAGGED)
    degrees = [d for d in np.atleast_1d(degree) if d > 1]
    for x, z in zip(RAGGED, got, strict=True):
        np.testing.assert_allclose(z, by_hand(x, n_delays, stride, degrees, edge), rtol=1e-12)
    assert nvar.n_warmup_ == (n_delays - 1) * stride
    places = 2 * n_delays
    assert len(nvar.monomials_) == 1 + places + sum(comb(places + d - 1, d) for d in degrees)


def test_the_28_features_of_the_paper():
    assert NVARTransformer().fit_transform(np.ones((5, 3))).shape == (5, 28)
    assert NVARTransformer(include_bias=False).fit_transform(np.ones((5, 3))).shape == (5, 27)


@pytest.mark.parametrize("edge", ["repeat", "zero"])
def test_no_step_sees_its_future_or_another_sequence(edge):
    nvar = NVARTransformer(3, 2, edge=edge).fit(RAGGED)
    whole = nvar.transform(RAGGED)
    for x, z in zip(RAGGED, whole, strict=True):
        for n in range(1, len(x) + 1):
            np.testing.assert_array_equal(nvar.transform([x[:n]])[0], z[:n])


def test_the_edge_is_the_warmup_alone():
    x = RNG.normal(size=(20, 2))
    nvar = NVARTransformer(3, 2).fit(x)
    zero = NVARTransformer(3, 2, edge="zero").fit_transform(x)
    np.testing.assert_array_equal(nvar.transform(x)[nvar.n_warmup_ :], zero[nvar.n_warmup_ :])
    np.testing.assert_array_equal(nvar.transform(x[-nvar.n_warmup_ - 1 :])[-1], nvar.transform(x)[-1])


def test_containers():
    X = RNG.normal(size=(3, 5, 2)).astype(np.float32)
    expected = NVARTransformer().fit_transform(X)
    assert expected.shape == (3, 5, 15)
    assert expected.dtype == np.float32
    for same in (list(X), as_sequences(X)):
        got = NVARTransformer().fit_transform(same)
        assert isinstance(got, list if isinstance(same, list) else Sequences)
        np.testing.assert_array_equal(np.stack(list(got)), expected)
    np.testing.assert_array_equal(NVARTransformer().fit(X).transform(X[0]), expected[0])


def test_names_say_what_the_features_are():
    frame = pd.DataFrame(RNG.normal(size=(8, 2)), columns=["u", "v"])
    nvar = NVARTransformer(2, 3, (2, 3)).fit(frame)
    names = nvar.get_feature_names_out()
    assert names[:8].tolist() == ["1", "u", "v", "u[t-3]", "v[t-3]", "u^2", "u v", "u u[t-3]"]
    assert names[-1] == "v[t-3]^3"
    values = nvar.transform(frame)
    last = {"1": 1.0, "u": frame["u"][7], "v": frame["v"][7], "u[t-3]": frame["u"][4], "v[t-3]": frame["v"][4]}
    for name, value in zip(names, values[7], strict=True):
        factors = [(factor.partition("^")[0], int(factor.partition("^")[2] or 1)) for factor in name.split(" ")]
        assert value == pytest.approx(np.prod([last[factor] ** power for factor, power in factors]))
    assert NVARTransformer(1, 1, 1).fit([[1.0], [2.0]]).get_feature_names_out().tolist() == ["1", "x0"]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"n_delays": 0}, "The 'n_delays' parameter of NVARTransformer must be a whole number of at least 1; got 0"),
        ({"stride": 1.5}, "The 'stride' parameter of NVARTransformer must be a whole number of at least 1; got 1.5"),
        ({"degree": (2, 0)}, r"The 'degree' parameter of NVARTransformer must be .*, or a sequence, each a whole number of at least 1; got \(2, 0\)"),
        ({"degree": ()}, "The 'degree' parameter"),
        ({"edge": "drop"}, r"The 'edge' parameter of NVARTransformer must be one of \['repeat', 'zero'\]; got 'drop'"),
    ],
)
def test_errors_say_what_was_expected(settings, match):
    with pytest.raises(ValueError, match=match):
        NVARTransformer(**settings).fit(RAGGED)


def free_run(model, start, n_steps):
    """The forecast that goes on from the last two steps, each predicted one becoming an input; NaN once it has run away."""
    recent, forecast = start, np.full((n_steps, 3), np.nan)
    for k in range(n_steps):
        following = recent[-1] + model.predict(recent)[-1]
        if np.abs(following).max() > 1e3:
            break
        recent = np.vstack([recent[-1], following])
        forecast[k] = following
    return forecast


def lorenz(_, s):
    return [10 * (s[1] - s[0]), s[0] * (28 - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]]


def test_lorenz_as_in_the_paper():
    """400 training steps of 0.025 and 28 features forecast about 5 Lyapunov times; the median of ten series at least 4.

    The integrator is the paper's too, with its errors of 1e-3: with series that are exact so small a penalty gives forecasts that run away.
    """
    times = []
    for seed in range(10):
        (start,) = make_lorenz(1, random_state=seed)
        X = solve_ivp(lorenz, (0, 902 * 0.025), start, t_eval=0.025 * np.arange(902), method="RK23").y.T
        train, rest = X[:402], X[402:]
        nvar, ridge = NVARTransformer().fit(train), Ridge(2.5e-6, fit_intercept=False)
        full = slice(nvar.n_warmup_, -1)  # steps that see as far back as the others, and have a next one
        ridge.fit(nvar.transform(train)[full], np.diff(train, axis=0)[nvar.n_warmup_ :])
        forecast = free_run(make_pipeline(nvar, ridge), train[-2:], 500)
        times.append(valid_time(rest, forecast, dt=0.025, lyapunov_exponent=0.906))
    assert np.median(times) >= 4, times
