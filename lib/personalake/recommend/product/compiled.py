"""Kernels are compiled where numba is installed, and are plain Python where it is not."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, TypeVar

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
