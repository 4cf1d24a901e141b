"""Whether etcd went back to an older snapshot of itself: its cursor says a lower revision than it said before.

In: cursors as they are seen. Out: whether one is of before. Invariants: a cursor that was made anew (etcd was wiped) or is of
another history of the database (a rebase) never is; one that is counts in the end: database and etcd may both have been set back, and then
nobody will bring what was there. Called by `cache`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from gluon.spi.bus import KeyValue

log = structlog.get_logger(__name__)


_TIMES = 10
"""How often `patience` it may take where the cursor moves: who catches up is faster."""


class History:
    """`believe` is called with a cursor that is back and has not moved for `patience` seconds, or moves for long and does not come
    where it was: others go on to write in a database that was set back as well."""

    def __init__(self, patience: float, believe: Callable[[KeyValue], None]) -> None:
        self._patience = patience
        self._believe = believe
        self._newest: tuple[int, bytes, int] | None = None
        """When the cursor was made, of which incarnation it was, and the revision that it has reached."""
        self._timer: asyncio.TimerHandle | None = None
        self._found = b""
        """The cursor for which the timer runs."""
        self._until = 0.0
        """When it is believed though it moves."""

    def went_back(self, cursor: KeyValue) -> bool:
        """Of a cursor that says that etcd is whole."""
        found, newest = _place(cursor), self._newest
        if found is None or newest is None or found[:2] != newest[:2] or found[2] >= newest[2]:
            self._newest = found
            self.stop()
            return False
        if cursor.value != self._found:
            loop = asyncio.get_running_loop()
            if self._timer is None:
                log.warning("etcd was set back, waiting for what is missing", seen=newest[2], found=found[2])
                self._until = loop.time() + _TIMES * self._patience
            self.stop()
            self._found = cursor.value
            at = min(loop.time() + self._patience, self._until)
            self._timer = loop.call_at(at, self._give_up, cursor)
        return True

    def stop(self) -> None:
        """Nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._found = None, b""

    def _give_up(self, cursor: KeyValue) -> None:
        log.warning("nobody brings what etcd had before it was set back")
        self.stop()
        self._newest = None
        self._believe(cursor)


def _place(cursor: KeyValue) -> tuple[int, bytes, int] | None:
    """None for a value that is none of the publisher's."""
    parts = cursor.value.removesuffix(b".ahead").rsplit(b".", 2)
    if len(parts) != 3 or not parts[1].isdigit():
        return None
    return cursor.create_revision, parts[0], int(parts[1])
