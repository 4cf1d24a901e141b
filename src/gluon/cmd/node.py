"""One API process, put together: store, bus, models, arbiter, publisher and the ASGI app."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from gluon import errors
from gluon import store as stores
from gluon.api import changesets, lane, metrics
from gluon.arbiter import alternates, assign, binder, ledger, replies, standing
from gluon.arbiter import projection as arbiter_projection
from gluon.cmd import (
    administer,
    audit,
    engines,
    etcd,
    events,
    figures,
    fronts,
    handover,
    identities,
    operations,
    owners,
    rating,
    recording,
    streams,
)
from gluon.cmd import settings as config
from gluon.cmd.gathering import Gathering
from gluon.cmd.health import Health
from gluon.cmd.presence import Presence
from gluon.cmd.protons import Protons, Renewing
from gluon.model.types import Model
from gluon.objects import keys
from gluon.particles import projection
from gluon.proton import service, terms
from gluon.proton.changesets import engine
from gluon.publisher import housekeeping, leader, publisher, supervise
from gluon.spi import bus as spi_bus
from gluon.spi import portowners
from gluon.spi import store as spi_store
from gluon.store.deciding import Waiting
from gluon.watch import feed

log = structlog.get_logger(__name__)

_LONGEST_WAIT = 2.0
"""Seconds between two tries to reach a database that was away at the start."""
_PROBE = 1.0
"""Seconds that etcd has to answer before it counts as down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What runs in one API process. `app` is ASGI."""

    app: lane.App
    database: spi_store.Store
    bus: spi_bus.Bus
    publisher: publisher.Publisher
    models: Sequence[Model]
    presence: Presence
    health: Health
    gathering: Gathering
    feed: feed.Feed
    actions: service.Service
    alternates: alternates.Alternates


Siblings = tuple[int, Sequence[str]]
"""The supervisor's process id, and the names of all its children."""


class Notifying:
    """A store that wakes the relay when there is something to publish; else the store itself."""

    def __init__(self, inner: stores.SqlStore) -> None:
        self.inner = inner
        self.notify: Callable[[], None] = _nobody
        self.refresh: Callable[[], Awaitable[None]] = _nothing
        self.committed: Callable[[], None] = _nobody
        self.revisions: dict[str, int] | None = None
        inner.writer.told = self._told

    async def submit(self, unit: spi_store.Unit) -> spi_store.Committed:
        try:
            return await self.inner.writer.submit(unit)
        except errors.StaleModel:
            await self.refresh()  # who asked makes the unit again, of the new models
            raise

    def _told(self, batch: Sequence[tuple[Waiting, spi_store.Committed | Exception]]) -> None:
        """What was committed at once is told at once."""
        wrote = intent = False
        for one, done in batch:
            if isinstance(done, spi_store.Committed) and done.revision:
                wrote, intent = True, intent or done.intent
                if self.revisions is not None:
                    self.revisions[one.unit.request_id] = done.revision
        if wrote:
            self.committed()
        if intent:
            self.notify()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def _nobody() -> None:
    """Nobody to wake yet."""


async def _nothing() -> None:
    """No models to replace yet."""


@asynccontextmanager
async def open_node(
    settings: config.Settings,
    *,
    url: str,
    process: str = "",
    lead: bool = True,
    shared: spi_bus.Bus | None = None,
    wake: Callable[[], None] | None = None,
    again: bool = False,
    models: Sequence[Model] = (),
    name: str = "server",
    siblings: Siblings | None = None,
) -> AsyncIterator[Node]:
    """A running node. `url` is where clients reach it, `lead`: may lead publishing, `shared`: use this bus,
    `again`: served before, so other models in the files are no reason to stop, `models`: those of the files,
    where somebody has read them already, `name`: of this process among its `siblings`.

    `wake` tells a publisher beside this process of a commit; without it, that of this process tells the leader.

    While a database server is away it answers 503. Raises `MigrationRefused`, also later for it.
    """
    models = models or handover.load_models(settings)
    directory = config.state_directory(settings)
    where = config.database_url(settings)
    if where.startswith("sqlite:") and not settings.data.database:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise config.SettingsError(f"folder of the database {directory}: {error.strerror}") from error
    traces = recording.tracing(settings.trace, process or name)
    database = Notifying(stores.open(where, told=traces.stored if traces is not None else None))
    bus = shared or etcd.connect_bus(settings)
    try:
        protons = Protons(
            models,
            others=engines.TABLES,
            url=settings.api.public_url or url,
            again=again,
            policy=settings.policy.file,
        )
        installed = await _install(database, protons, patient=not where.startswith("sqlite:"))
        with recording.audit(settings.audit, settings.api) as kept:
            async with (
                identities.guarded(settings, protons.rules) as guarding,
                owners.opened(database) as others,
            ):
                node = _assemble(
                    settings, protons, database, bus, guarding, others,
                    process=process or _process(), lead=lead, name=name, siblings=siblings, kept=kept, traces=traces,
                )  # fmt: skip
                database.revisions = kept.revisions if kept is not None else None
                database.notify = wake or node.publisher.notify
                async with _working(node, _follow(database, protons, installed=installed)):
                    yield node
    finally:
        await database.close()
        if shared is None:
            await bus.close()
        if traces is not None:
            await asyncio.to_thread(traces.close)


