"""What most batches look at (counts of quotas, where pools are, services), and what one is said to look at soon, kept from one for the
next: it would cost a trip.

In: the overlay of a batch that was committed, and the revision it came to. Out: those rows for the next one, if no other
process has written since: whoever writes takes a revision, under the lock under which ours is read. Called by `deciding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from time import monotonic

from gluon.spi import store
from gluon.store.overlay import NotLoaded, Overlay
from gluon.store.shape import Key

Mark = tuple[str, int, int]
"""Incarnation, epoch and the last revision: a state of the database."""

_SECONDS = 1.0
"""What somebody wrote by hand counts after that."""
_BATCHES = 8
"""What was to be looked at soon is forgotten after so many: each costs all that is kept."""
_MOST = 64
"""Look-ups of which the rows are kept."""


class Kept:
    """Of one connection: after another one is made, the database may be one that has lost revisions."""

    __slots__ = ("_mark", "_rows", "_soon", "_until")

    def __init__(self) -> None:
        self._mark: Mark | None = None
        self._rows: dict[str, dict[Key, store.Row | None]] = {}
        self._soon: dict[store.Lookup, tuple[int, Sequence[store.Row]]] = {}
        """For how many batches more, and what is found."""
        self._until = 0.0

    def give(self, overlay: Overlay, mark: Mark) -> None:
        """What is known already in the state that a batch begins with."""
        now = monotonic()
        if mark != self._mark or now >= self._until:
            self._until = now + _SECONDS
            self._soon = {}
            return
        for name, rows in self._rows.items():
            overlay.seed(name, rows)
        for lookup, (_, found) in self._soon.items():
            overlay.load(lookup.table, lookup.columns, (lookup.values,), found)

    def look(self, reads: Iterable[store.Lookup]) -> None:
        """A unit looks at these, as was said."""
        if self._soon:
            for lookup in reads:
                self._soon.pop(lookup, None)

    def take(self, overlay: Overlay, mark: Mark, soon: Sequence[store.Lookup] = ()) -> None:
        """What is known in the state that it has come to. `soon`: what is going to be looked at."""
        self._rows = dict(overlay.kept())
        self._mark = mark
        if soon or self._soon:
            left = {lookup: batches - 1 for lookup, (batches, _) in self._soon.items() if batches > 1}
            left.update(dict.fromkeys(soon[:_MOST], _BATCHES))
            self._soon = {}
            for lookup in list(left)[-_MOST:]:
                with suppress(NotLoaded):
                    found = overlay.rows(lookup.table, lookup.columns, lookup.values)
                    self._soon[lookup] = left[lookup], found
