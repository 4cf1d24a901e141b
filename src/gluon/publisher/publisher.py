"""The publisher of one process: all its parts put together.

In: store, bus, projection and the main's `Hooks`. Out: `run()`; `notify()` after each commit; and
for the arbiter `registrations` and `subscribe`. Every API process runs one; the elected one leads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from gluon.errors import GluonError
from gluon.objects import journal, keys
from gluon.publisher import aftermath, cursor, wake
from gluon.publisher.collector import Collector, Known, MakeUnit
from gluon.publisher.housekeeping import Housekeeping, Keep
from gluon.publisher.leader import Duty, Leader
from gluon.publisher.registrations import Registrations
from gluon.publisher.relay import Models, Relay
from gluon.publisher.replies import Reply, ReplyWatch
from gluon.publisher.stats import Stats
from gluon.publisher.supervise import every, supervise, together
from gluon.spi import bus, projection, store
from gluon.spi import hooks as spi_hooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the main gives. `make_unit` and `known` as the collector says; `sweep` is called each
    second by the leader; `on_rebase` when the history that etcd has seen is not the database's
    (perhaps more than once), before the resync; `after` lists the hooks that follow the journal; `models` tells of
    which models the projection is; `duties` are done by the leader, too."""

    make_unit: MakeUnit
    known: Known
    sweep: Callable[[], Awaitable[None]]
    on_rebase: Callable[[], Awaitable[None]]
    after: Callable[[], Sequence[spi_hooks.Subscription]] = tuple
    models: Models | None = None
    duties: Sequence[Duty] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Pauses in seconds, and how much history to keep. `lead` False: never stands for election; `replies` False: nobody in
    this process waits for what shims say."""

    lead: bool = True
    replies: bool = True
    sweep: float = 1.0
    housekeeping: float = 60.0
    keep: Keep = field(default_factory=Keep)


class Publisher:
    """`process` is unique among all API processes of this etcd."""

    def __init__(
        self,
        database: store.Store,
        target: bus.Bus,
        picture: projection.Projection,
        *,
        process: str,
        hooks: Hooks,
        settings: Settings | None = None,
    ) -> None:
        settings = settings or Settings()
        self.stats = Stats()
        self.registrations = Registrations(target)
        self._replies = ReplyWatch(target)
        self._followed = settings.replies
        self._relay = Relay(
            database=database,
            target=target,
            picture=picture,
            on_rebase=hooks.on_rebase,
            stats=self.stats,
            models=hooks.models,
        )
        self._waker = wake.Waker(target, process, local=self._notify_own)
        collector = Collector(
            database=database, target=target, make_unit=hooks.make_unit, known=hooks.known, stats=self.stats
        )
        after = aftermath.Aftermath(database, hooks.after, self.stats)
        self._after = after
        house = Housekeeping(
            database=database,
            target=target,
            reached=lambda: self._relay.reached,
            held=after.held,
            keep=settings.keep,
            stats=self.stats,
        )
        duties = (
            Duty(name="relay", run=self._relay.run),
            Duty(name="wakes", run=lambda: wake.listen(target, self._woken)),
            Duty(name="collector", run=collector.run),
            Duty(name="aftermath", run=after.run),
            Duty(name="sweeper", run=lambda: every(settings.sweep, hooks.sweep)),
            Duty(name="housekeeping", run=lambda: every(settings.housekeeping, house.once)),
            *hooks.duties,
        )
        self._leader = Leader(target, process, duties, self.stats) if settings.lead else None

    def tell(self, told: Callable[[Sequence[journal.Entry], float], None]) -> None:
        """`told` hears of all that is published from now on: see `relay.Relay.told`."""
        self._relay.told = told

    def notify(self) -> None:
        """Something was committed by this process. Never waits, never fails."""
        self._waker.notify()

    def subscribe(
        self, api: str, object_type: str, key: str
    ) -> AbstractAsyncContextManager[AsyncIterator[Reply]]:
        """What shims say of one object: present values, then changes."""
        return self._replies.subscribe(api, object_type, key)

    def told(self) -> Mapping[tuple[str, str], int]:
        """Of how many objects each controller says something on each of its shards. Raises `BusUnavailable`."""
        return self._replies.told()

    async def run(self) -> None:
        """Until cancelled."""
        running = {
            "waker": self._waker.run,
            "registrations": self.registrations.run,
        }
        if self._followed:
            running["replies"] = self._replies.run
        if self._leader is not None:
            running["leader"] = self._leader.run
        await together(**{name: supervise(name, run, self.stats) for name, run in running.items()})

    def _notify_own(self) -> bool:
        if self.stats.leading:
            self._woken()
        return self.stats.leading

    def _woken(self) -> None:
        self._relay.notify()
        self._after.notify()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where publishing stands, for `gluon status` of any process. `error`: etcd does not answer.

    Everything up to `revision` is in etcd; `lag` counts revisions from there to the database's
    `position`, gaps and status writes included; `leader` is a process's name.
    """

    leader: str = ""
    cursor: str = ""
    revision: int = 0
    position: int = 0
    resyncing: bool = False
    alarms: tuple[str, ...] = ()
    size: int = 0
    error: str = ""

    @property
    def lag(self) -> int:
        return max(0, self.position - self.revision)


async def standing(database: store.Store, target: bus.Bus) -> Standing:
    """Read it from database and etcd. Raises `Unavailable` only for the database."""
    position = (await database.position()).revision
    try:
        result = await target.txn((), (bus.Get(key=keys.RELAY_LEADER), bus.Get(key=keys.RELAY_CURSOR)))
        health = await target.health()
    except GluonError as error:
        return Standing(position=position, error=str(error))
    leader, value = result.values
    found = cursor.parse(value.value) if value else None
    reached = found.revision if found else 0
    if found and not found.resync and not await database.tail(reached, limit=1, intent=True):
        reached = position  # all that came since is status, which is not published
    return Standing(
        leader=leader.value.decode(errors="replace") if leader else "",
        cursor=value.value.decode(errors="replace") if value else "",
        revision=reached,
        position=position,
        resyncing=bool(found and found.resync),
        alarms=tuple(health.alarms),
        size=health.size,
    )
