"""Decide the units of one batch, one after the other, over one overlay. No I/O.

In: waiting units, the state read under the lock, rows as they are read. Out: an answer for each
unit that was decided, what is left for the next batch, and the plan. Called by `writer`, which reads
what is wanted and proceeds until all are decided.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import msgspec

from gluon import errors
from gluon.errors import GluonError
from gluon.objects import journal
from gluon.spi import store
from gluon.store.kept import Kept
from gluon.store.overlay import Needs, NotLoaded, Overlay, Plan, Undo, Written
from gluon.store.settings import Settings
from gluon.store.shape import Catalog, Values

_ROUNDS = 2000
"""A unit that still asks for more is broken: it must not hold the lock for ever."""

_PATIENCE = 16
"""Parts of a unit that ask for nothing new, one after the other, until nobody asks the next ones; doubled with each round."""
_MOST_PARTS = 40_000
"""Parts that are decided for one unit, round after round: some seconds."""


class Waiting(msgspec.Struct, eq=False):
    """A unit and who waits for it."""

    unit: store.Unit
    answer: store.Answer
    since: float
    way: int = 0
    """Which of the database's orders of writing to try (after a constraint caught the first)."""
    tries: int = 0
    epoch: int = 0
    """Of the tables that the unit was made for; 0: not known then."""


Told = Callable[[Sequence[tuple[Waiting, store.Committed | Exception]]], None]
"""Hears what became of the units of a batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is read with the lock. `first` is the lowest revision the batch may use."""

    epoch: int
    incarnation: str
    first: int
    now: str


class BatchView:
    """`spi.store.View` over the overlay; one for all units of a batch."""

    __slots__ = ("_parts", "_patience", "get", "incarnation", "now", "overlay", "revision")

    def __init__(self, overlay: Overlay, state: State) -> None:
        self.overlay = overlay
        self.get = overlay.get
        self.start()
        self.revision = state.first
        self.now = state.now
        self.incarnation = state.incarnation

    def rows(
        self, table: str, columns: tuple[str, ...], values: tuple[store.Value, ...]
    ) -> Sequence[store.Row]:
        return self.overlay.rows(table, columns, values)

    def prefetch(self, lookups: Sequence[store.Lookup]) -> None:
        self.overlay.prefetch(lookups)

    def start(self) -> None:
        """The next unit is decided."""
        self._parts, self._patience = 0, _PATIENCE

    def in_turn(self, units: Sequence[store.Unit]) -> list[store.Changes]:
        found: list[store.Changes] = []
        undo: Undo = []
        try:
            for number, unit in enumerate(units):
                try:
                    changes = unit.decide(self)
                except NotLoaded as missing:
                    raise self.missing(missing, units[number + 1 :], number + 1) from None
                found.append(changes)
                if len(found) < len(units):  # nobody sees those of the last one
                    undo += self.overlay.try_on(self.overlay.prepare(changes))
        finally:
            self.overlay.take_off(undo)
        return found

    def missing(self, missing: NotLoaded, rest: Sequence[store.Unit], decided: int) -> Exception:
        """What a part of a unit wants, and those behind it; but parts of one unit mostly want the same. `decided`: it and
        the parts before it."""
        wanted = dict.fromkeys(missing.lookups)
        vain = 0
        for unit in rest:
            decided += 1
            before = len(wanted)
            wanted.update(dict.fromkeys(self.ahead((unit,))))
            vain = vain + 1 if len(wanted) == before else 0
            if vain >= self._patience:
                break
        self._parts += decided
        self._patience *= 2
        if self._parts > _MOST_PARTS:
            return errors.Conflict(
                "what the request touches hangs together in too many ways to be decided at once",
                code="too_many",
                hint="split the request",
            )
        return NotLoaded(*wanted)

    def ahead(self, units: Sequence[store.Unit]) -> Iterator[store.Lookup]:
        """What units will ask for, as far as they come by what is known now."""
        for unit in units:
            try:
                unit.decide(self)
            except NotLoaded as missing:
                yield from missing.lookups
            except Exception:  # noqa: BLE001, S112  # it is decided again when its turn comes
                continue


