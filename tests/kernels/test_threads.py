import subprocess
import sys
import threading
from itertools import pairwise

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skrnn.kernels import Layout, allow_threads, big_matmul, n_threads, reservoir
from skrnn.kernels._layout import even_blocks
from skrnn.kernels._threads import run_blocks


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture
def two_blas_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def run_a_kernel():
    x = np.ones((40, 3))
    reservoir["tanh"](Layout.of(np.full(2, 20)), False, x, np.eye(3), np.zeros((20, 3)), None)


def multiply():
    big_matmul(np.ones((50, 4)), np.ones((4, 4)))


@pytest.mark.parametrize("worth_threads", [False, True])
@pytest.mark.parametrize("n_blocks", [1, 2, 7])
def test_every_block_is_done_once(n_blocks, worth_threads):
    done = []
    with allow_threads(2):
        run_blocks(done.append, n_blocks, worth_threads=worth_threads)
    assert sorted(done) == list(range(n_blocks))


def test_blocks_run_on_as_many_threads_as_are_allowed():
    both_here = threading.Barrier(2, timeout=10)
    with allow_threads(2):
        run_blocks(lambda k: both_here.wait(), 2, worth_threads=True)  # one thread would wait for itself


def test_blocks_run_here_unless_it_is_allowed_and_worth_it():
    used = set()
    run_blocks(lambda k: used.add(threading.get_ident()), 4, worth_threads=True)
    with allow_threads(2):
        run_blocks(lambda k: used.add(threading.get_ident()), 4, worth_threads=False)
    assert used == {threading.get_ident()}


@pytest.mark.parametrize("failing", range(4))
def test_the_error_of_a_block_reaches_the_caller(failing):
    def work(k):
        if k == failing:
            raise ValueError(f"block {k}")

    with allow_threads(2), pytest.raises(ValueError, match=f"block {failing}"):
        run_blocks(work, 4, worth_threads=True)


def test_the_number_of_threads_belongs_to_the_caller_and_comes_back():
    seen = []
    with allow_threads(2):
        with allow_threads(3):
            assert n_threads() == 3
        other = threading.Thread(target=lambda: seen.append(n_threads()))
        other.start()
        other.join()
        assert n_threads() == 2
    assert n_threads() == 1
    assert seen == [1]


@pytest.mark.usefixtures("two_blas_threads")
@pytest.mark.parametrize("call", [run_a_kernel, multiply])
def test_blas_gets_its_threads_back_after_a_call(call):
    before = blas_threads()
    call()
    with allow_threads(2):
        call()
        assert blas_threads() == {1}
    assert before == blas_threads() == {2}


def fail():
    with allow_threads(2):
        run_blocks(lambda k: 1 / (k - 1), 2, worth_threads=True)


@pytest.mark.usefixtures("two_blas_threads")
@pytest.mark.parametrize("call", [fail, lambda: big_matmul(np.ones((4, 3)), np.ones((4, 3)))], ids=["in a block", "in a product"])
def test_blas_gets_its_threads_back_after_an_error(call):
    with pytest.raises((ValueError, ZeroDivisionError)):
        call()
    assert blas_threads() == {2}
    assert n_threads() == 1


@pytest.mark.parametrize("sizes", [[40] * 5, list(range(40, 0, -1)), [300, 2, 1, 1], [1, 1]], ids=["equal", "ragged", "one long", "one"])
def test_blocks_hold_every_sequence_and_about_as_many_steps(sizes):
    edges = even_blocks(Layout.of(np.array(sizes)))
    lengths = [sum(size > k for size in sizes) for k in range(sizes[0])]
    steps = [sum(lengths[low:high]) for low, high in pairwise(edges)]
    assert edges[0] == 0
    assert edges[-1] == sizes[0]
    assert edges == sorted(edges)
    assert max(steps) <= sum(sizes) / len(steps) + max(lengths)


FORK = """
import os, numpy as np, torch
from skrnn.cells import GRU
from skrnn.engine import pack, scan
from skrnn.data import as_sequences
from skrnn.kernels import _loop, allow_threads
_loop.WORTH_THREADS = 0
batch, cell = pack(as_sequences(np.ones((40, 6, 3)))), GRU().build(3, 8)
lstm = torch.nn.LSTM(3, 64)
def work():
    with allow_threads(2):
        y = scan(cell, batch)[0].data
    return y, lstm(batch)[0].data, torch.ones(600, 600) @ torch.ones(600, 600)
torch.set_num_threads(2)
before = work()
child = os.fork()
if child == 0:
    after = work()
    os._exit(0 if torch.equal(before[0], after[0]) and torch.get_num_threads() == 1 else 3)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_computes_on():
    """OpenMP's threads and the pool's do not live in the child: who waits for them waits for ever."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], timeout=30, check=False)
    assert done.returncode == 0
