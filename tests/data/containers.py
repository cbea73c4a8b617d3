"""The same few sequences in every container, for the tests of this folder."""

import numpy as np
import pandas as pd
import polars as pl
import torch

from skrnn.data import Sequences, as_sequences

RNG = np.random.default_rng(0)
X3 = RNG.normal(size=(4, 5, 3))
RAGGED = [RNG.normal(size=(n, 3)) for n in (2, 5, 1, 4)]
FLAT = [RNG.normal(size=n) for n in (2, 5, 1, 4)]
TABLE = RNG.normal(size=(4, 5))


def objects(items):
    cells = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        cells[i] = item
    return cells


def long_frame(arrays, names=None):
    names = range(len(arrays)) if names is None else names
    index = pd.MultiIndex.from_tuples([(name, t) for name, a in zip(names, arrays, strict=True) for t in range(len(a))])
    return pd.DataFrame(np.concatenate(arrays), index=index)


def assert_same(sequences, arrays):
    assert isinstance(sequences, Sequences)
    np.testing.assert_array_equal(sequences.lengths, [len(a) for a in arrays])
    for got, expected in zip(sequences, arrays, strict=True):
        np.testing.assert_array_equal(got, np.asarray(expected).reshape(len(expected), -1))


MULTIVARIATE = {
    "list": RAGGED,
    "tuple": tuple(RAGGED),
    "objects": objects(RAGGED),
    "nested lists": [a.tolist() for a in RAGGED],
    "frames": [pd.DataFrame(a) for a in RAGGED],
    "polars frames": [pl.DataFrame(a) for a in RAGGED],
    "tensors": [torch.tensor(a) for a in RAGGED],
    "tensors with grad": [torch.tensor(a, requires_grad=True) for a in RAGGED],
    "mixed": [RAGGED[0], pd.DataFrame(RAGGED[1]), torch.tensor(RAGGED[2]), RAGGED[3].tolist()],
    "Sequences": as_sequences(RAGGED),
    "long": long_frame(RAGGED),
    "pandas columns": pd.DataFrame({c: [a[:, c].tolist() for a in RAGGED] for c in range(3)}),
    "pandas columns of arrays": pd.DataFrame({c: objects([a[:, c] for a in RAGGED]) for c in range(3)}),
    "polars columns": pl.DataFrame({str(c): [a[:, c].tolist() for a in RAGGED] for c in range(3)}),
}
UNIVARIATE = {
    "arrays": FLAT,
    "lists": [a.tolist() for a in FLAT],
    "series": [pd.Series(a) for a in FLAT],
    "tensors": [torch.tensor(a) for a in FLAT],
    "objects": objects([a.tolist() for a in FLAT]),
    "columns": [a[:, None] for a in FLAT],
    "pandas series of lists": pd.Series([a.tolist() for a in FLAT]),
    "polars series of lists": pl.Series("x", [a.tolist() for a in FLAT]),
    "long series": long_frame([a[:, None] for a in FLAT])[0],
}
RECTANGULAR = {
    "array": X3,
    "memory order": np.asfortranarray(X3),
    "list of lists": X3.tolist(),
    "list": list(X3),
    "tensor": torch.tensor(X3),
    "tensor with grad": torch.tensor(X3, requires_grad=True),
    "object array": X3.astype(object),
    "masked array": np.ma.masked_array(X3),
}
ROWS = {
    "array": TABLE,
    "lists": TABLE.tolist(),
    "list of arrays": list(TABLE),
    "frame": pd.DataFrame(TABLE),
    "polars": pl.DataFrame(TABLE),
    "tensor": torch.tensor(TABLE),
    "polars arrays": pl.Series("x", TABLE, dtype=pl.Array(pl.Float64, 5)),
}
