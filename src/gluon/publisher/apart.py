"""What the journal does not hold, read from rows while entries are published.

In: entries of the journal, the projection. Out: `Apart`, which adds to each entry's keys those made from its row
(`/gluon/secret/…`). Invariant: rows are read after the entries, so a row is as new as its entry or newer, and
never older; what made it newer is an entry that comes later and brings the object to the same revision. Until then the
two are apart (`Ahead`): a database that goes back in that moment may never have that entry. Called by `relay`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from gluon.objects import journal
from gluon.spi import projection, store

Place = tuple[str, store.Value]
"""Table and key of a row."""

_AT_ONCE = 200


class Apart:
    """Which rows were found; a projection of entries with all their keys."""

    __slots__ = ("_picture", "_rows")

    def __init__(self, picture: projection.Projection, rows: Mapping[Place, store.Row | None]) -> None:
        self._picture = picture
        self._rows = rows

    @property
    def any(self) -> bool:
        """Whether any row was found or missed."""
        return bool(self._rows)

    def of_entry(self, entry: journal.Entry) -> Sequence[tuple[str, bytes | None]]:
        """What is apart stands before its object, so that it is never in a later Txn."""
        found = self._picture.of_entry(entry)
        if not self._rows:
            return found
        place = self._picture.apart(entry)
        if place is None:
            return found
        return [*self._picture.of_apart(entry, self._rows.get(place)), *found]

    def whole(self, entry: journal.Entry) -> tuple[Place, bool] | None:
        """Whether what this entry publishes of its row is of its own revision; None if there is no such part."""
        place = self._picture.apart(entry) if self._rows else None
        if place is None:
            return None
        row = self._rows.get(place)
        return place, entry.new is None or (row is not None and self._picture.made(entry, row))


class Ahead:
    """Which objects in etcd have a part of a later revision than the cursor's."""

    def __init__(self) -> None:
        self._places: set[Place] = set()
        self._coming: list[tuple[int, Place, bool]] = []

    def __bool__(self) -> bool:
        return bool(self._places)

    def expect(self, entries: Sequence[journal.Entry], parts: Apart) -> None:
        """These entries are published next."""
        if not parts.any:
            self._coming = []
            return
        told = ((entry.revision, parts.whole(entry)) for entry in entries)
        self._coming = [(revision, *found) for revision, found in told if found is not None]

    def reach(self, revision: int) -> None:
        """Everything up to `revision` is published."""
        while self._coming and self._coming[0][0] <= revision:
            _, place, whole = self._coming.pop(0)
            if whole:
                self._places.discard(place)
            else:
                self._places.add(place)


async def read(
    database: store.Store, picture: projection.Projection, entries: Sequence[journal.Entry]
) -> Apart:
    """The rows of entries that have a part in them. Raises `Unavailable`."""
    if not picture.parted:
        return Apart(picture, {})
    places = list(dict.fromkeys(p for entry in entries if (p := picture.apart(entry)) is not None))
    rows: dict[Place, store.Row | None] = {}
    for start in range(0, len(places), _AT_ONCE):
        some = places[start : start + _AT_ONCE]
        found = await asyncio.gather(*(database.get(table, key) for table, key in some))
        rows.update(zip(some, found, strict=True))
    return Apart(picture, rows)
