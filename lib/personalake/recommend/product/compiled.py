"""Kernels are compiled where numba is installed, and are plain Python where it is not."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., object])

HAS_NUMBA = importlib.util.find_spec("numba") is not None
"""A cluster may be without it: callers then take numpy or scipy instead of a kernel."""


def compiled(function: F) -> F:
    """Compile a kernel when it is first called; its machine code is kept beside the source for other processes."""
    return _compiled(function, {})


def compiled_unordered(function: F) -> F:
    """The same for a reduction over finite numbers whose order does not matter, such as a maximum: it is vectorised."""
    return _compiled(function, {"fastmath": {"nnan", "ninf", "nsz", "reassoc"}})


def _compiled(function: F, options: dict[str, Any]) -> F:
    if not HAS_NUMBA:
        return function
    from numba import njit

    kept: F = njit(cache=True, nogil=True, **options)(function)
    return kept


def _prefetch() -> Callable[[Any, int], None]:
    """A call that has an entry of an array brought into the cache; beyond the array's end it does nothing."""
    if not HAS_NUMBA:
        return lambda array, place: None
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    def typed(context: Any, array: Any, place: Any) -> Any:
        def generate(codegen: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = codegen.make_array(signature.args[0])(codegen, builder, arguments[0]).data
            byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            name = "llvm.prefetch"
            function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
            pointer = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
            # To be read (0), into the nearest cache (3), as data (1).
            builder.call(function, [pointer, *(ir.Constant(number, flag) for flag in (0, 3, 1))])
            return codegen.get_dummy_value()

        return types.void(array, place), generate

    made: Any = intrinsic(typed)
    return cast(Callable[[Any, int], None], made)


prefetch = _prefetch()
