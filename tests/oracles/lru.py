"""Orvieto et al. (2023): a diagonal of complex numbers between B and C."""

import numpy as np

from tests.oracles.functions import arrays


def step_of(cell):
    w = arrays(cell)
    B, C = (w[name][0] + 1j * w[name][1] for name in "BC")
    a = np.exp(-np.exp(w["nu"]) + 1j * np.exp(w["theta"]))

    def step(x, state):
        s = a * (state[1] + 1j * state[2]) + np.exp(w["gamma"]) * (B @ x)
        y = (C @ s).real + w["D"] @ x
        return y, (y, s.real, s.imag)

    return step
