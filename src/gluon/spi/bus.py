"""The bus: etcd v3 as the engines see it; the embedded bus in memory has the same contract.

Keys are text, values bytes, revisions those of the bus (not of the store). All calls raise
`BusUnavailable` when no endpoint answers within `timeout` of the client's settings; a `Txn`
whose answer was lost raises it too, and may or may not have happened: callers compare.
One conformance suite proves every implementation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

import msgspec


class KeyValue(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One key as stored. `lease` is 0 without one."""

    key: str
    value: bytes
    create_revision: int
    mod_revision: int
    lease: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """A condition of a Txn; exactly one of the three is given.

    `create_revision=0` means "the key does not exist".
    """

    key: str
    create_revision: int | None = None
    mod_revision: int | None = None
    value: bytes | None = None


class Put(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    key: str
    value: bytes
    lease: int = 0


class Delete(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Delete one key, or with `prefix` all keys that start with `key`."""

    key: str
    prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    key: str


Op = Put | Delete | Get


@dataclass(frozen=True, slots=True, kw_only=True)
class TxnResult:
    """`values` holds one entry per `Get` of the branch taken, in order."""

    succeeded: bool
    revision: int
    values: tuple[KeyValue | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All keys of a prefix, ordered by key, as of one `revision`."""

    items: tuple[KeyValue, ...]
    revision: int


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`value` None: the key was deleted (or its lease ended)."""

    key: str
    value: KeyValue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Events of one or several whole revisions, in order; `events` may be empty (progress)."""

    revision: int
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """The full content of a followed prefix. Comes first, and again after each break in history
    (compaction, another cluster, a restored snapshot): the follower replaces what it holds."""

    listing: Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class BusHealth:
    """`size` in bytes; `alarms` such as `NOSPACE`; `members` that answered."""

    size: int
    revision: int
    alarms: tuple[str, ...] = field(default=())
    members: int = 1


class Lease(Protocol):
    """A lease kept alive in the background until its context ends (which revokes it)."""

    @property
    def id(self) -> int: ...

    @property
    def lost(self) -> bool: ...

    async def wait_lost(self) -> None:
        """Return once the lease has ended although its context is still open."""


class Leadership(Protocol):
    """The key of an election won: valid as long as `key` has `create_revision`."""

    @property
    def key(self) -> str: ...

    @property
    def create_revision(self) -> int: ...


class Bus(Protocol):
    """What the engines may ask of etcd."""

    max_ops: int
    """Most conditions, and most operations of a branch (etcd's `--max-txn-ops`, 128 by default)."""

    @property
    def max_writes(self) -> int:
        """Most operations of a Txn's `then`, where conditions and `otherwise` have at most half of `max_ops`."""

    async def get(self, key: str) -> KeyValue | None: ...

    async def list(self, prefix: str) -> Listing:
        """One consistent listing; read in pages of bounded size at one revision."""

    async def put(self, key: str, value: bytes, *, lease: int = 0) -> int:
        """Returns the revision of the put."""

    async def delete(self, key: str, *, prefix: bool = False) -> int:
        """Returns how many keys went."""

    async def txn(
        self, compares: Sequence[Compare], then: Sequence[Op], otherwise: Sequence[Op] = ()
    ) -> TxnResult: ...

    def watch(self, prefix: str, *, after: int) -> AsyncIterator[Watched]:
        """Events of revisions > `after`, resumed over broken connections without gap or repeat.

        Raises `Compacted` when `after` is gone or the cluster is another one (a cluster id that
        changes, a revision that goes backwards). Asks for progress at least every 10 s, so that
        a silent watch is noticed.
        """

    def follow(self, prefix: str) -> AsyncIterator[Synced | Watched]:
        """List, then watch, for ever: the level-triggered way to hold a prefix in memory.

        Never raises for an outage: it waits and goes on, with `Synced` again where needed.
        """

    def lease(self, ttl: int) -> AbstractAsyncContextManager[Lease]: ...

    def campaign(self, key: str, value: bytes, *, ttl: int = 5) -> AbstractAsyncContextManager[Leadership]:
        """Wait until `key` is ours (created under an own lease), hold it for the context.

        The body is cancelled with `LeaseLost` raised from the context when leadership ends.
        """

    async def compact(self, revision: int) -> None:
        """Forget history before `revision`; already compacted is no error."""

    async def health(self) -> BusHealth: ...

    async def close(self) -> None: ...
