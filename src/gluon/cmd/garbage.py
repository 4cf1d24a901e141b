"""Garbage collection while models are made or modules loaded: thousands of objects that all stay.

Called by mains around importing, loading and compiling; the collector's looks cost a fifth of the start.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No look for cycles inside. Nothing here may wait: it holds for the whole process."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
