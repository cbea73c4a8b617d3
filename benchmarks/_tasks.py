"""Classification and regression tasks of several kinds, generated or bundled, to choose defaults on."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

DATA = Path(os.environ.get("SKRNN_DATA", Path(__file__).parents[2] / "shared" / "data"))


def tasks() -> dict[str, tuple]:
    """name -> X_train, X_test, y_train, y_test."""
    X, y = load_digits(return_X_y=True)
    found = {"digits by rows": train_test_split(X.reshape(-1, 8, 8), y, random_state=0)}
    found["digits by pixels"] = train_test_split(X.reshape(-1, 64, 1), y, random_state=0)
    for make in (bump, order, frequency, sign_of_mean, last_steps, adding, slope):
        X, y = make(np.random.default_rng(0), 800)
        found[make.__name__.replace("_", " ")] = train_test_split(X, y, random_state=0)
    for name in ("JapaneseVowels", "BasicMotions", "ItalyPowerDemand"):
        if (DATA / f"{name}_TRAIN.ts").exists():
            (X, y), (Z, z) = (read_ts(DATA / f"{name}_{part}.ts") for part in ("TRAIN", "TEST"))
            found[name] = X, Z, y, z
    return found


def read_ts(path: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Sequences and labels of a .ts file: channels separated by colons, steps by commas, the label last."""
    lines = [line.strip().split(":") for line in path.read_text().splitlines() if line.strip() and line[0] not in "@#"]
    X = [np.array([[float(v) for v in channel.split(",")] for channel in line[:-1]]).T for line in lines]
    return X, np.array([line[-1] for line in lines])


def _noise(rng: np.random.Generator, n: int, low: int, high: int, n_channels: int) -> list[np.ndarray]:
    return [rng.normal(size=(length, n_channels)) for length in rng.integers(low, high, size=n)]


def bump(rng: np.random.Generator, n: int) -> tuple:
    """Which of three channels has a short bump, anywhere in 20 to 80 steps of noise."""
    X, y = _noise(rng, n, 20, 80, 3), rng.integers(0, 3, size=n)
    for x, channel in zip(X, y, strict=True):
        start = rng.integers(0, len(x) - 6)
        x[start : start + 6, channel] += 2.5 * np.hanning(6)
    return X, y


def order(rng: np.random.Generator, n: int) -> tuple:
    """Which of two marks came first, up to 60 steps apart."""
    X, y = _noise(rng, n, 40, 80, 2), rng.integers(0, 2, size=n)
    for x, first in zip(X, y, strict=True):
        early, late = np.sort(rng.choice(len(x), 2, replace=False))
        x[early, first] += 5
        x[late, 1 - first] += 5
    return X, y


def frequency(rng: np.random.Generator, n: int) -> tuple:
    """Which of four frequencies a noisy sine of random phase has."""
    X, y = _noise(rng, n, 30, 60, 1), rng.integers(0, 4, size=n)
    for x, k in zip(X, y, strict=True):
        x[:, 0] = 0.7 * x[:, 0] + np.sin(2 * np.pi * (0.06 + 0.03 * k) * np.arange(len(x)) + rng.uniform(0, 2 * np.pi))
    return X, y


def sign_of_mean(rng: np.random.Generator, n: int) -> tuple:
    """Whether the mean of 20 to 60 noisy steps is above zero."""
    X, y = _noise(rng, n, 20, 60, 1), rng.integers(0, 2, size=n)
    return [x + 0.4 * (2 * k - 1) for x, k in zip(X, y, strict=True)], y


def last_steps(rng: np.random.Generator, n: int) -> tuple:
    """Which channel was largest in the last three of 20 to 60 steps."""
    X = _noise(rng, n, 20, 60, 3)
    return X, np.array([x[-3:].mean(0).argmax() for x in X])


def adding(rng: np.random.Generator, n: int) -> tuple:
    """Sum of two marked numbers among 30 (Hochreiter & Schmidhuber, 1997)."""
    X = rng.uniform(size=(n, 30, 2))
    X[:, :, 1] = 0
    for x in X:
        x[rng.choice(30, 2, replace=False), 1] = 1
    return X, (X[..., 0] * X[..., 1]).sum(1)


def slope(rng: np.random.Generator, n: int) -> tuple:
    """Slope of a noisy line over 20 to 60 steps."""
    X, y = _noise(rng, n, 20, 60, 1), rng.normal(size=n)
    return [0.5 * x + k * np.linspace(-1, 1, len(x))[:, None] + rng.normal() for x, k in zip(X, y, strict=True)], y
