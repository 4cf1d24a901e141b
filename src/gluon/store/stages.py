"""A batch is decided; a large unit of many parts in slices, and written in stages while the rest of it is decided.

In: a `Deciding`, a session that has the lock. Out: nothing is left to decide, and the plan has what is not written yet.
Else such a unit costs its deciding and then its writing, while which all others wait. Called by `writer`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TypeGuard, cast

from gluon.spi import store
from gluon.store import driver
from gluon.store.deciding import Deciding, State, Waiting
from gluon.store.kept import Kept
from gluon.store.overlay import NotLoaded, Overlay, Plan
from gluon.store.settings import Settings
from gluon.store.shape import Catalog, Shape

_LEAST = 64
"""Parts of a unit that is worth it."""
_SLICE = 8
"""Parts that are decided before the event loop has a turn: it is what sends and hears of stages."""
_MOST = 64
"""As many where nothing is written meanwhile, or others make much of their turns: the lock is held all the while."""
_TURN = 0.005
"""Seconds that are much."""
_STAGE = 50
"""Parts that are worth a statement."""


def in_parts(batch: Sequence[Waiting]) -> TypeGuard[Sequence[Waiting]]:
    """Whether a batch is one unit of so many parts; a fault that was met before may be one of order, so that one is
    decided as a whole."""
    return len(batch) == 1 and not batch[0].way and len(getattr(batch[0].unit, "parts", ())) >= _LEAST


class InParts(Deciding):
    """A batch of one unit, a `spi.store.Several`. `proceed` ends after each slice; `complete` tells that there is no more."""

    def __init__(
        self, catalog: Catalog, one: Waiting, state: State, settings: Settings, *, nul: bool, kept: Kept
    ) -> None:
        super().__init__(catalog, [one], state, settings, nul=nul, kept=kept)
        self._one = one
        self._parts = cast("store.Several", one.unit).parts
        self._catalog, self._nul = catalog, nul
        self._results: list[object] = []
        self._intent = False
        self._staged = self._pending = 0
        self.complete = False
        self.slice = _MOST

    @property
    def pending(self) -> int:
        """Parts that no stage has yet."""
        return self._pending

    def proceed(self) -> bool:
        first = len(self._results)
        for place in range(first, min(first + self.slice, len(self._parts))):
            try:
                self._take(self._parts[place].decide(self._view))
            except NotLoaded as missing:
                wanted = self._view.missing(missing, self._parts[place + 1 :], place + 1)
                if isinstance(wanted, NotLoaded):
                    for lookup in wanted.lookups:
                        self._needs.add(lookup)
                    return False
                self._refuse(wanted)
                return True
            except Exception as error:  # noqa: BLE001  # whatever it is, it goes to who waits for this unit
                self._refuse(error)
                return True
        if len(self._results) == len(self._parts):
            self.complete = True
            revision = self._view.revision if self.rows else 0
            self.answers.append((self._one, store.Committed(revision, self._results, self._intent)))
            self._view.revision += bool(self.rows)
        return True

    def _take(self, changes: store.Changes) -> None:
        prepared = self._overlay.prepare(changes)
        records, _, intent = self._records(self._one.unit, changes.entries, len(self._journal))
        self._overlay.accept(prepared)
        self._journal += records
        self.rows += len(prepared) + len(records)
        self._intent = self._intent or intent
        self._results.append(changes.result)
        self._pending += 1

    def _refuse(self, error: Exception) -> None:
        """Nothing of it is done, nor known."""
        self._overlay = Overlay(self._catalog, nul=self._nul)
        self._journal, self.rows = [], 0
        self.complete = True
        self.answers.append((self._one, error))

    def stage(self) -> Plan:
        """What was decided since the last one."""
        plan = self._overlay.plan()
        self._overlay.settle()
        plan.journal = self._journal[self._staged :]
        self._staged, self._pending = len(self._journal), 0
        return plan

    def plan(self) -> Plan | None:
        plan = super().plan()
        if plan is not None:
            plan.journal = self._journal[self._staged :]
        return plan


async def decide(session: driver.Session, deciding: Deciding, shape_of: Callable[[str], Shape]) -> int:
    """How often it wanted to read again."""
    await _read(session, deciding, shape_of)
    if isinstance(deciding, InParts):
        return await _in_stages(session, deciding, shape_of)
    rounds = 0
    while not deciding.proceed():
        rounds += 1
        await _read(session, deciding, shape_of)
    return rounds


async def _in_stages(session: driver.Session, deciding: InParts, shape_of: Callable[[str], Shape]) -> int:
    staged = cast("driver.Staged", session) if session.stages else None
    writing: asyncio.Task[None] | None = None
    rounds = 0
    if staged is not None:
        deciding.slice = _SLICE
    try:
        while True:
            if not deciding.proceed():
                rounds += 1
                if writing is not None:  # a connection does one thing at a time
                    await writing
                await _read(session, deciding, shape_of)
                continue
            if deciding.complete:
                break
            if staged is not None and deciding.pending >= _STAGE and (writing is None or writing.done()):
                if writing is None:
                    await staged.begin()
                else:
                    writing.result()
                writing = asyncio.get_running_loop().create_task(staged.stage(deciding.stage()))
            began = monotonic()
            await asyncio.sleep(0)
            if monotonic() - began > _TURN:
                deciding.slice = min(2 * deciding.slice, _MOST)
        if writing is not None:
            await writing
    finally:
        if writing is not None:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
    return rounds


async def _read(session: driver.Session, deciding: Deciding, shape_of: Callable[[str], Shape]) -> None:
    wanted = [(shape_of(table), columns, values) for table, columns, values in deciding.wanted()]
    if wanted:
        found = await session.lookups(wanted)
        for (shape, columns, values), rows in zip(wanted, found, strict=True):
            deciding.load(shape.name, columns, values, rows)
