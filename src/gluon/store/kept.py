"""What most batches look at (counts of quotas, where pools are, services), kept from one for the next: it would cost a trip.

In: the overlay of a batch that was committed, and the revision it came to. Out: those rows for the next one, if no other
process has written since: whoever writes takes a revision, under the lock under which ours is read. Called by `deciding`.
"""

from __future__ import annotations

from time import monotonic

from gluon.spi import store
from gluon.store.overlay import Overlay
from gluon.store.shape import Key

Mark = tuple[str, int, int]
"""Incarnation, epoch and the last revision: a state of the database."""

_SECONDS = 1.0
"""What somebody wrote by hand counts after that."""


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
        self._rows = dict(overlay.kept())
        self._mark = mark
