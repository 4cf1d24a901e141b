"""What is to be done with the objects of each type, and the units that do it.

In: a plan. Out: `Job`s (how an object is converted, where to) and units for the store: a page of objects copied, or
the objects that the journal names brought up to date, together with the progress. Called by `runner`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gluon import errors
from gluon.evolve import watching
from gluon.evolve.convert import Converter, Made, Unfit
from gluon.evolve.judging import Get, Rules
from gluon.evolve.plan import Kind, Plan
from gluon.model.types import Model
from gluon.objects import journal
from gluon.particles import tables
from gluon.spi import store
from gluon.spi import tables as spi_tables
from gluon.spi.upgrade import PROGRESS, Locked

WHO = "gluon"
SHOWN = 20
"""Objects that do not fit which a message names."""


class Stopped(errors.GluonError):
    """Stored objects do not fit the new model; the old one goes on to serve. `problems` name some, `count` how many."""

    def __init__(self, problems: Sequence[str], count: int) -> None:
        self.problems = tuple(problems)
        self.count = count
        self.more = (f"… and {count - len(problems)} more",) if count > len(problems) else ()
        super().__init__("\n".join((*self.problems, *self.more)))


@dataclass(frozen=True, slots=True)
class Job:
    """The objects of one type: to be copied, or (`copies` False) to be looked at only."""

    old: Model
    object_type: str
    converter: Converter
    copies: bool
    rules: Rules

    @property
    def api(self) -> str:
        return self.old.name

    @property
    def source(self) -> str:
        return self.converter.old.table

    @property
    def key(self) -> str:
        """The key column of the old table."""
        return self.converter.old.key_column

    def key_column(self, table: str) -> str:
        """Of a table of the old model."""
        return self.rules.key_column(table)

    @property
    def fresh(self) -> tuple[spi_tables.Table, ...]:
        return (self.converter.new_table, *self.converter.link_tables) if self.copies else ()

    def key_of(self, text: str) -> store.Value:
        """A key as the journal has it, as the table has it."""
        return watching.key_of(self.converter.old.object_type, text)

    async def readers(self, entries: Iterable[journal.Entry], find: watching.Find) -> list[store.Value]:
        """The objects whose rules may not hold any more after what these entries say of others."""
        return await watching.readers(self.old, self.rules.watches, entries, find)

    def make(self, row: store.Row, get: Get) -> Made:
        """The new form; `get` reads the objects that its rules look at. Raises `Stopped`."""
        try:
            made = self.converter.make(row)
            broken = self.rules.broken(made.row, get) if self.rules else ()
        except Unfit as unfit:
            raise Stopped([self._say(row, str(unfit))], 1) from unfit
        key = made.row[self.converter.new.key_column]
        if key != row[self.key]:  # the journal, pools, ports and clients know it by the one that it has
            raise Stopped([self._say(row, f"its key would become {key!r}: make it anew under that one")], 1)
        if broken:
            raise Stopped([self._say(row, "; ".join(broken))], 1)
        return made

    def _say(self, row: store.Row, why: str) -> str:
        return f"{self.api} {self.object_type} {row[self.key]}: {why}"


def jobs_of(plan: Plan) -> tuple[Job, ...]:
    """One for each type whose objects are looked at."""
    old = {m.name: m for m in plan.old}
    new = {m.name: m for m in plan.new}
    copied = {(s.api, s.object_type) for s in plan.steps if s.kind is Kind.COPY}
    wanted = dict.fromkeys((s.api, s.object_type) for s in plan.steps if s.kind in {Kind.CHECK, Kind.COPY})
    return tuple(
        Job(
            old[api],
            name,
            Converter(old[api], new[api], old[api].types[name], new[api].types[name]),
            (api, name) in copied,
            Rules(old[api], new[api], name),
        )
        for api, name in wanted
    )


class Page:
    """A unit: these objects as they are now, in their new form, and the progress."""

    who = WHO
    request_id = ""

    def __init__(
        self,
        keys: Mapping[int, Sequence[store.Value]],
        jobs: Sequence[Job],
        progress: store.Row,
        *,
        look: bool = False,
    ) -> None:
        """`keys` by place in `jobs`; `look`: nothing is copied."""
        self._look = look
        self._keys = {n: list(dict.fromkeys(k)) for n, k in keys.items()}
        self._jobs = jobs
        self._progress = progress
        self.reads = list(self._lookups())

    def _lookups(self) -> Iterable[store.Lookup]:
        for n, keys in self._keys.items():
            job = self._jobs[n]
            for key in keys:
                yield store.Lookup(job.source, (job.key,), (key,))
                if job.copies and not self._look:
                    yield store.Lookup(job.converter.new.table, (job.converter.new.key_column,), (key,))
                    for table in job.converter.link_tables:
                        yield store.Lookup(table.name, (tables.OWNER,), (key,))

    def decide(self, view: store.View) -> store.Changes:
        """Raises `Stopped`."""
        changes = store.Changes()
        problems: list[str] = []
        for n, keys in self._keys.items():
            for key in keys:
                try:
                    self._take(view, changes, self._jobs[n], key)
                except Stopped as stopped:
                    problems += stopped.problems
        if problems:
            raise Stopped(problems[:SHOWN], len(problems))
        changes.put(PROGRESS.name, {**self._progress, "at": view.now})
        return changes

    def _take(self, view: store.View, changes: store.Changes, job: Job, key: store.Value) -> None:
        row = view.get(job.source, key)
        made = job.make(row, view.get) if row is not None else None
        if not job.copies or self._look:
            return
        for table in job.converter.link_tables:
            wanted = made.links[table.name] if made else ()
            for link in view.rows(table.name, (tables.OWNER,), (key,)):
                if link[tables.TARGET] not in wanted:
                    changes.delete(table.name, key, link[tables.TARGET])
            for target in wanted:
                changes.put(table.name, {tables.OWNER: key, tables.TARGET: target})
        if made is not None:
            changes.put(job.converter.new.table, made.row)
        elif view.get(job.converter.new.table, key) is not None:
            changes.delete(job.converter.new.table, key)


def named(entries: Iterable[journal.Entry], jobs: Sequence[Job]) -> dict[int, list[store.Value]]:
    """The objects that journal entries name, by place in `jobs`."""
    places = {(j.api, j.object_type): n for n, j in enumerate(jobs)}
    found: dict[int, dict[store.Value, None]] = {}
    for entry in entries:
        n = places.get((entry.api, entry.type))
        if n is not None:
            found.setdefault(n, {})[jobs[n].key_of(entry.key)] = None
    return {n: list(keys) for n, keys in found.items()}


def parted(keys: Mapping[int, Sequence[store.Value]], size: int) -> Iterator[dict[int, list[store.Value]]]:
    """The same objects, at most `size` at a time."""
    every = [(n, key) for n, found in keys.items() for key in dict.fromkeys(found)]
    for start in range(0, len(every), size):
        part: dict[int, list[store.Value]] = {}
        for n, key in every[start : start + size]:
            part.setdefault(n, []).append(key)
        yield part


class _Wanted(Exception):
    """A row that a rule reads, and that was not read yet."""


async def _make(locked: Locked, job: Job, row: store.Row) -> Made:
    """As `Job.make`; what its rules read is read when they ask for it. Raises `Stopped`."""
    known: dict[tuple[str, store.Value], store.Row | None] = {}

    def get(table: str, key: store.Value) -> store.Row | None:
        try:
            return known[table, key]
        except KeyError:
            raise _Wanted(table, key) from None

    while True:
        try:
            return job.make(row, get)
        except _Wanted as wanted:
            table, key = wanted.args
            found = await locked.rows(table, job.key_column(table), [key])
            known[table, key] = found[0] if found else None


async def finish(locked: Locked, jobs: Sequence[Job], revision: int, progress: store.Row) -> int:
    """What the journal has after `revision`, under the lock; how many objects that were. Raises `Stopped`."""
    entries = await locked.entries(revision)
    keys = named(entries, jobs)
    for n, job in enumerate(jobs):
        known = set(keys.get(n, ()))
        others = [key for key in await job.readers(entries, locked.rows) if key not in known]
        for row in await locked.rows(job.source, job.key, others):
            await _make(locked, job, row)
    for n, changed in keys.items():
        job = jobs[n]
        made = [await _make(locked, job, row) for row in await locked.rows(job.source, job.key, changed)]
        if not job.copies:
            continue
        for table in job.converter.link_tables:
            links: list[store.Row] = [
                {tables.OWNER: one.row[job.converter.new.key_column], tables.TARGET: target}
                for one in made
                for target in one.links[table.name]
            ]
            await locked.replace(table.name, tables.OWNER, changed, links)
        new = job.converter.new
        await locked.replace(new.table, new.key_column, changed, [one.row for one in made])
    await locked.replace(PROGRESS.name, "plan", [progress["plan"]], [progress])
    return sum(map(len, keys.values()))
