"""The models that a process serves: taken at its start, and replaced when the database records others.

In: models of files, a store. Out: registry, picture and versions, which stay the same objects for ever while their
content is replaced, in the breath in which the store meets the new tables. Invariant: no unit is made of one model and
written by another. Called by `node`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import structlog

from gluon import errors
from gluon.api import errors as answers
from gluon.api import message, resources
from gluon.cmd import hooks
from gluon.cmd import settings as config
from gluon.evolve import words
from gluon.evolve.stored import restore, stored
from gluon.evolve.survey import loaded, recorded, survey
from gluon.model.types import Model
from gluon.objects import journal
from gluon.particles import projection, tables
from gluon.proton import editions, registry
from gluon.spi import projection as spi_projection
from gluon.spi import store
from gluon.spi import tables as spi_tables
from gluon.spi.upgrade import Upgradable
from gluon.versions import forms

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

    def apart(self, entry: journal.Entry) -> tuple[str, store.Value] | None:
        return self.inner.apart(entry)

    def of_apart(self, entry: journal.Entry, row: store.Row | None) -> Sequence[tuple[str, bytes | None]]:
        return self.inner.of_apart(entry, row)

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
        self.epoch = 0
        codes = hooks.load(models)
        self.registry = editions.serve(registry.Registry(models, codes))
        self.followers = hooks.after(models, codes)
        self.picture = Picture(projection.ModelProjection(models, url=url, forms=forms.told))
        self.versions = {m.name: forms.offered(m) for m in models}
        """Those that shims can be shown."""
        self.serves: Callable[[int], None] = _nothing
        """Called with the epoch that is served from now on."""

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
        await self._adopt(database, (*models, *await self._more(database)))

    async def _more(self, database: Upgradable) -> list[Model]:
        """Models that somebody loaded, of which the files say nothing."""
        named = {m.name for m in self._files}
        records = await loaded(database)
        return [restore(kept) for kept in records if kept.who and kept.api not in named]

    async def load(self, database: Upgradable, model: Model, who: str, *, replace: bool) -> int:
        """Serve one more model, or another in the place of one: the epoch that has it.

        Raises `Conflict` where it is there already, needs more than a moment, or its hooks are not installed;
        `NotFound` where there is nothing to replace.
        """
        there = {m.name: m for m in self.models}
        before = there.get(model.name)
        if before is not None and before.digest == model.digest:
            return self.epoch
        if before is not None and not replace:
            raise errors.Conflict(
                f"{model.name} {before.version} is loaded already, and differs",
                code="loaded",
                hint="replace it: gluon proton replace",
            )
        if before is None and replace:
            raise errors.NotFound(f"no proton {model.name} is loaded", hint="load it: gluon proton load")
        plan = await survey(database, [model])
        if not plan.at_once:
            raise errors.Conflict(
                "; ".join(words.steps(plan)), code="migration", hint="change it in steps: gluon db upgrade"
            )
        try:
            return await self._adopt(
                database, ({**there, model.name: plan.new[0]}).values(), {model.name: who}
            )
        except (config.SettingsError, errors.MigrationRefused) as refused:
            raise errors.Conflict(str(refused), code="cannot_load", hint="see the message") from refused

    async def retire(self, database: Upgradable, api: str, *, force: bool) -> int:
        """Serve a model no more: the epoch without it. Its objects stay in the database.

        Raises `NotFound`, or `Conflict` while it has objects and `force` is not given.
        """
        model = next((m for m in self.models if m.name == api), None)
        if model is None:
            raise errors.NotFound(f"no proton {api} is loaded", hint="see gluon proton list")
        rows = await database.counts([t.name for t in tables.tables_of([model])])
        held = [
            f"{rows[t.table]} of type {name}"
            for name, t in self.registry.made[api].items()
            if rows.get(t.table)
        ]
        if held and not force:
            raise errors.Conflict(
                f"{api} has {', '.join(held)}",
                code="in_use",
                hint="delete them first, or force it: they stay in the database and nobody sees them",
            )
        epoch = await database.retire(api)
        await self.refresh(database)
        return epoch

    async def refresh(self, database: Upgradable) -> None:
        """Take what the database records now. All who ask meanwhile wait for the same."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh(database), name="models")
        await asyncio.shield(self._refreshing)

    async def _refresh(self, database: Upgradable) -> None:
        names = {m.name for m in self._files}
        before = self.models
        models = tuple(restore(k) for k in await loaded(database) if k.who or k.api in names)
        await self._adopt(database, models)
        if self.models != before:
            log.info("models replaced", protons=", ".join(f"{m.name} {m.version}" for m in models))

    async def _adopt(
        self, database: Upgradable, given: Iterable[Model], who: Mapping[str, str] | None = None
    ) -> int:
        """Serve these models: the epoch that has them. `who` loads which of them."""
        models = tuple(given)
        names = who or {}
        codes = hooks.load(models)
        made = editions.serve(registry.Registry(models, codes))
        followers = hooks.after(models, codes)
        picture = projection.ModelProjection(models, url=self._url, forms=forms.told)

        def adopt() -> None:
            vars(self.registry).update(vars(made))
            self.followers = followers
            if (picture.constant(), picture.tables) != (self.picture.constant(), self.picture.tables):
                self.picture.inner = picture  # another object says that all has to be published anew
            self.versions.clear()
            self.versions.update({m.name: forms.offered(m) for m in models})

        wanted = (*self._others, *tables.tables_of(models))
        self.epoch = await database.install(wanted, [stored(m, names.get(m.name, "")) for m in models], adopt)
        self.serves(self.epoch)
        return self.epoch

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
