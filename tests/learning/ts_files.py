"""Reader of .ts files, the format of the UCR and UEA archives of time series."""

import os
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(os.environ.get("SKRNN_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def read(path):
    """Sequences (n_steps, n_channels) of any lengths, and their labels."""
    X, y = [], []
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith(("#", "@")):
            *channels, label = line.strip().split(":")
            X.append(np.array([channel.split(",") for channel in channels], dtype=float).T)
            y.append(label)
    return X, np.array(y)


def load(name):
    """X_train, X_test, y_train, y_test of a data set; the test that asks for it skips without the files."""
    paths = [FOLDER / f"{name}_{part}.ts" for part in ("TRAIN", "TEST")]
    if not all(path.exists() for path in paths):
        pytest.skip(f"no {name} in {FOLDER}; SKRNN_DATA names another folder")
    (X_train, y_train), (X_test, y_test) = map(read, paths)
    return X_train, X_test, y_train, y_test
