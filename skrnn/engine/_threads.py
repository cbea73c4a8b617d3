"""How many threads a call may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..kernels import allow_threads


@contextmanager
def limit_threads(n_threads: int | str) -> Iterator[None]:
    """Keep torch and BLAS on one thread and let compiled kernels use ``n_threads``; the caller's settings come back afterwards.

    ``"auto"`` is torch's own setting, which in a joblib worker is the worker's share of the cores. Kernels use it only where a step is big enough.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with allow_threads(before if n_threads == "auto" else int(n_threads)):
            yield
    finally:
        torch.set_num_threads(before)