@asynccontextmanager
async def _working(node: Node, following: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """All that a node does beside requests."""
    async with node.gathering.listening(), asyncio.TaskGroup() as group:
        running = [group.create_task(node.publisher.run(), name="publisher")]
        running.append(group.create_task(node.presence.run(), name="presence"))
        watched = supervise.supervise("watch", node.feed.run, node.publisher.stats)
        running.append(group.create_task(watched, name="watch"))
        running.append(group.create_task(following, name="models"))
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await fronts.leave(node.app)


async def _install(database: Notifying, protons: Protons, *, patient: bool) -> bool:
    """Whether the tables are there; if the database is away, `patient` goes on without."""
    try:
        await protons.install(database.inner)
    except errors.Unavailable as error:
        if not patient:
            raise
        cause = str(error.__cause__ or "")
        log.warning("the database is away, answering 503 until it is there", reason=str(error), cause=cause)
        return False
    return True


async def _follow(database: Notifying, protons: Protons, *, installed: bool) -> None:
    """Install what could not be at the start, then follow what is recorded."""
    backoff = supervise.Backoff(longest=_LONGEST_WAIT)
    while not installed:
        await backoff.wait()
        installed = await _install(database, protons, patient=True)
        if installed:
            log.info("the database is there")
    await protons.follow(database.inner)


def _process() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"


class _Shown:
    """What the publisher has to know of the models: `publisher.relay.Models`."""

    def __init__(self, protons: Protons, database: Notifying) -> None:
        self._protons = protons
        self._database = database

    @property
    def shown(self) -> object:
        return self._protons.picture.inner

    async def renew(self, epoch: int | None = None) -> None:
        if self._protons.epoch and not await self._database.inner.fresh(epoch):  # at first they are installed
            await self._protons.refresh(self._database.inner)


class _Arbiter:
    """The arbiter's part of publishing: made before the binder, which needs the publisher."""

    binds: binder.Binder

    def __init__(self, bus: spi_bus.Bus) -> None:
        self._bus = bus

    def make_unit(self, items: Sequence[replies.Item]) -> spi_store.Unit:
        return self.binds.unit(items)

    def reported(self) -> AsyncIterator[keys.StatusKey]:
        return self.binds.reported()

    async def sweep(self) -> None:
        await self.binds.sweep()

    async def on_rebase(self) -> None:
        """Epochs are revisions, which the store has just moved past all that etcd has seen."""

    async def unreachable(self) -> str:
        """Why an overdue bind may have got no answer, or empty."""
        try:
            async with asyncio.timeout(_PROBE):
                await self._bus.get(keys.RELAY_CURSOR)
        except (errors.BusError, TimeoutError):
            return "etcd does not answer, so no shim could be asked"
        return ""


def _assemble(
    settings: config.Settings,
    protons: Protons,
    database: Notifying,
    bus: spi_bus.Bus,
    guarding: lane.Guard,
    owned: Mapping[str, portowners.PortOwner],
    *,
    process: str,
    lead: bool,
    name: str,
    siblings: Siblings | None,
    kept: audit.Audit | None,
    traces: recording.Tracing | None,
) -> Node:
    known = protons.registry
    arbiter = _Arbiter(bus)
    telling = events.made(settings, database, lambda: known)
    pace = _pace(siblings, lead=lead)
    publishing = _publisher(protons, database, bus, arbiter, process, pace, events.duties(telling))
    if traces is not None:
        publishing.tell(traces.published)
    assigner = assign.Assigner(roster := publishing.registrations, protons.versions)
    binds = binder.Binder(database, known, assigner, roster, publishing.subscribe, arbiter.unreachable)
    arbiter.binds = binds
    standings = standing.Standing(database)
    health, counting = Health(database.inner), metrics.Counting()
    shown = figures.Figures(
        name, counting, database.inner.stats, publishing, binds.times, protons.policy.facts)  # fmt: skip
    gathering = Gathering(name, shown.own, siblings)
    parts = operations.Parts(
        database=database, bus=bus, publishing=publishing, process=process, protons=protons, health=health,
        gathering=gathering)  # fmt: skip
    books = ledger.Ledger(assigner)
    actions = service.Service(database, protons.rules, books, standings, database.inner.writer)
    others = alternates.Alternates(database, known, books, binds)

    presence = Presence(bus, process, protons.heard)
    served = Renewing(lambda: known, actions, binds, standings)
    served.refresh = _tell(protons, database, presence, health)
    offered = operations.operations(parts, administer.Administration(database.inner, protons, presence))
    sets = engine.ChangeSets(actions, database, protons.rules, lambda: known)
    served_too = changesets.ChangeSets(sets, actions, binds, served.refresh)
    record = recording.recorder(settings.logs, settings.api, kept, traces)
    rest = fronts.falcon(protons, database, offered, served_too, served.refresh)
    front = fronts.neutron(rest, protons, database, actions, binds, others, served.refresh, owned)
    app = fronts.made(settings.neutron, front, database, (served, guarding, counting, record))
    served.rates = served_too.rates = limits = rating.of(settings)
    fronts.hasten(app, actions, front, database.inner.writer, (guarding, counting, record), limits)
    alone = config.database_url(settings).startswith("sqlite:")
    watching, app.streams = streams.make(
        database.inner, lambda: known, actions, standings, protons.rules, _Shown(protons, database).renew,
        guarding, alone=alone,
    )  # fmt: skip
    shown.watching, shown.nova = watching, telling
    database.committed, served.token = events.both(watching.notify, telling), watching.now
    return Node(
        app=app, database=database, bus=bus, publisher=publishing, models=protons.models, presence=presence,
        health=health, gathering=gathering, feed=watching, actions=actions, alternates=others,
    )  # fmt: skip


def _tell(
    protons: Protons, database: Notifying, presence: Presence, health: Health
) -> Callable[[], Awaitable[None]]:
    """All who have to know of other models hear of them; what brings the models up to date."""

    async def refresh() -> None:
        await protons.refresh(database.inner)

    def serves(epoch: int) -> None:
        health.epoch = epoch
        database.notify()  # the leader publishes all anew: what is in etcd has the form of the models before
        presence.serves(epoch)

    database.refresh = refresh
    protons.serves = serves
    presence.serves(protons.epoch)
    health.epoch = protons.epoch
    return refresh


def _pace(siblings: Siblings | None, *, lead: bool) -> publisher.Settings:
    """A process that publishes beside workers answers no requests."""
    keep = housekeeping.Keep(others=terms.OTHERS)
    return publisher.Settings(lead=lead, replies=siblings is None or not lead, keep=keep)


def _publisher(
    protons: Protons,
    database: Notifying,
    bus: spi_bus.Bus,
    arbiter: _Arbiter,
    process: str,
    settings: publisher.Settings,
    duties: Sequence[leader.Duty],
) -> publisher.Publisher:
    return publisher.Publisher(
        database,
        bus,
        projection.Projections(protons.picture, arbiter_projection.BindingProjection()),
        process=process,
        hooks=publisher.Hooks(
            make_unit=arbiter.make_unit,
            known=arbiter.reported,
            sweep=arbiter.sweep,
            on_rebase=arbiter.on_rebase,
            after=lambda: protons.followers,
            models=_Shown(protons, database),
            duties=duties,
        ),
        settings=settings,
    )
