"""Take the steps of a plan on a database that is in use; go on where a run before was killed.

In: a plan, a store. Out: the new models on record, in one transaction with the last of the objects. Invariant: every
step can be taken again; what counts as done is committed with what was done. Called by `gluon db upgrade`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from gluon import errors
from gluon.evolve import holding, work
from gluon.evolve.plan import Kind, Plan, Step
from gluon.evolve.stored import stored
from gluon.evolve.survey import recorded
from gluon.model.types import Model
from gluon.objects import codec
from gluon.particles import tables
from gluon.spi import store
from gluon.spi import tables as spi_tables
from gluon.spi.upgrade import PROGRESS, Locked, Upgradable

PAGE = 200
"""Objects of one unit: some 15 ms under the writer lock."""
_NEAR = 50
"""Entries of the journal that may be left for the transaction that switches."""
_ROUNDS = 1000

RUNNING = "running"
THROWN = "thrown"
"""What was made is thrown away, and some of it may be gone already."""
SWITCHED = "switched"

Say = Callable[[str], None]


class Runner:
    """One run of a plan. `others`: tables that are no proton's; `say` is told of each step."""

    def __init__(
        self, database: Upgradable, plan: Plan, *, others: Sequence[spi_tables.Table], say: Say
    ) -> None:
        self._store = database
        self._plan = plan
        self._others = tuple(others)
        self._say = say
        self._jobs = work.jobs_of(plan)
        self._holding = holding.Holding(plan)
        self._fresh = tuple(t for job in self._jobs for t in job.fresh)
        self._served = (*tables.tables_of(plan.old), *self._holding.tables)
        self._step = 0
        self._after: store.Value = None
        self._revision = 0

    async def run(self) -> int:
        """The epoch after it. Raises `Stopped`, `Conflict`, `MigrationRefused`, `Unavailable`."""
        if self._plan.refused:
            raise errors.MigrationRefused([f"{api} {c.where}: {c.reason}" for api, c in self._plan.refused])
        async with self._store.alone():
            await self._check_record(self._store)
            await self._store.prepare(self._served, ())
            await self._begin()
            try:
                return await self._take_all()
            except work.Stopped:
                await self._free()
                raise
            except errors.Conflict as conflict:
                if conflict.code == "repeated":
                    await self._free()
                raise

    async def _take_all(self) -> int:
        for n, step in enumerate(self._plan.steps):
            if n < self._step:
                if step.kind is Kind.INDEX:  # it went, if this was stopped
                    await self._take(step)
                continue
            self._say(f"{step.kind.value} {step.object_type or ''} {step.words}".replace("  ", " "))
            if step.kind is Kind.SWITCH:
                return await self._switch()
            await self._take(step)
            self._step, self._after = n + 1, None
            await self._store.submit(work.Page({}, self._jobs, self._progress()))
        return 0

    async def _free(self) -> None:
        """The old models go on: what was not unique need not be so. Where others came meanwhile, all is theirs."""
        with contextlib.suppress(errors.Conflict, errors.Unavailable):  # it is told why this was stopped
            await self._check_record(self._store)
            for step in self._plan.steps:
                if step.kind is Kind.INDEX and step.unique:
                    await self._store.unindex(self._table(step), step.columns)

    def _table(self, step: Step) -> spi_tables.Table:
        (table,) = [t for t in tables.tables_of(self._plan.new) if t.name == step.table]
        return table

    async def _check_record(self, where: Upgradable | Locked) -> None:
        """Another upgrade may have ended since the plan was made, or a proton was replaced: these steps would bring back what was there
        before, or leave out what came since. Raises `Conflict`."""
        planned = {m.name for m in (*self._plan.old, *self._plan.new)}
        on_record = [m for m in await recorded(where, retired=True) if m.name in planned]
        if _marks(on_record) != _marks(self._plan.old):
            raise errors.Conflict(
                "the models on record are others than when this upgrade was planned",
                code="upgrading",
                hint="look at the plan again, then run it again",
            )

    async def _begin(self) -> None:
        """Where a run before came to; what another plan had begun is thrown away."""
        for state in (RUNNING, THROWN):
            begun = store.Select(table=PROGRESS.name, equals=(("state", state),))
            for row in await self._store.select(begun):
                if row["plan"] != self._plan.digest:
                    self._say("what an upgrade to other models had begun is thrown away")
                if row["plan"] != self._plan.digest or state == THROWN:
                    await self._forget(row)
        await self._store.prepare(self._served, self._fresh)
        row_ = await self._store.get(PROGRESS.name, self._plan.digest)
        if row_ is not None and row_["state"] == RUNNING:
            self._step, self._revision = int(row_["step"] or 0), int(row_["revision"] or 0)
            self._after = codec.decode(str(row_["after"])) if row_["after"] is not None else None
            self._say(f"going on after step {self._step} of {len(self._plan.steps)}")
            await self._check_journal(resumed=True)
            return
        self._revision = (await self._store.position()).revision
        await self._store.submit(work.Page({}, self._jobs, self._progress()))

    async def _check_journal(self, *, resumed: bool = False) -> None:
        """It must have all that was written since; what one that is empty had meanwhile, nobody knows. Raises `Unavailable`."""
        position = await self._store.position()
        emptied = resumed and not position.oldest and position.revision > self._revision
        if position.oldest <= self._revision + 1 and not emptied:
            return
        row = await self._store.get(PROGRESS.name, self._plan.digest)
        if row is not None:
            await self._forget(row)
        raise errors.Unavailable("the journal was trimmed before the upgrade came to its end: run it again")

    async def _forget(self, row: store.Row) -> None:
        """That is said first: nobody goes on with tables of which some are gone."""
        await self._store.submit(work.Page({}, self._jobs, {**row, "state": THROWN}))
        await self._store.drop(codec.decode(str(row["document"]))["made"])
        await self._store.submit(_Forget(str(row["plan"])))

    def _progress(self, state: str = RUNNING) -> store.Row:
        document = {"made": [t.name for t in self._fresh], "left": list(self._plan.left)}
        return {
            "plan": self._plan.digest, "state": state, "step": self._step,
            "after": None if self._after is None else codec.encode(self._after).decode(),
            "revision": self._revision, "document": codec.encode(document).decode(),
            "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f"),
        }  # fmt: skip

    # -- steps --------------------------------------------------------------------------------

    async def _take(self, step: Step) -> None:
        if step.kind is Kind.HOLD:  # a look: until the switch the old models give and take values
            if step is next(s for s in self._plan.steps if s.kind is Kind.HOLD):
                await self._note()
                await self._holding.settle(holding.Look(self._store.select))
            return
        if step.kind is Kind.INDEX:
            try:
                await self._store.index(self._table(step), step.columns, unique=step.unique)
            except errors.Conflict as repeated:
                said = f"{step.api} {step.object_type}: {repeated}"
                raise errors.Conflict(said, code=repeated.code, hint=repeated.hint) from repeated
            return
        (n,) = [n for n, j in enumerate(self._jobs) if (j.api, j.object_type) == (step.api, step.object_type)]
        if step.kind is Kind.CHECK:
            await self._check(n)
        else:
            await self._copy(n)

    async def _check(self, n: int) -> None:
        """Every object as it is now. Raises `Stopped` with those that do not fit."""
        job = self._jobs[n]
        problems: list[str] = []
        count = 0
        after: store.Value = None
        while rows := await self._page(job, after):
            after = rows[-1][job.key]
            try:
                await self._look(n, rows)
            except work.Stopped as stopped:
                count += stopped.count
                problems += stopped.problems
        if count:
            raise work.Stopped(problems[: work.SHOWN], count)

    async def _look(self, n: int, rows: Sequence[store.Row]) -> None:
        """Look at a page: where rules read other objects, in a unit. Raises `Stopped`."""
        job = self._jobs[n]
        if job.rules:
            keys = {n: [row[job.key] for row in rows]}
            await self._store.submit(work.Page(keys, self._jobs, self._progress(), look=True))
            return
        problems: list[str] = []
        for row in rows:
            try:
                job.make(row, _nothing)
            except work.Stopped as stopped:
                problems += stopped.problems
        if problems:
            raise work.Stopped(problems, len(problems))

    async def _copy(self, n: int) -> None:
        job = self._jobs[n]
        while True:
            rows = await self._page(job, self._after)
            if not rows:
                return
            self._after = rows[-1][job.key]
            unit = work.Page({n: [row[job.key] for row in rows]}, self._jobs, self._progress())
            await self._store.submit(unit)

    async def _page(self, job: work.Job, after: store.Value) -> Sequence[store.Row]:
        return await self._store.select(store.Select(table=job.source, after=after, limit=PAGE))

    async def _catch_up(self) -> None:
        """Work in the journal until next to nothing of it is left."""
        for _ in range(_ROUNDS):
            entries = await self._store.tail(self._revision, limit=PAGE)
            await self._check_journal()
            if not entries:
                return
            self._holding.note_entries(entries)
            keys = work.named(entries, self._jobs)
            for n, job in enumerate(self._jobs):
                keys.setdefault(n, []).extend(await job.readers(entries, self._find))
            before, self._revision = self._progress(), entries[-1].revision
            parts = list(work.parted(keys, PAGE))
            for left, part in zip(reversed(range(len(parts))), parts, strict=True):
                progress = before if left else self._progress()  # all of it is done with the last one
                await self._store.submit(work.Page(part, self._jobs, progress))
            if len(entries) < _NEAR:
                return

    async def _find(self, table: str, column: str, values: Sequence[store.Value]) -> Sequence[store.Row]:
        found: list[store.Row] = []
        for value in values:
            found += await self._store.select(store.Select(table=table, equals=((column, value),)))
        return found

    async def _note(self) -> None:
        """The objects whose values go from one pool to another; those that change meanwhile are in the journal."""
        for name, table in self._holding.sources:
            after: store.Value = None
            while rows := await self._store.select(store.Select(table=table, after=after, limit=PAGE)):
                after = self._holding.note(name, rows)

    async def _switch(self) -> int:
        await self._note()
        await self._catch_up()
        wanted = (*self._others, *tables.tables_of(self._plan.new))
        models = [stored(m) for m in self._plan.new]

        async def last(locked: Locked) -> None:
            await self._check_record(locked)
            await work.finish(locked, self._jobs, self._revision, self._progress(SWITCHED))
            self._holding.note_entries(await locked.entries(self._revision))
            await self._holding.settle(locked)

        epoch = await self._store.switch(wanted, self._fresh, models, last)
        await self._store.release(self._plan.left)
        return epoch


