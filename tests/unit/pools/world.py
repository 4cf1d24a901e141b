"""A database in memory that runs units as the store does, and counts the rounds that one costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from gluon import errors, pools
from gluon.spi import store
from gluon.values.space import Numbers, Space

T = TypeVar("T")

KEYS = {t.name: t.key for t in pools.TABLES}
COLUMNS = {t.name: {c.name for c in t.columns} for t in pools.TABLES}


class World:
    """`store.View` of committed rows. `rounds`: look-ups of the last unit beyond those declared."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[tuple[store.Value, ...], store.Row]] = {name: {} for name in KEYS}
        self.clock = datetime.fromisoformat("2026-01-01T00:00:00")
        self.revision = 1
        self.incarnation = "i"
        self._seen: set[object] = set()

    @property
    def now(self) -> str:
        return self.clock.isoformat(timespec="microseconds")

    @property
    def rounds(self) -> int:
        return len(self._seen)

    def get(self, table: str, *key: store.Value) -> store.Row | None:
        self._seen.add((table, KEYS[table], key))
        return self.tables[table].get(key)

    def rows(
        self, table: str, columns: tuple[str, ...], values: tuple[store.Value, ...]
    ) -> Sequence[store.Row]:
        self._seen.add((table, columns, values))
        found = self.tables[table]
        return [found[k] for k in sorted(found, key=str) if tuple(found[k][c] for c in columns) == values]

    def prefetch(self, lookups: Sequence[store.Lookup]) -> None:
        self._seen.update((x.table, x.columns, x.values) for x in lookups)

    def unit(self, act: Callable[[pools.Session], T], *, project: str | None = None) -> T:
        """Decide, then write. What is refused leaves nothing."""
        self._seen.clear()
        session = pools.Session(self, project=project)
        result = act(session)
        changes = store.Changes()
        session.flush(changes)
        self.write(changes.writes)
        return result

    def take_next(self, supply: pools.Supply, holder: str) -> int | str | None:
        """A unit that takes in the short way; None if that leaves it to a session."""
        taken = pools.take_next(self, supply, holder, None)
        if taken is None:
            return None
        value, writes = taken
        self.write(writes)
        return value

    def write(self, writes: Iterable[store.Write]) -> None:
        for table, write in writes:
            if isinstance(write, tuple):
                self.tables[table].pop(write, None)
            else:
                assert set(write) == COLUMNS[table]
                self.tables[table][tuple(write[k] for k in KEYS[table])] = write

    def refused(self, act: Callable[[pools.Session], object], *, project: str | None = None) -> str:
        """The code of the refusal."""
        try:
            self.unit(act, project=project)
        except errors.Rejected as error:
            return error.code
        raise AssertionError("not refused")

    def sleep(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)

    def values(self, *, held: bool) -> list[str]:
        return sorted(
            str(r["value"])
            for r in self.tables["gluon_pool_value"].values()
            if (r["holder"] is not None) is held
        )


def numbers(*ranges: str, id: str = "a/p", rest: int = 30, open: bool = False) -> pools.Supply:
    """A pool of integers."""
    return pools.Supply(id=id, name="pool p", space=Space.of(Numbers(), ranges), rest=rest, open=open)
