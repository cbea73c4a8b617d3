"""Rhythms: what differs in them is when something happens, and how strongly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ._dynamics import _above_zero
from ._recall import _at_least


def make_pulse_trains(
    n_sequences: int = 400,
    n_steps: int = 36,
    *,
    periods: Sequence[int] = (3, 6),
    amplitudes: Sequence[float] = (0.6, 1.2),
    noise: float = 0.1,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Pulse trains: rhythms of some periods and some amplitudes, in any combination, to be told apart without labels (Klapper-Rybicka et al., 2001).

    Two things vary, and neither can be seen in a single step: the period asks for memory. After the kind of the rhythms of that paper.

    Parameters
    ----------
    n_sequences : int, default=400
    n_steps : int, default=36
        Length of the sequences.
    periods : sequence of int, default=(3, 6)
        Time steps from a pulse to the next.
    amplitudes : sequence of float, default=(0.6, 1.2)
        Heights of the pulses, in the units of the noise.
    noise : float, default=0.1
        Standard deviation of the Gaussian noise that is added to every step.
    random_state : int, RandomState instance or None, default=None
        Source of the combinations, the phases and the noise.

    Returns
    -------
    X : ndarray of shape (n_sequences, n_steps, 1)
        A pulse lasts one step; the first one comes within the first period, at random.
    y : ndarray of int of shape (n_sequences, 2)
        Which period, and which amplitude, counted from 0; all combinations are as likely. ``y @ [len(amplitudes), 1]`` numbers them.

    References
    ----------
    M. Klapper-Rybicka, N. N. Schraudolph, J. Schmidhuber, "Unsupervised learning in LSTM recurrent neural networks", ICANN 2001.

    Examples
    --------
    >>> from skrnn.datasets import make_pulse_trains
    >>> X, y = make_pulse_trains(1, 8, noise=0, random_state=4)
    >>> X[0, :, 0].tolist(), y[0].tolist()
    ([0.0, 0.6, 0.0, 0.0, 0.6, 0.0, 0.0, 0.6], [0, 0])
    """
    _at_least("n_sequences", n_sequences, 1)
    _at_least("n_steps", n_steps, 1)
    for name, several in {"periods": periods, "amplitudes": amplitudes}.items():
        _at_least(f"the number of {name}", len(several), 1)
    for period in periods:
        _at_least("periods", period, 1)
    for amplitude in amplitudes:
        _above_zero("amplitudes", amplitude)
    if noise != 0:
        _above_zero("noise", noise)
    rng = check_random_state(random_state)
    y = np.column_stack([rng.randint(len(several), size=n_sequences) for several in (periods, amplitudes)])
    period, amplitude = np.asarray(periods)[y[:, 0]], np.asarray(amplitudes, dtype=float)[y[:, 1]]
    phase = np.floor(rng.uniform(size=n_sequences) * period).astype(int)
    pulses = (np.arange(n_steps) - phase[:, None]) % period[:, None] == 0
    X = amplitude[:, None] * pulses + noise * rng.normal(size=(n_sequences, n_steps))
    return X[:, :, None], y
