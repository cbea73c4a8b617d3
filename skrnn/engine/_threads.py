"""How many threads a call may use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..kernels import allow_threads

_lock = threading.Lock()
_inside, _outside = 0, 1  # calls that run now, and the setting before the first of them: a new thread of torch begins with the one set last


@contextmanager
def limit_threads(n_threads: int | str) -> Iterator[None]:
    """Keep torch and BLAS on one thread and let compiled kernels use ``n_threads``; the caller's settings come back afterwards.

    ``"auto"`` is torch's own setting, which in a joblib worker is the worker's share of the cores. Kernels use it only where a step is big enough.
    """
    global _inside, _outside
    before = torch.get_num_threads()
    with _lock:
        _outside = before if _inside == 0 else _outside
        _inside += 1
    torch.set_num_threads(1)
    try:
        with allow_threads(before if n_threads == "auto" else int(n_threads)):
            yield
    finally:
        with _lock:
            _inside -= 1
            torch.set_num_threads(_outside if _inside == 0 else before)
