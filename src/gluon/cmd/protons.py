"""The models that a process serves: taken at its start, and replaced when the database records others.

In: models of files, a store. Out: registry, picture and versions, which stay the same objects for ever while their
content is replaced, in the breath in which the store meets the new tables. Invariant: no unit is made of one model and
written by another. Called by `node`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from gluon import errors
from gluon.api import errors as answers
from gluon.api import message, resources
from gluon.cmd import garbage, hooks, policies
from gluon.cmd import settings as config
from gluon.evolve import words
from gluon.evolve.stored import kept, restore, stored
from gluon.evolve.survey import survey
from gluon.model.types import Model
from gluon.objects import journal
from gluon.particles import projection, tables
from gluon.policy import engine
from gluon.proton import editions, registry
from gluon.spi import hooks as hook_words
from gluon.spi import projection as spi_projection
from gluon.spi import store
from gluon.spi import tables as spi_tables
from gluon.spi.upgrade import Record, Upgradable
from gluon.versions import forms

log = structlog.get_logger(__name__)

_LOOK = 0.5
"""Seconds between looks at the epoch: a process that only reads meets new models so soon."""
_TRIES = 20
"""How often models are taken again, where others change them at the same moment."""
_PATIENCE = (0.0, 0.1, 0.3, 1.0)


class Picture:
    """The projection of the models that are served now."""

    def __init__(self, inner: spi_projection.Projection) -> None:
        self.inner = inner

    @property
    def prefixes(self) -> tuple[str, ...]:
        return self.inner.prefixes

    @property
    def tables(self) -> tuple[str, ...]:
        return self.inner.tables

    def of_entry(self, entry: journal.Entry) -> Sequence[tuple[str, bytes | None]]:
        return self.inner.of_entry(entry)

    @property
    def parted(self) -> bool:
        return self.inner.parted

    def apart(self, entry: journal.Entry) -> tuple[str, store.Value] | None:
        return self.inner.apart(entry)

    def of_apart(self, entry: journal.Entry, row: store.Row | None) -> Sequence[tuple[str, bytes | None]]:
        return self.inner.of_apart(entry, row)

    def made(self, entry: journal.Entry, row: store.Row) -> bool:
        return self.inner.made(entry, row)

    def of_row(self, table: str, row: store.Row) -> Sequence[tuple[str, bytes]]:
        return self.inner.of_row(table, row)

    def constant(self) -> Sequence[tuple[str, bytes]]:
        return self.inner.constant()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What is made of models, ready to be served."""

    registry: registry.Registry
    tables: Sequence[spi_tables.Table]
    followers: list[hook_words.Subscription]
    picture: projection.ModelProjection
    versions: Mapping[str, Any]


