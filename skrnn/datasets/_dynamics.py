"""Series of chaotic systems: a delayed one, flows, a map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from sklearn.utils import check_random_state

from ._recall import _at_least


def make_mackey_glass(
    n_steps: int = 5000,
    tau: float = 17.0,
    *,
    beta: float = 0.2,
    gamma: float = 0.1,
    exponent: float = 10.0,
    dt: float = 1.0,
    method: str = "rk4",
    step_size: float = 0.1,
    washout: int = 1000,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Mackey–Glass: a chaotic series of one variable that feeds itself after a delay (Mackey & Glass, 1977).

    The standard series of forecasting with reservoirs. Choose ``method="euler"`` to compare with results that follow Jaeger (2001), who takes
    every tenth of Euler's steps of 0.1; the attractor is slightly another one.

    Parameters
    ----------
    n_steps : int, default=5000
        Length of the series.
    tau : float, default=17.0
        Delay, in units of time. 17 is mildly chaotic, 30 clearly so; below about 16.8 the series is periodic.
    beta, gamma, exponent : float, default=0.2, 0.1, 10.0
        Strength of the feedback, rate of decay, and the power in the feedback.
    dt : float, default=1.0
        Time between two values of the series.
    method : {"rk4", "euler"}, default="rk4"
        Runge–Kutta of fourth order, with the delayed values between steps from cubic Hermite interpolation; or Euler's steps.
    step_size : float, default=0.1
        Time step of the integration, of which ``tau`` and ``dt`` are multiples; growing it costs precision.
    washout : int, default=1000
        Values dropped at the beginning.
    random_state : int, RandomState instance or None, default=None
        Source of the start: a constant past, uniform in [0.8, 1.4).

    Returns
    -------
    ndarray of shape (n_steps, 1)
        The series, as one sequence whose rows are time steps.

    Notes
    -----
    ::

        dx/dt = beta x(t − tau) / (1 + x(t − tau)^exponent) − gamma x(t)

    Within a delay the feedback is known beforehand, so that what is left is a linear filter of it: both methods run in blocks of ``tau``.

    References
    ----------
    M. C. Mackey, L. Glass, "Oscillation and chaos in physiological control systems", Science 197, 1977.
    H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural networks", GMD report 148, 2001.

    Examples
    --------
    >>> from skrnn.datasets import make_mackey_glass
    >>> x = make_mackey_glass(500, random_state=0)
    >>> x.shape, 0.2 < float(x.min()) < float(x.max()) < 1.4
    ((500, 1), True)
    """
    _at_least("n_steps", n_steps, 1)
    _at_least("washout", washout, 0)
    for name, value in {"gamma": gamma, "beta": beta, "exponent": exponent, "dt": dt, "step_size": step_size, "tau": tau}.items():
        _above_zero(name, value)
    if method not in ("rk4", "euler"):
        raise ValueError(f"method must be 'rk4' or 'euler'; got {method!r}")
    delay, every = _multiple("tau", tau, step_size), _multiple("dt", dt, step_size)
    start = check_random_state(random_state).uniform(0.8, 1.4)

    def feedback(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return beta * x / (1 + x**exponent)

    z, rk4 = -gamma * step_size, method == "rk4"
    weights = np.array([1 + z + z**2 / 2 + z**3 / 4, 4 + 2 * z + z**2 / 2, 1]) * step_size / 6  # of the feedback at both ends and between
    decay = sum(z**k / math.factorial(k) for k in range(5 if rk4 else 2))
    past, slope, blocks = np.full(delay + 1, start), np.zeros(delay + 1), []
    for _ in range(-(-(n_steps + washout) * every // delay)):
        force = feedback(past)
        between = feedback((past[:-1] + past[1:]) / 2 + (slope[:-1] - slope[1:]) * step_size / 8)
        drive = weights @ [force[:-1], between, force[1:]] if rk4 else step_size * force[:-1]
        present, _ = lfilter([1.0], [1.0, -decay], drive, zi=[decay * past[-1]])
        blocks.append(present)
        past = np.append(past[-1], present)
        slope = force - gamma * past
    return _finite(np.concatenate(blocks)[every - 1 :: every][washout : washout + n_steps, None])


def make_lorenz(
    n_steps: int = 5000,
    dt: float = 0.02,
    *,
    sigma: float = 10.0,
    rho: float = 28.0,
    beta: float = 8 / 3,
    step_size: float = 0.01,
    washout: int = 1000,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Lorenz system: the chaotic butterfly in three dimensions (Lorenz, 1963).

    Its largest Lyapunov exponent is about 0.906: small errors grow e-fold in 1.1 units of time, 55 of the default steps.

    Parameters
    ----------
    n_steps : int, default=5000
        Length of the series.
    dt : float, default=0.02
        Time between two values of the series.
    sigma, rho, beta : float, default=10.0, 28.0, 8/3
        The parameters of the system.
    step_size : float, default=0.01
        Longest time step of the integration (Runge–Kutta of fourth order); ``dt`` is divided into equal ones. Growing it costs precision.
    washout : int, default=1000
        Values dropped at the beginning.
    random_state : int, RandomState instance or None, default=None
        Source of the start, near the attractor.

    Returns
    -------
    ndarray of shape (n_steps, 3)
        x, y and z, as one sequence whose rows are time steps.

    Notes
    -----
    ::

        dx/dt = sigma (y − x)
        dy/dt = x (rho − z) − y
        dz/dt = x y − beta z

    References
    ----------
    E. N. Lorenz, "Deterministic nonperiodic flow", Journal of the Atmospheric Sciences 20(2), 1963.

    Examples
    --------
    >>> from skrnn.datasets import make_lorenz
    >>> X = make_lorenz(2000, random_state=0)
    >>> X.shape, bool((X[:, 2] > 0).all())
    ((2000, 3), True)
    """
    linear = [[-sigma, sigma, 0.0], [rho, -1.0, 0.0], [0.0, 0.0, -beta]]
    start = check_random_state(random_state).uniform([-10, -10, 10], [10, 10, 40])
    return _run_flow([0, 0, 0], linear, {(1, 0, 2): -1, (2, 0, 1): 1}, start, _times(n_steps, dt, step_size, washout))


def make_rossler(
    n_steps: int = 5000,
    dt: float = 0.1,
    *,
    a: float = 0.2,
    b: float = 0.2,
    c: float = 5.7,
    step_size: float = 0.01,
    washout: int = 1000,
    random_state: Any = None,
) -> NDArray[np.float64]:
    """Rössler system: a chaotic spiral that folds back, in three dimensions (Rössler, 1976).

    Smoother than the Lorenz system and easier to forecast: its largest Lyapunov exponent is about 0.07, one turn takes about 6 units of time.

    Parameters
    ----------
    n_steps : int, default=5000
        Length of the series.
    dt : float, default=0.1
        Time between two values of the series.
    a, b, c : float, default=0.2, 0.2, 5.7
        The parameters of the system.
    step_size : float, default=0.01
        Longest time step of the integration (Runge–Kutta of fourth order); ``dt`` is divided into equal ones. Growing it costs precision.
    washout : int, default=1000
        Values dropped at the beginning.
    random_state : int, RandomState instance or None, default=None
        Source of the start, near the attractor.

    Returns
    -------
    ndarray of shape (n_steps, 3)
        x, y and z, as one sequence whose rows are time steps.

    Notes
    -----
    ::

        dx/dt = −y − z
        dy/dt = x + a y
        dz/dt = b + z (x − c)

    References
    ----------
    O. E. Rössler, "An equation for continuous chaos", Physics Letters A 57(5), 1976.

    Examples
    --------
    >>> from skrnn.datasets import make_rossler
    >>> X = make_rossler(1000, random_state=0)
    >>> X.shape, bool((X[:, 2] > 0).all())
    ((1000, 3), True)
    """
    linear = [[0.0, -1.0, -1.0], [1.0, a, 0.0], [0.0, 0.0, -c]]
    start = check_random_state(random_state).uniform([-5, -5, 0], [5, 5, 1])
    return _run_flow([0, 0, b], linear, {(2, 0, 2): 1}, start, _times(n_steps, dt, step_size, washout))


def make_henon(n_steps: int = 5000, *, a: float = 1.4, b: float = 0.3, washout: int = 100, random_state: Any = None) -> NDArray[np.float64]:
    """Hénon map: chaos in two dimensions and discrete time (Hénon, 1976).

    Parameters
    ----------
    n_steps : int, default=5000
        Length of the series.
    a, b : float, default=1.4, 0.3
        The parameters of the map.
    washout : int, default=100
        Values dropped at the beginning.
    random_state : int, RandomState instance or None, default=None
        Source of the start: both coordinates uniform in [−0.1, 0.1).

    Returns
    -------
    ndarray of shape (n_steps, 2)
        x and y, as one sequence whose rows are time steps.

    Notes
    -----
    ::

        x(t + 1) = 1 − a x(t)² + y(t)
        y(t + 1) = b x(t)

    References
    ----------
    M. Hénon, "A two-dimensional mapping with a strange attractor", Communications in Mathematical Physics 50, 1976.

    Examples
    --------
    >>> from skrnn.datasets import make_henon
    >>> X = make_henon(1000, random_state=0)
    >>> X.shape, round(float(abs(X[:, 0]).max()), 1)
    ((1000, 2), 1.3)
    """
    _at_least("n_steps", n_steps, 1)
    _at_least("washout", washout, 0)
    x, y = check_random_state(random_state).uniform(-0.1, 0.1, size=2).tolist()
    points = []
    for _ in range(n_steps + washout):
        x, y = 1 - a * x * x + y, b * x
        points.append((x, y))
    return _finite(np.array(points[washout:]))


def _run_flow(
    constant: Sequence[float], linear: list[list[float]], products: dict[tuple[int, int, int], int], start: NDArray[Any], times: tuple[Any, ...]
) -> NDArray[np.float64]:
    """Values of ``dx_i/dt = constant_i + Σ_j linear_ij x_j + Σ products[i, j, k] x_j x_k`` after each ``dt``, without the first of them."""
    n_steps, dt, n_inner, washout = times
    places = np.array(list(products))
    factors = np.array(list(products.values()), dtype=float)
    series = np.empty((n_steps + washout, len(start)))
    field = (np.array(constant, dtype=float), np.array(linear, dtype=float), places, factors)
    _compiled_flow()(field, start, dt / n_inner, n_inner, series)
    return _finite(series[washout:])


def _times(n_steps: int, dt: float, step_size: float, washout: int) -> tuple[int, float, int, int]:
    _at_least("n_steps", n_steps, 1)
    _at_least("washout", washout, 0)
    _above_zero("dt", dt)
    _above_zero("step_size", step_size)
    return n_steps, dt, math.ceil(dt / step_size - 1e-9), washout


@cache
def _compiled_flow() -> Any:
    from numba import njit  # a third of a second, paid by those alone who ask for a flow

    return njit(cache=True, nogil=True, error_model="numpy")(_flow)


def _flow(field, x, h, n_inner, series):
    """Runge–Kutta of fourth order from ``x``, which it moves, with steps ``h``, of which every ``n_inner``-th is kept."""
    constant, linear, places, factors = field
    n = len(x)
    k, now, step = np.empty(n), np.empty(n), np.empty(n)
    for row in range(len(series)):
        for _ in range(n_inner):
            for stage in range(4):
                for i in range(n):
                    now[i] = x[i] if stage == 0 else x[i] + h * k[i] * (1.0 if stage == 3 else 0.5)
                for i in range(n):
                    k[i] = constant[i]
                    for j in range(n):
                        k[i] += linear[i, j] * now[j]
                for m in range(len(factors)):
                    k[places[m, 0]] += factors[m] * now[places[m, 1]] * now[places[m, 2]]
                for i in range(n):
                    step[i] = k[i] if stage == 0 else step[i] + k[i] * (1.0 if stage == 3 else 2.0)
            for i in range(n):
                x[i] += h / 6 * step[i]
        series[row] = x


def _above_zero(name: str, value: Any) -> None:
    if not isinstance(value, Real) or not 0 < float(value) < math.inf:
        raise ValueError(f"{name} must be a number above 0; got {value!r}")


def _multiple(name: str, value: float, step_size: float) -> int:
    """How many steps of the integration there are in an interval."""
    steps = round(value / step_size)
    if steps < 1 or abs(steps * step_size - value) > 1e-9 * value:
        raise ValueError(f"{name} must be a multiple of step_size={step_size!r}; got {value!r}")
    return steps


def _finite(series: NDArray[np.float64]) -> NDArray[np.float64]:
    if not np.isfinite(series).all():
        raise ValueError("the series runs away to infinity with these parameters; take others, or a smaller step_size")
    return series
