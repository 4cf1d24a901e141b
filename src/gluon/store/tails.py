"""The journal as who follows it reads it: whole revisions, oldest first. Called by `sql`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter

from gluon import errors
from gluon.objects import journal
from gluon.store import texts
from gluon.store.deciding import entry_of
from gluon.store.install import Fetching

_place = attrgetter("revision", "n")


async def tail(readers: Fetching, after: int, *, limit: int, intent: bool) -> Sequence[journal.Entry]:
    """A revision that the limit cuts is left for the next call; if it is the only one, read whole."""
    if intent:
        rows = await readers.fetch(texts.TAIL_INTENT, after, True, limit)
    else:
        rows = await readers.fetch(texts.TAIL, after, limit)
    return await _whole(readers, [entry_of(row) for row in rows], limit, lambda e: e.intent or not intent)


async def tail_of(
    readers: Fetching, types: Sequence[str], after: int, *, limit: int
) -> Sequence[journal.Entry]:
    """The database leaves out the others."""
    rows = await readers.fetch(texts.tail_of(len(types)), after, *types, limit)
    return await _whole(readers, [entry_of(row) for row in rows], limit, lambda e: e.type in types)


async def tail_and_epoch(readers: Fetching, after: int, *, limit: int) -> tuple[Sequence[journal.Entry], int]:
    """Those of intent, and the schema epoch of the same moment."""
    rows = await readers.fetch(texts.TAIL_AND_EPOCH, after, True, limit)
    epochs = [row[0] for row in rows if row[1] is None]
    if not epochs:
        raise errors.Unavailable("the database has no tables of ours yet")
    entries = [entry_of(row) for row in rows if row[1] is not None]
    entries.sort(key=_place)
    return await _whole(readers, entries, limit, lambda e: e.intent), int(epochs[0])


async def entry(readers: Fetching, revision: int) -> Sequence[journal.Entry]:
    return [entry_of(row) for row in await readers.fetch(texts.ENTRY, revision)]


async def _whole(
    readers: Fetching,
    entries: Sequence[journal.Entry],
    limit: int,
    wanted: Callable[[journal.Entry], bool],
) -> Sequence[journal.Entry]:
    if len(entries) < limit or not entries:
        return entries
    last = entries[-1].revision
    if entries[0].revision != last:
        return [e for e in entries if e.revision != last]
    return [e for e in await entry(readers, last) if wanted(e)]
