"""Rusch & Mishra (2021): driven, damped oscillators; the damping explicit, the position by the new velocity."""

import numpy as np

from tests.oracles.functions import arrays


def step_of(cell):
    w, dt, gamma, epsilon = arrays(cell), cell.step_size, cell.frequency, cell.damping

    def step(x, state):
        y, z = state
        force = np.tanh(np.hstack([w["W"], w["R_z"], w["R_y"]]) @ np.hstack([x, z, y]) + w["b"])
        z = (1 - dt * epsilon) * z + dt * (force - gamma * y)
        y = y + dt * z
        return y, (y, z)

    return step
