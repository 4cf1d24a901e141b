"""What a watcher missed before it is live: from the ring, or from the journal where that is too short.

In: a place in history. Out: text of bounded size, piece by piece. Invariant: nothing between two pieces is left out;
where something may be, `Expired` is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec

from gluon.objects import journal
from gluon.spi import store
from gluon.watch import tokens
from gluon.watch.interest import Interest
from gluon.watch.ring import Ring
from gluon.watch.told import Told

_ROWS = 64
_PIECE = 256 * 1024

Prepare = Callable[[Sequence[journal.Entry]], Awaitable[list[Told]]]


class Piece(msgspec.Struct, frozen=True):
    """All up to `after` is in it and those before. `complete`: the ring has no more now."""

    text: bytes
    after: int
    complete: bool = False


class Backlog:
    """`reading` bounds how many read the journal at once."""

    def __init__(
        self, database: store.Store, ring: Ring, prepare: Prepare, reading: asyncio.Semaphore
    ) -> None:
        self._store, self._ring = database, ring
        self._prepare, self._reading = prepare, reading

    async def more(self, interest: Interest, place: tokens.Token) -> Piece:
        """The next piece. If it is `complete`, nothing was awaited since the ring was read."""
        if place.revision >= self._ring.floor:
            return _piece(interest, self._ring.after(place.revision), place.revision)
        floor = self._ring.floor
        async with self._reading:
            entries = await self._store.tail(place.revision, limit=_ROWS)
            check(place, await self._store.position(), place.models)
            if not entries:
                return Piece(b"", floor)  # so there was nothing up to the ring's beginning
            lines = _lines(interest, await self._prepare(entries))
        return Piece(b"".join(lines), entries[-1].revision)


def _piece(interest: Interest, changes: Iterable[Told], after: int) -> Piece:
    """Whole revisions, until it is large."""
    parts: list[bytes] = []
    size = 0
    for change in changes:
        if size > _PIECE and change.revision != after:
            return Piece(b"".join(parts), after)
        after = change.revision
        for line in _lines(interest, (change,)):
            parts.append(line)
            size += len(line)
    return Piece(b"".join(parts), after, complete=True)


def _lines(interest: Interest, changes: Iterable[Told]) -> list[bytes]:
    return [line for change in changes if (line := interest.line(change)) is not None]


def check(place: tokens.Token, position: journal.Position, models: str) -> None:
    """Raises `Expired` where the journal may lack something after a place, or it is of another history."""
    if place.incarnation != position.incarnation or place.revision > position.revision:
        raise tokens.expired("the token is of another history of the database")
    if place.models != models:
        raise tokens.expired("a model was replaced since the token was given")
    if place.revision != position.revision and not 0 < position.oldest <= place.revision + 1:
        raise tokens.expired("the journal no longer has what came after the token")
