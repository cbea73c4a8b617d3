"""Signals that drive a system and what it should answer: the tasks on which reservoirs are compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from sklearn.utils import check_random_state

from ._dynamics import _above_zero
from ._recall import _at_least, _delayed

_TRANSIENT = 200  # steps of a NARMA series that are dropped; it forgets its start in a few dozen
_DIVERGED = 2.0  # NARMA of order ten stays below 1.2, and never comes back from here
_BACK = 200  # steps before that at which it still was an ordinary series
_FREQUENCIES = (0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97)
_CHANNEL = (0.08, -0.12, 1.0, 0.18, -0.1, 0.091, -0.05, 0.04, 0.03, 0.01)  # from the symbol two steps ahead to that of seven steps ago


def make_narma(n_steps: int = 5000, order: int = 10, *, random_state: Any = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """NARMA: identify a nonlinear moving average of the last inputs and outputs (Atiya & Parlos, 2000).

    The system on which reservoirs are compared: it asks for memory of ``order`` steps and for a product at once. Up to order ten it is the
    recurrence of Atiya and Parlos; above ten, where that would grow without bound, the saturated one of Rodan and Tiňo.

    Parameters
    ----------
    n_steps : int, default=5000
        Length of the series.
    order : int, default=10
        Steps that the system looks back; growing it asks for a longer memory. Orders 10 and 20 are those of the literature.
    random_state : int, RandomState instance or None, default=None
        Source of the inputs.

    Returns
    -------
    X : ndarray of shape (n_steps, 1)
        Inputs u(t), uniform in [0, 0.5], as one sequence whose rows are time steps.
    y : ndarray of shape (n_steps,)
        y(t + 1), the first value that u(t) enters.

    Notes
    -----
    ::

        a(t) = 0.3 y(t) + 0.05 y(t) Σ_{i < order} y(t − i) + 1.5 u(t − order + 1) u(t)
        y(t + 1) = a(t) + 0.1                    order ≤ 10
        y(t + 1) = tanh(a(t) + 0.01) + 0.2       order > 10

    The system starts at 0, and its first 200 steps are dropped. Of order ten it runs away about once in 100,000 steps; then the inputs of
    the 200 steps before, and all later ones, are drawn anew.

    References
    ----------
    A. F. Atiya, A. G. Parlos, "New results on recurrent network training", IEEE Transactions on Neural Networks 11(3), 2000.
    A. Rodan, P. Tiňo, "Minimum complexity echo state network", IEEE Transactions on Neural Networks 22(1), 2011.

    Examples
    --------
    >>> from skrnn.datasets import make_narma
    >>> X, y = make_narma(1000, random_state=0)
    >>> X.shape, round(float(y.mean()), 2)
    ((1000, 1), 0.38)
    """
    _at_least("n_steps", n_steps, 1)
    _at_least("order", order, 1)
    rng = check_random_state(random_state)
    u = rng.uniform(0, 0.5, size=n_steps + _TRANSIENT + order - 1)
    y = [0.0] * order
    while len(y) < len(u) + 1:
        if _extend_narma(y, u, order):
            first = max(order, len(y) - _BACK)
            del y[first:]
            u[first - 1 :] = rng.uniform(0, 0.5, size=len(u) - first + 1)
    return u[-n_steps:, None], np.array(y[-n_steps:])


def _extend_narma(y: list[float], u: NDArray[np.float64], order: int) -> bool:
    """Append what follows from the inputs, and say whether it runs away; ``y[k + 1]`` is the first value that ``u[k]`` enters."""
    saturated = order > 10
    for k, product in enumerate((1.5 * u[len(y) - order : len(u) - order + 1] * u[len(y) - 1 :]).tolist(), len(y)):
        a = 0.3 * y[-1] + 0.05 * y[-1] * sum(y[k - order :]) + product
        y.append(math.tanh(a + 0.01) + 0.2 if saturated else a + 0.1)
        if y[-1] > _DIVERGED:
            return True
    return False


def make_multiple_superimposed_oscillators(n_steps: int = 1000, n_oscillators: int = 5) -> NDArray[np.float64]:
    """Multiple superimposed oscillators: a sum of sines without a common period, to be continued freely (Xue, Yang & Haykin, 2007).

    One tanh reservoir finds it hard to keep several frequencies apart; the longer the free run and the more sines, the harder.

    Parameters
    ----------
    n_steps : int, default=1000
        Length of the series.
    n_oscillators : {1, 2, ..., 8}, default=5
        How many sines are added. The usual tasks are MSO2, MSO5 and MSO8.

    Returns
    -------
    ndarray of shape (n_steps, 1)
        The sum at times 0, 1, 2 …, as one sequence whose rows are time steps.

    Notes
    -----
    The frequencies, in radians per step, are 0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85 and 0.97; the first ones are taken. Nothing is random.

    References
    ----------
    Y. Xue, L. Yang, S. Haykin, "Decoupled echo state networks with lateral inhibition", Neural Networks 20(3), 2007.

    Examples
    --------
    >>> from skrnn.datasets import make_multiple_superimposed_oscillators
    >>> make_multiple_superimposed_oscillators(3, 2)[:, 0].round(3).tolist()
    [0.0, 0.505, 0.972]
    """
    _at_least("n_steps", n_steps, 1)
    _at_least("n_oscillators", n_oscillators, 1)
    if n_oscillators > len(_FREQUENCIES):
        raise ValueError(f"n_oscillators must be at most {len(_FREQUENCIES)}; got {n_oscillators!r}")
    return np.sin(np.outer(np.arange(n_steps), _FREQUENCIES[:n_oscillators])).sum(axis=1, keepdims=True)


def make_memory_task(
    n_steps: int = 5000, delays: int | Sequence[int] = 20, *, random_state: Any = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Memory task: recall random inputs of 1, 2, 3 … steps ago, all at once (Jaeger, 2001).

    The squared correlations of the best linear readouts with their targets add up to the memory capacity of a reservoir, which is at most its
    number of units.

    Parameters
    ----------
    n_steps : int, default=5000
        Length of the series.
    delays : int or sequence of int, default=20
        Time steps from an input to its recall, one for each output; a number stands for all delays from one to it.
    random_state : int, RandomState instance or None, default=None
        Source of the inputs.

    Returns
    -------
    X : ndarray of shape (n_steps, 1)
        Inputs, uniform in [−0.5, 0.5), as one sequence whose rows are time steps.
    y : ndarray of shape (n_steps, n_delays)
        For each delay the input that many steps ago; NaN at steps that have none.

    References
    ----------
    H. Jaeger, "Short term memory in echo state networks", GMD report 152, 2001.

    Examples
    --------
    >>> from skrnn.datasets import make_memory_task
    >>> X, y = make_memory_task(100, [1, 5], random_state=0)
    >>> y.shape, bool(y[99, 1] == X[94, 0])
    ((100, 2), True)
    """
    if isinstance(delays, int | np.integer):
        _at_least("delays", delays, 1)
        delays = range(1, int(delays) + 1)
    _at_least("the number of delays", len(delays), 1)
    for delay in delays:
        _at_least("delays", delay, 0)
    _at_least("n_steps", n_steps, max(delays) + 1)
    u = check_random_state(random_state).uniform(-0.5, 0.5, size=n_steps)
    return u[:, None], np.column_stack([_delayed(u, delay) for delay in delays])


