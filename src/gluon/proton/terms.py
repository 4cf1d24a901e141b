"""How a client wants a change done: only tried, or done once however often it asks.

In: the unit of a change. Out: the unit to run. Of a change that is done once, its answer is kept in the same unit
for `KEPT`; whoever asks again with the same key gets it as `Replayed`. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from gluon import errors
from gluon.proton.tables import ANSWER, PLAN
from gluon.spi import store

KEPT = timedelta(hours=24)
PLANNED = timedelta(hours=1)
"""How long a plan holds."""
OTHERS = ((ANSWER, "at", KEPT.total_seconds()), (PLAN, "at", PLANNED.total_seconds()))
"""What grows old, the column that says so, and after how many seconds it goes."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a client was told: HTTP status, the revision that its ETag names (0: none), the body (JSON)."""

    status: int
    tag: int = 0
    body: bytes | None = None


class Replayed(Exception):
    """The change was done before; this was the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """`key`: the client's word for the change, unique for `owner`; `digest` of the whole request; `answer` makes
    of a unit's result what the client is told."""

    owner: str
    key: str
    digest: str
    answer: Callable[[Any], Answer]

    def lookup(self) -> store.Lookup:
        return store.Lookup(ANSWER, ("owner", "word"), (self.owner, self.key))

    def check(self, row: store.Row | None, now: str) -> None:
        """Raises `Replayed` for a change that was done, or `Reused` if the key stands for another one."""
        if row is None or _expired(str(row["at"]), now):
            return
        if row["digest"] != self.digest:
            raise errors.Reused(
                f"the Idempotency-Key {self.key} was used for another request",
                hint="take a new key for each change",
            )
        body = row["body"]
        raise Replayed(
            Answer(
                status=int(row["status"] or 0),
                tag=int(row["tag"] or 0),
                body=None if body is None else str(body).encode(),
            )
        )

    def row(self, result: Any, now: str) -> store.Row:
        told = self.answer(result)
        body = None if told.body is None else told.body.decode()
        return {
            "owner": self.owner, "word": self.key, "digest": self.digest, "at": now,
            "status": told.status, "tag": told.tag, "body": body,
        }  # fmt: skip


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Of one request."""

    dry_run: bool = False
    once: Once | None = None

    def bind(self, unit: store.Unit) -> store.Unit:
        """The unit on these terms."""
        if self.dry_run:
            return _Tried(unit)
        return unit if self.once is None else _Kept(unit, self.once)


class _Tried:
    """A unit that decides and writes nothing."""

    __slots__ = ("_unit", "reads", "request_id", "who")

    def __init__(self, unit: store.Unit) -> None:
        self._unit, self.reads = unit, unit.reads
        self.who, self.request_id = unit.who, unit.request_id

    def decide(self, view: store.Batch) -> store.Changes:
        return store.Changes(result=self._unit.decide(view).result)


class _Kept:
    """A unit whose answer is kept with it."""

    __slots__ = ("_once", "_unit", "reads", "request_id", "who")

    def __init__(self, unit: store.Unit, once: Once) -> None:
        self._unit, self._once = unit, once
        self.who, self.request_id = unit.who, unit.request_id
        self.reads: Sequence[store.Lookup] = [once.lookup(), *unit.reads]

    def decide(self, view: store.Batch) -> store.Changes:
        once = self._once
        once.check(view.get(ANSWER, once.owner, once.key), view.now)
        changes = self._unit.decide(view)
        changes.put(ANSWER, once.row(changes.result, view.now))
        return changes


def _expired(at: str, now: str) -> bool:
    return datetime.fromisoformat(at) + KEPT < datetime.fromisoformat(now)
