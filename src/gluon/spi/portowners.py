"""Owners of ports that are no proton's: whoever has ports of its own and wants them shown where all ports are.

A package offers a `Factory` as an entry point of `GROUP`; its name is the owner's. Invariant: an id is one owner's, as the index
of all ports has it once. An owner enters its ports there before anybody can ask for them, with each change of what is entered, and takes
them out when they are gone; lists are made of the index, and the bodies are the owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from gluon.spi import policy

GROUP = "gluon.portowners"

Body = Mapping[str, Any]
"""A port in the words of Neutron's API; what it leaves out is taken from its claim, or empty."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What the index has of a port, and lists are filtered by. `status`: ACTIVE, BUILD, DOWN or ERROR; that a port with a
    device changed it, Nova is told."""

    id: str
    project: str | None = None
    network_id: str | None = None
    device_id: str | None = None
    device_owner: str | None = None
    host: str | None = None
    mac: str | None = None
    name: str | None = None
    status: str = "DOWN"


class Claims(Protocol):
    """One owner's ports in the index of all."""

    async def claim(self, ports: Sequence[Claim]) -> None:
        """These are there, and as told: all of them, or none. Raises `Conflict` (`taken`) where another owner has one of the
        ids, `Unavailable`."""

    async def release(self, ids: Collection[str]) -> None:
        """These are gone. What another owner has stays."""

    async def held(self, after: str | None = None, limit: int = 1000) -> Sequence[Claim]:
        """Those that are entered, by id: to compare with what there is."""


class PortOwner(Protocol):
    """All calls may be made at once, and are given up after some seconds. What they raise other than `gluon.errors.Rejected`
    means that the owner cannot answer: then nobody hears of fewer ports than there are, but 503."""

    async def get(self, caller: policy.Caller, ids: Sequence[str]) -> Sequence[Body]:
        """Those of its ports with these ids that the caller may see. Projects of callers are written as
        `policy.normal_project` writes them."""

    async def update(self, caller: policy.Caller, id: str, body: Body) -> None:
        """As a PUT asks for. Raises `Rejected`: `NotFound` also for what the caller may not see."""

    async def delete(self, caller: policy.Caller, id: str) -> None:
        """Raises `Rejected`."""

    async def close(self) -> None:
        """The server stops."""


Factory = Callable[[Claims], PortOwner]
"""Called once a process, in its loop."""
