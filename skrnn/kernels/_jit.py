"""How the compiled functions are compiled: with vectors as wide as the CPU has them.

LLVM stops at 256 bits on most CPUs that have 512, for the sake of programs that only now and then do arithmetic; a kernel does nothing else.
A CPU without such vectors is not told apart: the wish changes nothing there.
"""

from __future__ import annotations

from typing import Any

from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import BaseNativeLowering, NativeLowering


class _WideLower(Lower):
    def lower_normal_function(self, fndesc):
        super().lower_normal_function(fndesc)
        set.add(self.function.attributes, '"prefer-vector-width"="512"')  # llvmlite's own `add` knows only attributes without a value


@register_pass(mutates_CFG=True, analysis_only=False)
class _WideLowering(BaseNativeLowering):
    _name = "wide_native_lowering"
    lowering_class = _WideLower


class _Compiler(CompilerBase):
    def define_pipelines(self) -> list[PassManager]:
        passes = PassManager("wide vectors")
        for each, what in DefaultPassBuilder.define_nopython_pipeline(self.state).passes:
            passes.add_pass(_WideLowering if each is NativeLowering else each, what)
        passes.finalize()
        return [passes]


_ALL: dict[str, Any] = {"error_model": "numpy", "pipeline_class": _Compiler}
# sums stay in the order they are written in, and quotients are exact: those of vectors would be estimated, and those of single numbers would not
JIT = {**_ALL, "fastmath": {"nnan", "ninf", "nsz", "contract", "afn"}}
EXACT = {**_ALL, "fastmath": {"contract"}}  # what is not finite stays so