class Protons:
    """`others`: tables that are no proton's. `again`: the process served before, so it goes on with what is on
    record where the files have changed since."""

    def __init__(
        self,
        models: Sequence[Model],
        *,
        others: Sequence[spi_tables.Table],
        url: str,
        again: bool = False,
        policy: str = "",
    ) -> None:
        """`policy`: the file of rules. Raises `SettingsError`."""
        self._files = tuple(models)
        self._others = tuple(others)
        self._url = url
        self._again = again
        self._refreshing: asyncio.Task[None] | None = None
        self.epoch = 0
        self._heard = asyncio.Event()
        self._codes = hooks.load(models)
        with garbage.paused():
            self.registry = editions.serve(registry.Registry(models, self._codes))
            self._shown = projection.ModelProjection(models, url=url, forms=forms.told)
        self.followers = hooks.after(models, self._codes)
        self.picture = Picture(self._shown)
        self.rules = engine.Engine(models)
        """Who may do what."""
        self.policy = policies.PolicyFile(self.rules, policy)
        self.policy.load()
        self.versions = {m.name: forms.offered(m) for m in models}
        """Those that shims can be shown."""
        self.serves: Callable[[int], None] = _nothing
        """Called with the epoch that is served from now on."""

    @property
    def models(self) -> tuple[Model, ...]:
        return self.registry.models

    async def install(self, database: Upgradable) -> None:
        """At the start: what the files say, where that needs no more than a start. Raises `MigrationRefused`."""
        for _ in range(_TRIES):
            try:
                return await self._install(database, await database.record())
            except errors.StaleModel:
                log.info("other models were recorded meanwhile, looking again")
        raise errors.Unavailable("the models on record change all the time")

    async def _install(self, database: Upgradable, record: Record) -> None:
        there = {r.api: r for r in record.changed}
        if self._again and record.epoch:  # what was replaced or retired since stays so
            models = tuple(
                kept(m, there[m.name]) if m.digest == there[m.name].digest else restore(there[m.name])
                for m in self._files
                if m.name in there
            )
            if other := [m.name for m in self._files if there.get(m.name, m).digest != m.digest]:
                log.warning("serving the models on record: the files have others", protons=", ".join(other))
        else:
            plan = await survey(database, self._files)
            if not plan.at_once and any(plan.changes.values()):
                raise errors.MigrationRefused(words.refusal(plan))
            models = plan.new
        named = {m.name for m in self._files}
        more = [restore(r) for r in record.changed if r.who and r.api not in named]
        digests = {name: (r.version, r.digest) for name, r in there.items()}
        fresh = [m for m in models if digests.get(m.name) != (m.version, m.digest)]
        await self._adopt(database, self._build((*models, *more)), fresh, at=record.epoch, thorough=True)

    async def load(self, database: Upgradable, model: Model, who: str, *, replace: bool) -> int:
        """Serve one more model, or another in the place of one: the epoch that has it.

        Raises `Conflict` where it is there already, needs more than a moment, or its hooks are not installed;
        `NotFound` where there is nothing to replace.
        """
        for _ in range(_TRIES):
            await self.refresh(database)
            try:
                return await self._load(database, model, who, replace=replace)
            except errors.StaleModel:
                continue
        raise errors.Unavailable("the models on record change all the time")

    async def _load(self, database: Upgradable, model: Model, who: str, *, replace: bool) -> int:
        epoch, there = self.epoch, {m.name: m for m in self.models}
        before = there.get(model.name)
        if before is not None and before.digest == model.digest:
            return epoch
        if before is not None and not replace:
            raise errors.Conflict(
                f"{model.name} {before.version} is loaded already, and differs",
                code="loaded",
                hint="replace it: gluon proton replace",
            )
        if before is None and replace:
            raise errors.NotFound(f"no proton {model.name} is loaded", hint="load it: gluon proton load")
        plan = await survey(database, [model], records=[stored(before)] if before is not None else None)
        if not plan.at_once:
            raise errors.Conflict(
                "; ".join(words.steps(plan)), code="migration", hint="change it in steps: gluon db upgrade"
            )
        try:
            made = await asyncio.to_thread(self._build, ({**there, model.name: plan.new[0]}).values())
            return await self._adopt(database, made, plan.new, at=epoch, who=who)
        except (config.SettingsError, errors.MigrationRefused) as refused:
            raise errors.Conflict(str(refused), code="cannot_load", hint="see the message") from refused

    async def retire(self, database: Upgradable, api: str, *, force: bool) -> int:
        """Serve a model no more: the epoch without it. Its objects stay in the database.

        Raises `NotFound`, or `Conflict` while it has objects and `force` is not given.
        """
        model = next((m for m in self.models if m.name == api), None)
        if model is None:
            raise errors.NotFound(f"no proton {api} is loaded", hint="see gluon proton list")
        made, epoch = self.registry.made[api], 0
        while not epoch:  # else objects were made since they were counted
            rows = await database.counts([t.table for t in made.values()])
            held = [f"{rows[t.table]} of type {name}" for name, t in made.items() if rows.get(t.table)]
            if held and not force:
                raise errors.Conflict(
                    f"{api} has {', '.join(held)}",
                    code="in_use",
                    hint="delete them first, or force it: they stay in the database and nobody sees them",
                )
            epoch = await database.retire(api, () if force else tuple(rows))
        while self.epoch < epoch:
            await self.refresh(database)
        return epoch

    async def refresh(self, database: Upgradable) -> None:
        """Take what the database records now. All who ask meanwhile wait for the same."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh(database), name="models")
        await asyncio.shield(self._refreshing)

    async def _refresh(self, database: Upgradable) -> None:
        """Nothing is written: what others have recorded meanwhile must stay."""
        if not self.epoch:
            return  # to be installed yet
        names = {m.name for m in self._files}
        for _ in range(_TRIES):
            record = await database.record(self.epoch)
            if record.epoch == self.epoch:
                return
            models = {m.name: m for m in self.models if m.name in record.names}
            models |= {r.api: restore(r) for r in record.changed if r.who or r.api in names}
            made = await asyncio.to_thread(self._build, [models[name] for name in sorted(models)])
            if await database.serve(made.tables, record.epoch, partial(self._take, made)):
                self._serves(record.epoch)
                log.info("models replaced", protons=", ".join(f"{m.name} {m.version}" for m in self.models))
                return

    def _build(self, given: Iterable[Model]) -> _Made:
        """Everything made of these models; of those that are served already it is what there is. Beside the start it
        runs in a thread: others' requests go on meanwhile."""
        models = tuple(given)
        served = {id(m) for m in self.models}
        self._codes = {**self._codes, **hooks.load([m for m in models if id(m) not in served])}
        before = self.registry
        with garbage.paused():
            return _Made(
                registry=editions.serve(registry.Registry(models, self._codes, before), before),
                tables=(*self._others, *tables.tables_of(models)),
                followers=hooks.after(models, self._codes),
                picture=projection.ModelProjection(
                    models, url=self._url, forms=forms.told, before=self._shown
                ),
                versions={m.name: forms.offered(m) for m in models},
            )

    def _take(self, made: _Made) -> None:
        """Serve what was made, from one moment to the next."""
        before = self.registry.by_name
        vars(self.registry).update(vars(made.registry))
        for name, resource in before.items():
            resource.former = self.registry.by_name.get(name) is not resource
        self.rules.adopt(made.registry.models)
        self.followers = made.followers
        self._shown = made.picture
        if (made.picture.constant(), made.picture.tables) != (self.picture.constant(), self.picture.tables):
            self.picture.inner = made.picture  # another object says that all has to be published anew
        self.versions.clear()
        self.versions.update(made.versions)

    async def _adopt(
        self,
        database: Upgradable,
        made: _Made,
        fresh: Sequence[Model],
        *,
        at: int,
        who: str = "",
        thorough: bool = False,
    ) -> int:
        """Record the models that are `fresh`, and serve what was made: the epoch that has them.

        `thorough`: tables of all models are looked at, as another release may want others. Raises `StaleModel` where
        the database is not at the epoch `at` any more.
        """
        epoch = await database.install(
            made.tables,
            [stored(m, who) for m in fresh],
            partial(self._take, made),
            at=at,
            fresh=None if thorough else tables.tables_of(fresh),
        )
        self._serves(epoch)
        return epoch

    def _serves(self, epoch: int) -> None:
        self.epoch = max(self.epoch, epoch)
        self.serves(self.epoch)

    def heard(self, epoch: int) -> None:
        """Another process serves this epoch."""
        if epoch > self.epoch:
            self._heard.set()

    async def follow(self, database: Upgradable) -> None:
        """For ever: notice models that others recorded, and a policy file that changed."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._heard.wait()
            self._heard.clear()
            self.policy.look()
            try:
                await self.refresh(database)
            except errors.Unavailable:
                continue
            except (errors.MigrationRefused, config.SettingsError, ValueError):
                log.exception("the models on record cannot be served")
                await asyncio.sleep(_LOOK)


def _nothing(_epoch: int) -> None:
    """Nobody to tell."""


async def _nobody() -> None:
    """Nobody to tell."""


class Renewing(resources.Resources):
    """A request that meets a model replaced meanwhile is answered by the new one."""

    refresh: Callable[[], Awaitable[None]] = staticmethod(_nobody)

    async def again(self, request: message.Request) -> message.Reply:
        for pause in _PATIENCE:
            await asyncio.sleep(pause)
            await self.refresh()
            match = self.find(request.path)
            if match is None:
                return answers.plain(404, "no such path", request)
            try:
                return await self.handle(request, *match)
            except errors.StaleModel:
                continue
        raise errors.StaleModel("the models of this process are older than those of the database")
