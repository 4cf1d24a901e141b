"""When Python looks for cycles: not while models are made or modules loaded, as thousands of objects all stay, nor again at what has stayed.

Called by mains: around importing, loading and compiling, where the looks cost a fifth of the start; and once all of that is done.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

_FULL = 2
_MUCH = 5_000
"""Objects that a full look goes through in five milliseconds."""


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


def settle(*thresholds: int) -> None:
    """What there is by now stays, and so does what a full look has found in use once it is much: no later one goes through it.

    A process that holds the state of a hundred thousand ports stood still for a second and more at each full look. What stays has no
    cycles but for the few that were under way just then, which stay for good: hence only where it is much.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
    if _looked not in gc.callbacks:
        gc.callbacks.append(_looked)


def _looked(phase: Literal["start", "stop"], info: Mapping[str, Any]) -> None:
    if phase == "stop" and info["generation"] == _FULL and len(gc.get_objects(_FULL)) >= _MUCH:
        gc.freeze()
