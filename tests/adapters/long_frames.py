"""Long frames of both libraries."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

LENGTHS = {"b": 30, "a": 24, "c": 27}


def to_polars(df):
    return pl.DataFrame({name: df[name].to_numpy() if df[name].dtype.kind in "Mif" else df[name].tolist() for name in df})


FRAMES = {"pandas": pd.DataFrame, "polars": to_polars}
every_frame = pytest.mark.parametrize("convert", FRAMES.values(), ids=FRAMES)


def long(freq="D", start="2024-01-01", **columns):
    parts = []
    for k, (name, n) in enumerate(LENGTHS.items()):
        ds = pd.date_range(start, periods=n, freq=freq)
        parts.append(pd.DataFrame({"unique_id": name, "ds": ds, "y": np.arange(n) + 100.0 * k}).assign(**{c: f(n, k) for c, f in columns.items()}))
    return pd.concat(parts, ignore_index=True)
