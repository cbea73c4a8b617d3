"""Voelker, Kajić & Eliasmith (2019): the Legendre delay system by zero-order hold, B_d = A⁻¹ (A_d − I) B, and an Elman cell that reads it."""

import numpy as np
from scipy.linalg import expm

from tests.oracles.functions import arrays


def step_of(cell):
    w, D = arrays(cell), cell.order
    A = np.array([[(2 * i + 1) * (-1.0 if i < j else (-1.0) ** (i - j + 1)) for j in range(D)] for i in range(D)]) / cell.theta
    B = np.array([(2 * i + 1) * (-1.0) ** i for i in range(D)]) / cell.theta
    A_d = expm(A)
    B_d = np.linalg.solve(A, (A_d - np.eye(D)) @ B)

    def step(x, state):
        h, m = state
        m = A_d @ m + B_d * (w["e_x"] @ x + w["e_h"] @ h + w["e_m"] @ m)
        h = np.tanh(w["W"] @ x + w["R"] @ h + w["V"] @ m)
        return h, (h, m)

    return step
