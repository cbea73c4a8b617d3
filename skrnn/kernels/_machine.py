"""From LLVM's text to functions of this machine, and the files in which they are kept.

A file is found by a hash of the text, the CPU with its features and llvmlite's version; it is written under another name and moved to its place, so
that another process never sees half of it. Where nothing can be written nothing is kept. ``SKRNN_CACHE_DIR`` says where the files stand, else the
user's directory for caches.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
from numpy.typing import NDArray

from ._ir import module_text
from ._products import products

KINDS = {4: "float", 8: "double"}  # by the bytes of a number
_lock = threading.Lock()
_announce: ContextVar[Callable[[], object] | None] = ContextVar("announce", default=None)
_MAGIC = b"skrnn1\n"
Pass = Any  # a function of C: steps, descending, low, high, sizes, starts, table
_SIGNATURE = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 4, *[ctypes.c_void_p] * 3)


@cache
def _host() -> tuple[str, str, str]:
    """Triple, CPU and features of this machine."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@cache
def lanes() -> int:
    """float32 numbers in a vector of this machine."""
    features = set(_host()[2].split(","))
    return 16 if "+avx512f" in features else 8 if "+avx" in features else 4


def _target(machine: tuple[str, str, str]) -> Any:
    triple, cpu, features = machine
    return llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, features=features, opt=3, jit=True)


def object_code(text: str, triple: str, cpu: str, features: str) -> bytes:
    """The text compiled for a machine."""
    target = _target((triple, cpu, features))
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = triple, str(target.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = True
    llvm.create_pass_builder(target, options).getModulePassManager().run(module, llvm.create_pass_builder(target, options))
    return target.emit_object(module)


class Compiled:
    """Passes that can be called.

    Parameters
    ----------
    text : str
        All functions, but for those of :func:`products`.
    names : list of str
        Those that are called.
    """

    def __init__(self, text: str, names: list[str]) -> None:
        with _lock:
            self._engine = _engine_of(_shared_code(), _code(text))
            self.passes: dict[str, Pass] = {name: _SIGNATURE(self._engine.get_function_address(name)) for name in names}


def _engine_of(*objects: bytes) -> Any:
    """Where the functions of objects can be called, as long as it is there."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target(_host()))
    for code in objects:
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


class Functions:
    """Functions of sizes and arrays by their names.

    Parameters
    ----------
    code : bytes
        The object that they are in.
    counts : dict of str to (int, int)
        How many sizes each takes, and how many arrays after them.
    """

    def __init__(self, code: bytes, counts: dict[str, tuple[int, int]]) -> None:
        with _lock:
            self._engine = _engine_of(code)
            self._found = {}
            for name, (n_sizes, n_arrays) in counts.items():
                signature = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * n_sizes, *[ctypes.c_void_p] * n_arrays)
                self._found[name] = signature(self._engine.get_function_address(name))

    def __getitem__(self, name: str) -> Any:
        return self._found[name]


def functions_of(text: str, counts: dict[str, tuple[int, int]]) -> Functions:
    """The functions of a text: see :class:`Functions`."""
    with _lock:
        code = _code(text)
    return Functions(code, counts)


@cache
def _shared() -> Functions:
    """The functions of :func:`products` that are called from here."""
    with _lock:
        code = _shared_code()
    counts = {"product": (4, 3), "outer": (5, 3), "panels": (4, 2)}
    return Functions(code, {f"{name}_{kind}": count for name, count in counts.items() for kind in KINDS.values()})


def outer_sum(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> None:
    """Add ``a.T @ b`` to ``out``, which is contiguous, as the rows of a and b are; all of them of the same type."""
    size = a.itemsize
    add = _shared()[f"outer_{KINDS[size]}"]
    add(len(a), a.strides[0] // size, b.strides[0] // size, a.shape[1], b.shape[1], a.ctypes.data, b.ctypes.data, out.ctypes.data)


def lay_panels(size: int, shape: Sequence[int], strides: Sequence[int], source: int, to: int) -> None:
    """Weights (inner, width) of numbers of ``size`` bytes, which lie ``strides`` numbers apart, as panels; source and goal are addresses."""
    _shared()[f"panels_{KINDS[size]}"](*shape, *strides, source, to)


def times_panels(x: NDArray[Any], panels: NDArray[Any], out: NDArray[Any]) -> None:
    """``x`` times weights in panels; all of them contiguous, and the rows of ``out`` as wide as the panels."""
    multiply, (n, inner) = _shared()[f"product_{KINDS[x.itemsize]}"], x.shape
    multiply(n, inner, inner, out.shape[1], x.ctypes.data, panels.ctypes.data, out.ctypes.data)


@cache
def _shared_code() -> bytes:
    """The products that all programs call."""
    return _code(module_text(products(lanes())))


def _code(text: str) -> bytes:
    """The object of a text: kept, or compiled now."""
    path = _path(text, *_host())
    code = _read(path)
    if code is None:
        if (say := _announce.get()) is not None:
            say()
        code = object_code(text, *_host())
        _write(path, code)
    return code


@contextmanager
def announcing(say: Callable[[], object] | None) -> Iterator[None]:
    """Call ``say`` before anything is compiled, in this thread."""
    token = _announce.set(say)
    try:
        yield
    finally:
        _announce.reset(token)


def cache_directory() -> Path | None:
    """Where compiled programs are kept."""
    told = os.environ.get("SKRNN_CACHE_DIR")
    if told == "":
        return None
    if told:
        return Path(told)
    home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(home) if home else Path.home() / ".cache") / "skrnn"
    except RuntimeError:  # a user without a home
        return None


def _path(text: str, *machine: str) -> Path | None:
    directory = cache_directory()
    if directory is None:
        return None
    key = hashlib.sha256("\n".join([llvmlite.__version__, *machine, text]).encode()).hexdigest()[:40]
    return directory / key[:2] / f"{key[2:]}.o"


def _read(path: Path | None) -> bytes | None:
    try:
        data = path.read_bytes() if path else b""
    except OSError:
        return None
    start = len(_MAGIC) + 32
    whole = data[: len(_MAGIC)] == _MAGIC and hashlib.sha256(data[start:]).digest() == data[len(_MAGIC) : start]
    return data[start:] if whole else None


def _write(path: Path | None, code: bytes) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + hashlib.sha256(code).digest() + code)
        os.replace(name, path)
    except OSError:
        return
