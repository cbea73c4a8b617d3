"""Hasani et al. (2022): two candidates that a gate blends as time passes, or the closed-form solution; the backbone sees input and state."""

import numpy as np

from tests.oracles.functions import arrays, sigmoid


def step_of(cell):
    w = arrays(cell)
    deeper = [(w[f"layers.{k}.W"], w[f"layers.{k}.b"]) for k in range(len(cell.layers))]

    def step(x, h):
        elapsed, x = (1.0, x) if cell.time_delta is None else (x[cell.time_delta], np.delete(x, cell.time_delta))
        a = np.hstack([w["W"], w["R"]]) @ np.hstack([x, h]) + w["b"]
        for V, d in deeper:
            a = V @ (1.7159 * np.tanh(0.666 * a)) + d
        if cell.mode == "pure":
            y = -w["A"] * np.exp(-elapsed * (np.abs(w["w_tau"]) + np.abs(a))) * a + w["A"]
            return y, y
        first, second, rate, start = np.split(a, 4)
        gate = sigmoid(rate * elapsed + start)
        y = np.tanh(first) * (1 if cell.mode == "no_gate" else 1 - gate) + gate * np.tanh(second)
        return y, y

    return step