def _marks(models: Sequence[Model]) -> dict[str, object]:
    """Which models these are, and where their objects are."""
    return {m.name: (m.digest, {name: kind.table for name, kind in m.types.items()}) for m in models}


def _nothing(table: str, key: store.Value) -> None:
    """No rule asks for it."""


class _Forget:
    """A unit: no upgrade of this plan was ever begun."""

    who = work.WHO
    request_id = ""
    reads: Sequence[store.Lookup] = ()

    def __init__(self, plan: str) -> None:
        self._plan = plan

    def decide(self, view: store.View) -> store.Changes:
        changes = store.Changes()
        changes.delete(PROGRESS.name, self._plan)
        return changes


async def left(database: Upgradable, models: Sequence[Model]) -> list[str]:
    """Tables that upgrades before have left, and nothing uses; they hold nothing back, also where an upgrade was killed
    as it ended. `models`: those on record."""
    await database.prepare(tables.tables_of(models), ())
    rows = await database.select(store.Select(table=PROGRESS.name, equals=(("state", SWITCHED),)))
    names = [name for row in rows for name in codec.decode(str(row["document"]))["left"]]
    await database.release(names)
    return names


async def drop(database: Upgradable, models: Sequence[Model]) -> list[str]:
    """Drop them. Returns their names."""
    async with database.alone():
        names = await left(database, models)
        await database.drop(names)
        for row in await database.select(store.Select(table=PROGRESS.name, equals=(("state", SWITCHED),))):
            await database.submit(_Forget(str(row["plan"])))
    return names