def make_stream_parity(
    n_steps: int = 5000, n_bits: int = 3, delay: int = 0, *, random_state: Any = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Parity of a stream: whether the last few of a stream of ones and minus ones hold an odd number of ones (Bertschinger & Natschläger, 2004).

    No linear readout of past inputs can tell: it asks a reservoir for memory and nonlinearity. With two bits it is the XOR of neighbours.
    For one answer a sequence, see `make_parity`.

    Parameters
    ----------
    n_steps : int, default=5000
        Length of the stream.
    n_bits : int, default=3
        How many inputs the parity is of; each one more is markedly harder.
    delay : int, default=0
        Time steps from the last of these inputs to the answer.
    random_state : int, RandomState instance or None, default=None
        Source of the inputs.

    Returns
    -------
    X : ndarray of shape (n_steps, 1)
        −1 or 1, as one sequence whose rows are time steps.
    y : ndarray of shape (n_steps,)
        1 if the number of ones is odd, else 0; NaN in the first ``n_bits − 1 + delay`` steps, which have no target.

    References
    ----------
    N. Bertschinger, T. Natschläger, "Real-time computation at the edge of chaos in recurrent neural networks", Neural Computation 16(7), 2004.

    Examples
    --------
    >>> from skrnn.datasets import make_stream_parity
    >>> X, y = make_stream_parity(5, 2, random_state=0)
    >>> X[:, 0].tolist(), y.tolist()
    ([-1.0, 1.0, 1.0, -1.0, 1.0], [nan, 1.0, 0.0, 1.0, 1.0])
    """
    _at_least("n_bits", n_bits, 1)
    _at_least("delay", delay, 0)
    _at_least("n_steps", n_steps, n_bits + delay)
    bits = check_random_state(random_state).randint(2, size=n_steps)
    ones = np.convolve(bits, np.ones(n_bits, dtype=int))[:n_steps]
    parity = (ones % 2).astype(float)
    parity[: n_bits - 1] = np.nan
    return bits[:, None] * 2.0 - 1, _delayed(parity, delay)


def make_channel_equalization(
    n_steps: int = 5000, snr_db: float = 24.0, delay: int = 2, *, random_state: Any = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Channel equalization: symbols from what a smearing, distorting and noisy channel leaves of them (Jaeger & Haas, 2004).

    Parameters
    ----------
    n_steps : int, default=5000
        Length of the series.
    snr_db : float, default=24.0
        Signal-to-noise ratio in decibel, 12 to 32 in the paper; infinity is no noise. Growing it makes the task easier.
    delay : int, default=2
        Time steps from a symbol to the time when it is asked for. With 0 the symbol of the same step is the target, as in some later papers.
    random_state : int, RandomState instance or None, default=None
        Source of the symbols and the noise.

    Returns
    -------
    X : ndarray of shape (n_steps, 1)
        What comes out of the channel, as one sequence whose rows are time steps.
    y : ndarray of shape (n_steps,)
        The symbol ``delay`` steps ago: −3, −1, 1 or 3, all as likely. `skrnn.metrics.symbol_error_rate` counts the errors.

    Notes
    -----
    With symbols d(n)::

        q(n) = 0.08 d(n + 2) − 0.12 d(n + 1) + d(n) + 0.18 d(n − 1) − 0.1 d(n − 2) + 0.091 d(n − 3) − 0.05 d(n − 4)
               + 0.04 d(n − 5) + 0.03 d(n − 6) + 0.01 d(n − 7)
        u(n) = q(n) + 0.036 q(n)² − 0.011 q(n)³ + noise

    The noise is Gaussian; its variance is that of u without noise, in the series drawn, divided by ``10^(snr_db / 10)``.

    References
    ----------
    H. Jaeger, H. Haas, "Harnessing nonlinearity: predicting chaotic systems and saving energy in wireless communication", Science 304, 2004.

    Examples
    --------
    >>> from skrnn.datasets import make_channel_equalization
    >>> X, y = make_channel_equalization(1000, random_state=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((1000, 1), [-3.0, -1.0, 1.0, 3.0])
    """
    _at_least("n_steps", n_steps, 1)
    _at_least("delay", delay, 0)
    if not isinstance(snr_db, Real) or math.isnan(snr_db) or snr_db == -math.inf:
        raise ValueError(f"snr_db must be a number of decibels, or infinity; got {snr_db!r}")
    rng = check_random_state(random_state)
    before = max(delay, 7)
    d = 2.0 * rng.randint(4, size=before + n_steps + 2) - 3
    q = lfilter(_CHANNEL, [1.0], d)[before + 2 :]
    u = q + 0.036 * q**2 - 0.011 * q**3
    u += rng.normal(size=n_steps) * u.std() * 10 ** (-snr_db / 20)
    return u[:, None], d[before - delay : before - delay + n_steps]


def make_spike_templates(
    n_samples: int = 500,
    *,
    n_channels: int = 1,
    n_segments: int = 4,
    rate: float = 20.0,
    jitter: float = 4.0,
    duration: float = 1000.0,
    dt: float = 0.5,
    random_state: Any = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Spike templates: of which of two noisy spike patterns was each segment of the input made (Maass, Natschläger & Markram, 2002).

    The task of the liquid state machine: at the end of the input, tell for every segment which template it was. Late segments are easy, early
    ones have to be remembered.

    Parameters
    ----------
    n_samples : int, default=500
        Inputs drawn from the same templates. Draw those for training and for testing in one call.
    n_channels : int, default=1
        Spike trains side by side; each has templates of its own, and the choice is the same for all. Growing it makes the task easier.
    n_segments : int, default=4
        Segments of equal duration, each with two templates.
    rate : float, default=20.0
        Mean rate of the Poisson spike trains that the templates are, in Hz.
    jitter : float, default=4.0
        Standard deviation, in ms, of the Gaussian by which each spike of a template is moved anew in every input.
    duration : float, default=1000.0
        Of an input, in ms.
    dt : float, default=0.5
        Of a time step, in ms; growing it makes the input shorter and less precise.
    random_state : int, RandomState instance or None, default=None
        Source of the templates, choices and jitter.

    Returns
    -------
    X : ndarray of float32 of shape (n_samples, n_steps, n_channels)
        1 at steps with a spike, else 0; ``n_steps`` is ``duration / dt``, rounded. The spike times are ``dt * np.flatnonzero(X[i, :, j])``.
    y : ndarray of int of shape (n_samples, n_segments)
        The template, 0 or 1, of every segment.

    Notes
    -----
    Jitter can move a spike into the next segment; one that leaves the input is lost, and two in one step are one.

    References
    ----------
    W. Maass, T. Natschläger, H. Markram, "Real-time computing without stable states", Neural Computation 14(11), 2002.

    Examples
    --------
    >>> from skrnn.datasets import make_spike_templates
    >>> X, y = make_spike_templates(100, random_state=0)
    >>> X.shape, y.shape, round(float(X.sum(axis=1).mean()))
    ((100, 2000, 1), (100, 4), 20)
    """
    for name, count in {"n_samples": n_samples, "n_channels": n_channels, "n_segments": n_segments}.items():
        _at_least(name, count, 1)
    for name, value in {"rate": rate, "duration": duration, "dt": dt}.items():
        _above_zero(name, value)
    if not isinstance(jitter, Real) or not 0 <= jitter < math.inf:
        raise ValueError(f"jitter must be a number of at least 0; got {jitter!r}")
    rng = check_random_state(random_state)
    n_steps, length = round(duration / dt), duration / n_segments
    _at_least("duration / dt", n_steps, 1)
    X = np.zeros((n_samples, n_steps, n_channels), dtype=np.float32)
    y = rng.randint(2, size=(n_samples, n_segments))
    for segment, template, channel in np.ndindex(n_segments, 2, n_channels):
        spikes = length * (segment + rng.uniform(size=rng.poisson(rate * length / 1000)))
        samples = np.flatnonzero(y[:, segment] == template)
        steps = np.floor((spikes + jitter * rng.normal(size=(len(samples), len(spikes)))) / dt).astype(int)
        sample, spike = np.nonzero((steps >= 0) & (steps < n_steps))
        X[samples[sample], steps[sample, spike], channel] = 1
    return X, y
