"""What happens to one pool when objects go over to another model: values go back, then others are held, some at a time.

In: the acts, and a place to read and write rows of pools. Out: what stands in the way, in words. Called by `holding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from gluon import errors, pools
from gluon.pools.tables import BLOCK, OF_CHUNK, OF_POOL, VALUE
from gluon.spi import store

_AT_ONCE = 200
"""Values of one session."""

_Key = tuple[store.Value, ...]


class Place(Protocol):
    """`spi.upgrade.Locked`, or a look beside the servers."""

    async def rows(self, table: str, column: str, values: Sequence[store.Value]) -> Sequence[store.Row]: ...

    async def found(
        self, table: str, columns: tuple[str, ...], values: Sequence[tuple[store.Value, ...]]
    ) -> Sequence[store.Row]: ...

    async def write(
        self, table: str, gone: Sequence[tuple[store.Value, ...]], rows: Sequence[store.Row]
    ) -> None: ...


@dataclass(slots=True)
class Acts:
    """What happens to one pool. `held`: with the object, for people."""

    supply: pools.Supply | None = None
    free: list[tuple[Any, str, int]] = field(default_factory=list)
    held: list[tuple[Any, str, str | None, str]] = field(default_factory=list)


async def settle(locked: Place, id_: str, acts: Acts) -> list[str]:
    """Do it to one pool, some values at a time; what stands in the way."""
    known = _Known(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f"))
    problems: list[str] = []
    await known.read(
        locked, [store.Lookup(BLOCK, OF_POOL, (id_,))]
    )  # few rows, and any of them may be asked for
    every = [*((True, one) for one in acts.free), *((False, one) for one in acts.held)]
    for start in range(0, len(every), _AT_ONCE):
        part = every[start : start + _AT_ONCE]
        await known.read(locked, pools.reads(id_, *(str(one[0]) for _, one in part)))
        while True:
            session = pools.Session(known)
            try:
                found = [said for frees, one in part if (said := _act(session, id_, acts, one, frees=frees))]
                break
            except _Unread as unread:
                await known.read(locked, unread.lookups)
        changes = store.Changes()
        session.flush(changes)
        await known.write(locked, changes.writes)
        problems += found
    return problems


def _act(session: pools.Session, id_: str, acts: Acts, one: tuple[Any, ...], *, frees: bool) -> str:
    if frees:
        value, holder, rest = one
        session.release(id_, value, holder, rest)
        return ""
    value, holder, project, where = one
    assert acts.supply is not None
    try:
        other = session.adopt(acts.supply, value, holder, project)
    except errors.Invalid as invalid:
        return f"{where}: {invalid.problems[0].message}"
    return f"{where}: {value} of {acts.supply.name} is in use by {other}" if other is not None else ""


class _Unread(Exception):
    def __init__(self, lookups: Sequence[store.Lookup]) -> None:
        self.lookups = lookups
        super().__init__("rows that were not read yet")


class _Known:
    """`store.View` of the tables of pools: the rows that were read under the lock, and what was written to them since."""

    revision = 0
    incarnation = ""

    def __init__(self, now: str) -> None:
        self.now = now
        self._keys = {t.name: t.key for t in pools.TABLES}
        self._asked: set[store.Lookup] = set()
        self._rows: dict[str, dict[_Key, store.Row]] = {name: {} for name in self._keys}
        self._chunks: dict[_Key, dict[_Key, store.Row]] = {}
        """Values by their place in the queue: each of thousands may look at its head."""

    def get(self, table: str, *key: store.Value) -> store.Row | None:
        self.prefetch([store.Lookup(table, self._keys[table], key)])
        return self._rows[table].get(key)

    def rows(
        self, table: str, columns: tuple[str, ...], values: tuple[store.Value, ...]
    ) -> Sequence[store.Row]:
        self.prefetch([store.Lookup(table, columns, values)])
        if columns == OF_CHUNK:
            return list(self._chunks.get(values, {}).values())
        return [r for r in self._rows[table].values() if tuple(r[c] for c in columns) == values]

    def prefetch(self, lookups: Sequence[store.Lookup]) -> None:
        unread = [one for one in lookups if not self._asked.intersection((one, self._whole(one)))]
        if unread:
            raise _Unread(unread)

    def _whole(self, one: store.Lookup) -> store.Lookup:
        """All that the pool has in that table."""
        return store.Lookup(one.table, one.columns[:1], one.values[:1])

    async def read(self, locked: Place, lookups: Sequence[store.Lookup]) -> None:
        fresh = [one for one in dict.fromkeys(lookups) if one not in self._asked]
        asked: dict[tuple[str, tuple[str, ...]], list[store.Lookup]] = {}
        for one in fresh:
            asked.setdefault((one.table, one.columns), []).append(one)
        for (table, columns), some in asked.items():
            for row in await locked.found(table, columns, [one.values for one in some]):
                key = tuple(row[c] for c in self._keys[table])
                if key not in self._rows[table]:
                    self._put(table, key, row)
        self._asked.update(fresh)

    async def write(self, locked: Place, writes: Iterable[store.Write]) -> None:
        """What is put was read before, so that it is known which rows are there."""
        last: dict[str, dict[tuple[store.Value, ...], store.Row | None]] = {name: {} for name in self._keys}
        for table, what in writes:
            if isinstance(what, dict):
                last[table][tuple(what[c] for c in self._keys[table])] = what
            else:
                last[table][what] = None
        for table, changed in last.items():
            there = self._rows[table]
            rows = {key: row for key, row in changed.items() if row is not None}
            gone = [key for key in changed if key in there or key not in rows]
            await locked.write(table, gone, list(rows.values()))
            for key, row in changed.items():
                self._put(table, key, row)
            self._asked.update(store.Lookup(table, self._keys[table], key) for key in changed)

    def _put(self, table: str, key: _Key, row: store.Row | None) -> None:
        before = self._rows[table].pop(key, None)
        if before is not None and table == VALUE:
            self._chunk(before).pop(key, None)
        if row is not None:
            self._rows[table][key] = row
            if table == VALUE:
                self._chunk(row)[key] = row

    def _chunk(self, row: store.Row) -> dict[_Key, store.Row]:
        return self._chunks.setdefault(tuple(row[c] for c in OF_CHUNK), {})