class Deciding:
    """The decisions of one batch."""

    def __init__(
        self,
        catalog: Catalog,
        waiting: list[Waiting],
        state: State,
        settings: Settings,
        *,
        nul: bool,
        kept: Kept | None = None,
        written: Written | None = None,
    ) -> None:
        """`written`: what a batch before this one does, which may be written or not when rows are read for this one."""
        self._overlay = Overlay(catalog, nul=nul, written=written)
        self._kept = kept or Kept()
        self._kept.give(self._overlay, (state.incarnation, state.epoch, state.first - 1))
        self.epoch = state.epoch
        self._view = BatchView(self._overlay, state)
        self._waiting = waiting
        self._settings = settings
        self._next = 0
        self._rounds = 0
        self._bytes = 0
        self._journal: list[Values] = []
        self._soon: list[store.Lookup] = []
        self._needs = Needs()
        self.rows = 0
        self.answers: list[tuple[Waiting, store.Committed | Exception]] = []
        self.left: list[Waiting] = []
        declared: set[int] = set()
        for one in waiting:
            reads = one.unit.reads
            if reads and id(reads) not in declared:  # units of one kind and project may have the same
                declared.add(id(reads))
                self._declare(reads)

    def _declare(self, reads: Sequence[store.Lookup]) -> None:
        """A wrong declaration is the unit's own mistake: `decide` will meet it again."""
        self._kept.look(reads)
        with contextlib.suppress(GluonError, KeyError):
            for lookup in reads:
                self._overlay.want(lookup, self._needs)

    def wanted(self) -> Iterator[tuple[str, tuple[str, ...], list[Values]]]:
        """What to read now: table, columns, values; by name, so that there are few combinations."""
        groups = self._needs.groups
        self._needs = Needs()
        for (table, columns), values in sorted(groups.items(), key=itemgetter(0)):
            yield table, columns, list(values)

    def load(
        self, table: str, columns: tuple[str, ...], asked: list[Values], rows: Sequence[store.Row]
    ) -> None:
        """Hand in the rows of one group."""
        self._overlay.load(table, columns, asked, rows)

    def proceed(self) -> bool:
        """Decide as far as possible. False: `wanted` has to be read first."""
        while self._next < len(self._waiting):
            one = self._waiting[self._next]
            try:
                full = self._decide(one)
            except NotLoaded as missing:
                if self._rounds < _ROUNDS:
                    self._rounds += 1
                    self._look_ahead(missing)
                    return False
                self.answers.append((one, GluonError("a unit never stopped asking for rows")))
            except Exception as error:  # noqa: BLE001  # whatever it is, it goes to who waits for this unit
                self.answers.append((one, error))
            else:
                if full:
                    self.left = self._waiting[self._next :]
                    return True
            self._next += 1
            if self._rounds:
                self._rounds = 0
                self._view.start()
        return True

    def _look_ahead(self, missing: NotLoaded) -> None:
        """Read for the units behind as well, so that not each of them costs a round of its own."""
        behind = [one.unit for one in self._waiting[self._next + 1 :]]
        for lookup in (*missing.lookups, *self._view.ahead(behind)):
            self._needs.add(lookup)

    def _decide(self, one: Waiting) -> bool:
        """Decide one unit. True: it does not fit into this batch any more."""
        view = self._view
        unit = one.unit
        changes = unit.decide(view)
        entries = changes.entries
        if not entries and not changes.writes:
            self.answers.append((one, store.Committed(0, changes.result, False)))
            return False
        prepared = self._overlay.prepare(changes)
        rows = self.rows + len(prepared) + len(entries)
        records, size, intent = self._records(unit, entries, 0)
        size += self._bytes
        if self.rows and (rows > self._settings.max_rows or size > self._settings.max_bytes):
            return True
        self._overlay.accept(prepared)
        self._journal += records
        self._soon += changes.soon
        self.rows, self._bytes = rows, size
        self.answers.append((one, store.Committed(view.revision, changes.result, intent)))
        view.revision += 1
        return False

    def _records(
        self, unit: store.Unit, entries: Sequence[journal.Draft], first: int
    ) -> tuple[list[Values], int, bool]:
        """Rows of the journal, numbered from `first`; the size of their documents; whether one is intent."""
        view = self._view
        revision, now, who, request_id = view.revision, view.now, unit.who, unit.request_id
        records: list[Values] = []
        size, intent = 0, False
        for n, draft in enumerate(entries, first):
            old, new = draft.old, draft.new
            intent = intent or draft.intent
            size += (len(old) if old else 0) + (len(new) if new else 0)
            records.append((
                revision, n, str(draft.op), draft.api, draft.type, draft.key, draft.project, who, request_id,
                draft.intent, old.decode() if old is not None else None,
                new.decode() if new is not None else None, now,
            ))  # fmt: skip
        return records, size, intent

    def plan(self) -> Plan | None:
        """What to write; None if there is nothing."""
        if not self.rows:
            return None
        plan = self._overlay.plan()
        plan.journal = self._journal
        plan.revision = self._view.revision - 1
        return plan

    @property
    def wants(self) -> bool:
        """Whether there is something to read."""
        return bool(self._needs.groups)

    def after(self, now: str) -> State:
        """The state that the plan leaves."""
        view = self._view
        return State(epoch=self.epoch, incarnation=view.incarnation, first=view.revision, now=now)

    def written(self) -> Written:
        """What the plan writes."""
        return self._overlay.written()

    def done(self) -> None:
        """The plan is sent, or there is nothing to write."""
        view = self._view
        self._kept.take(self._overlay, (view.incarnation, self.epoch, view.revision - 1), self._soon)

    @property
    def entries(self) -> int:
        return len(self._journal)

    def mark(self) -> Values | None:
        """The first journal row: its presence tells later whether the batch was committed."""
        return self._journal[0] if self._journal else None


def entry_of(values: Sequence[Any]) -> journal.Entry:
    """A journal entry of a row as stored."""
    revision, n, op, api, type_, key, project, who, request_id, intent, old, new, at = values
    return journal.Entry(
        revision=revision, n=n, op=_OPERATIONS[op], api=api, type=type_, key=key, project=project, who=who,
        request_id=request_id, intent=bool(intent), old=old.encode() if old is not None else None,
        new=new.encode() if new is not None else None, at=at,
    )  # fmt: skip


_OPERATIONS = {o.value: o for o in journal.Operation}
