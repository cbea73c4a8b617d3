"""One pool of threads for blocks of compiled work, and one switch that keeps BLAS on one thread meanwhile.

OpenMP and BLAS threads meet at every call and spin while they wait; blocks of a batch meet once. The pool is started when it is first
needed, is not inherited by a forked child, and what a block computes does not depend on how many threads share the blocks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

WORTH_THREADS = 10_000_000  # multiplications (0.2 to 0.4 ms) below which waking another thread costs more than it saves

_allowed = threading.local()
_pool: ThreadPoolExecutor | None = None
_lock = threading.Lock()
_single_users = 0
_before: list[tuple[Any, int]] = []  # threads of the BLAS libraries before the first of them


def n_threads() -> int:
    """Threads that compiled work may use in the calling thread; 1 unless :func:`allow_threads` says otherwise."""
    return getattr(_allowed, "n", 1)


@contextmanager
def allow_threads(n: int) -> Iterator[None]:
    """Let compiled work of the calling thread use ``n`` threads, and BLAS one."""
    before = n_threads()
    _allowed.n = n
    try:
        with single_blas():
            yield
    finally:
        _allowed.n = before


def run_blocks(work: Callable[[int], object], n_blocks: int, *, worth_threads: bool) -> None:
    """Call ``work(k)`` for every block, on several threads if that is allowed and worth it."""
    n = min(n_threads(), n_blocks) if worth_threads else 1
    if n == 1:
        return _every(work, range(n_blocks))
    others = [_shared_pool().submit(_every, work, range(i, n_blocks, n)) for i in range(1, n)]
    try:
        _every(work, range(0, n_blocks, n))
    finally:
        wait(others)
    for other in others:
        other.result()


def _every(work: Callable[[int], object], blocks: Sequence[int]) -> None:
    for k in blocks:
        work(k)


def _shared_pool() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(), "skrnn")
        return _pool


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def single_blas() -> Iterator[None]:
    """Keep BLAS on one thread while at least one caller is inside; its setting belongs to the process, so callers are counted."""
    global _single_users, _before
    with _lock:
        if _single_users == 0:
            _before = [(library, library.get_num_threads()) for library in _blas().lib_controllers]
            _set(1 for _ in _before)
        _single_users += 1
    try:
        yield
    finally:
        with _lock:
            _single_users -= 1
            if _single_users == 0:
                _set(n for _, n in _before)


def _set(numbers: Iterable[int]) -> None:
    for (library, _), n in zip(_before, numbers, strict=True):
        library.set_num_threads(n)


def _forget_after_fork() -> None:
    global _pool, _lock, _single_users
    _pool, _lock, _single_users = None, threading.Lock(), 0
    _allowed.n = 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
