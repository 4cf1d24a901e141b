"""Counts of quotas and their limits, and where pools are, kept from one batch for the next: each would cost a trip.

In: the overlay of a batch that was committed, and the revision it came to. Out: those rows for the next one, if no other
process has written since: whoever writes takes a revision, under the lock under which ours is read. Called by `deciding`.
"""

from __future__ import annotations

from time import monotonic

from gluon.pools.tables import POOL
from gluon.spi import store, usage
from gluon.store.overlay import Overlay
from gluon.store.shape import Key

Mark = tuple[str, int, int]
"""Incarnation, epoch and the last revision: a state of the database."""

TABLES = (usage.TABLE.name, usage.LIMITS.name, POOL)
_SECONDS = 1.0
"""What somebody wrote by hand counts after that."""
_MOST = 1000


class Kept:
    """Of one connection: after another one is made, the database may be one that has lost revisions."""

    __slots__ = ("_mark", "_rows", "_until")

    def __init__(self) -> None:
        self._mark: Mark | None = None
        self._rows: dict[str, dict[Key, store.Row | None]] = {}
        self._until = 0.0

    def give(self, overlay: Overlay, mark: Mark) -> None:
        """What is known already in the state that a batch begins with."""
        now = monotonic()
        if mark != self._mark or now >= self._until:
            self._until = now + _SECONDS
            return
        for name, rows in self._rows.items():
            overlay.seed(name, rows)

    def take(self, overlay: Overlay, mark: Mark) -> None:
        """What is known in the state that it has come to."""
        self._rows = {name: rows for name in TABLES if 0 < len(rows := overlay.held(name)) <= _MOST}
        self._mark = mark
