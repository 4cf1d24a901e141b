"""The models that a process serves: taken at its start, and replaced when the database records others.

In: models of files, a store. Out: registry, picture and versions, which stay the same objects for ever while their
content is replaced, in the breath in which the store meets the new tables. Invariant: no unit is made of one model and
written by another. Called by `node`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from gluon import errors
from gluon.api import errors as answers
from gluon.api import message, resources
from gluon.cmd import hooks
from gluon.evolve import words
from gluon.evolve.stored import stored
from gluon.evolve.survey import recorded, survey
from gluon.model.types import Model
from gluon.objects import journal
from gluon.particles import projection, tables
from gluon.proton import editions, registry
from gluon.spi import projection as spi_projection
from gluon.spi import store
from gluon.spi import tables as spi_tables
from gluon.spi.upgrade import Upgradable

log = structlog.get_logger(__name__)

_LOOK = 0.5
"""Seconds between looks at the epoch: a process that only reads meets new models so soon."""
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

    def of_row(self, table: str, row: store.Row) -> Sequence[tuple[str, bytes]]:
        return self.inner.of_row(table, row)

    def constant(self) -> Sequence[tuple[str, bytes]]:
        return self.inner.constant()


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
    ) -> None:
        self._files = tuple(models)
        self._others = tuple(others)
        self._url = url
        self._again = again
        self._refreshing: asyncio.Task[None] | None = None
        self.replaced: Callable[[], Awaitable[None]] = _nobody
        """Called after models were replaced."""
        codes = hooks.load(models)
        self.registry = editions.serve(registry.Registry(models, codes))
        self.followers = hooks.after(models, codes)
        self.picture = Picture(projection.ModelProjection(models, url=url))
        self.versions = {m.name: m.version for m in models}

    @property
    def models(self) -> tuple[Model, ...]:
        return self.registry.models

    async def install(self, database: Upgradable) -> None:
        """At the start: what the files say, where that needs no more than a start. Raises `MigrationRefused`."""
        plan = await survey(database, self._files)
        models = plan.new
        if not plan.at_once and any(plan.changes.values()):
            if not self._again:
                raise errors.MigrationRefused(words.refusal(plan))
            log.warning(
                "serving the models on record: the files have others", reason="; ".join(words.steps(plan))
            )
            kept = {m.name: m for m in await recorded(database)}
            models = tuple(kept.get(m.name, m) for m in models)
        await self._adopt(database, models)

    async def refresh(self, database: Upgradable) -> None:
        """Take what the database records now. All who ask meanwhile wait for the same."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh(database), name="models")
        await asyncio.shield(self._refreshing)

    async def _refresh(self, database: Upgradable) -> None:
        names = set(self.versions)
        before = self.models
        models = tuple(m for m in await recorded(database) if m.name in names)
        await self._adopt(database, models)
        if self.models != before:
            log.info("models replaced", protons=", ".join(f"{m.name} {m.version}" for m in models))
            await self.replaced()

    async def _adopt(self, database: Upgradable, models: Sequence[Model]) -> None:
        codes = hooks.load(models)
        made = editions.serve(registry.Registry(models, codes))
        followers = hooks.after(models, codes)
        picture = projection.ModelProjection(models, url=self._url)

        def adopt() -> None:
            vars(self.registry).update(vars(made))
            self.followers = followers
            self.picture.inner = picture
            self.versions.clear()
            self.versions.update({m.name: m.version for m in models})

        wanted = (*self._others, *tables.tables_of(models))
        await database.install(wanted, [stored(m) for m in models], adopt)

    async def follow(self, database: Upgradable) -> None:
        """For ever: notice models that others recorded."""
        while True:
            await asyncio.sleep(_LOOK)
            try:
                if not await database.fresh():
                    await self.refresh(database)
            except errors.Unavailable:
                continue
            except (errors.MigrationRefused, ValueError):
                log.exception("the models on record cannot be served")


async def _nobody() -> None:
    """Nobody to tell."""


class Renewing(resources.Resources):
    """A request that meets a model replaced meanwhile is answered by the new one."""

    refresh: Callable[[], Awaitable[None]] = staticmethod(_nobody)

    async def handle(
        self, request: message.Request, resource: resources.Served, rest: tuple[str, ...]
    ) -> message.Reply:
        try:
            return await super().handle(request, resource, rest)
        except errors.StaleModel:
            pass
        for pause in _PATIENCE:
            await asyncio.sleep(pause)
            await self.refresh()
            match = self.find(request.path)
            if match is None:
                return answers.plain(404, "no such path", request)
            try:
                return await super().handle(request, *match)
            except errors.StaleModel:
                continue
        raise errors.StaleModel("the models of this process are older than those of the database")
