"""When Python looks for cycles: not while models are made or modules loaded, as thousands of objects all stay, and seldom at what has stayed.

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


class _Looks:
    """What becomes of what a full look has found in use: where it is much, later ones go past it. So does what refers to itself
    and ends only later, like a connection: hence all of it is looked at again once it is twice as much."""

    def __init__(self) -> None:
        self._usual = 0
        """Objects that were gone past after the last look at all."""
        self._past = 0
        """As many are gone past by now, or fewer: to count them takes ten milliseconds for 200,000."""
        self._all = False
        """Whether the next look is at all."""

    def begin(self) -> None:
        """What there is by now stays."""
        gc.collect()
        gc.freeze()
        self._usual = self._past = gc.get_freeze_count()
        if self.told not in gc.callbacks:
            gc.callbacks.append(self.told)

    def told(self, phase: Literal["start", "stop"], info: Mapping[str, Any]) -> None:
        """`gc.callbacks`."""
        if phase == "start" or info["generation"] != _FULL:
            return
        found = len(gc.get_objects(_FULL))
        if found < _MUCH:
            return
        gc.freeze()
        self._past += found
        if not self._all and self._past <= 2 * self._usual:
            return
        self._past = gc.get_freeze_count()
        if self._all:
            self._usual, self._all = self._past, False
        elif self._past > 2 * self._usual:
            self._all = True
            gc.unfreeze()


_looks = _Looks()


def settle(*thresholds: int) -> None:
    """All is loaded: from now on a full look goes through what is new.

    A process that holds the state of a hundred thousand ports stood still for a second and more at each.
    """
    _looks.begin()
    gc.set_threshold(*thresholds)
