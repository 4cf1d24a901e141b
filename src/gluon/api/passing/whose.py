"""Whose an object is: Gluon's, Neutron's, or nobody can say now.

In: an id. Out: its owner. Neutron makes its ids at random, which is version 4 of UUIDs; networks and subnets of Gluon are of another,
so nobody is asked about those of Neutron. A port's is looked up by its key. What who asks does not see here is Neutron's, which says that
there is none, as of all others: in its words, and after the same time. Called by `front` and `lists`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

import structlog

from gluon import errors
from gluon.api import evened
from gluon.arbiter.tables import PORT
from gluon.neutron.face import Face
from gluon.neutron.faults import Missing
from gluon.spi import policy, store
from gluon.values import uuid

log = structlog.get_logger(__name__)

_LONGEST = 64
_REFUSED, _MISSING = 400, 404
_VERSION, _RANDOM = 14, "4"
_PATIENCE = 5.0
"""Seconds that the database has to say whose a port is."""
_BLIND = 2.0
"""Seconds in which it is not asked again after it did not."""
_KNOWN = 20_000
"""Ports of Neutron's that are remembered."""

Admit = Callable[[], Awaitable[policy.Caller]]


class Owner(StrEnum):
    GLUON = "gluon"
    NEUTRON = "neutron"
    UNKNOWN = "unknown"


def random(id: str) -> bool:
    """Of a network or subnet: only Neutron makes such an id."""
    try:
        return uuid.parse(id)[_VERSION] == _RANDOM
    except ValueError:
        return True  # Gluon's are UUIDs


class Whose:
    """Asks one database."""

    def __init__(self, database: store.Store, face: Face) -> None:
        self._store = database
        self._face = face
        self.patience = _PATIENCE
        self._blind = 0.0
        self._theirs: dict[str, None] = {}

    def told(self, port: str, status: int) -> None:
        """What Neutron says of a port that is not ours. An id is one owner's as long as there is a port: it is not looked up
        again, and nobody takes it over by making one of ours that is called so."""
        if status == _MISSING:
            self._theirs.pop(port, None)
        elif status < _REFUSED and len(port) <= _LONGEST and port not in self._theirs:
            if len(self._theirs) >= _KNOWN:
                del self._theirs[next(iter(self._theirs))]
            self._theirs[port] = None

    async def of(self, kind: str, id: str, admit: Admit) -> Owner:
        """`kind`: ports, networks, subnets. Who asks is looked at only for what may be Gluon's."""
        if kind == "ports":
            return await self._evened(id, admit)
        return Owner.NEUTRON if random(id) else await self._named(kind, id, admit)

    async def _evened(self, id: str, admit: Admit) -> Owner:
        if len(id) > _LONGEST or id in self._theirs:
            return Owner.NEUTRON
        began = evened.now()
        owner = await self._port(id)
        if owner is Owner.GLUON:
            owner = await self._seen(id, admit)
        if owner is Owner.NEUTRON:
            await evened.tick(began)  # to look whether he sees it takes time
        return owner

    async def _seen(self, port: str, admit: Admit) -> Owner:
        """Of a port that Gluon has. Whom Gluon does not admit Neutron refuses itself."""
        try:
            caller = await admit()
            if not caller.admin:
                await self._face.ports.seen(self._face.asker(caller, ""), port)
        except errors.StaleModel:
            return Owner.GLUON  # which loads other models
        except errors.Unavailable:
            return Owner.UNKNOWN
        except errors.Rejected:
            return Owner.NEUTRON
        return Owner.GLUON

    async def _port(self, id: str) -> Owner:
        loop = asyncio.get_running_loop()
        if loop.time() < self._blind:
            return Owner.UNKNOWN
        try:
            async with asyncio.timeout(self.patience):
                found = await self._store.get(PORT, id)
        except (errors.Unavailable, TimeoutError) as error:
            self._blind = loop.time() + _BLIND
            log.warning("whose a port is cannot be said: Neutron is asked", reason=str(error) or "timeout")
            return Owner.UNKNOWN
        return Owner.NEUTRON if found is None else Owner.GLUON

    async def _named(self, kind: str, id: str, admit: Admit) -> Owner:
        """One that was brought into Neutron may have such an id too."""
        try:
            asker = self._face.asker(await admit(), "")
            get = self._face.networks.get if kind == "networks" else self._face.networks.get_subnet
            await get(asker, id)
        except Missing:
            return Owner.NEUTRON
        except (errors.Rejected, errors.StaleModel):
            return Owner.GLUON  # which says why, or loads other models
        except errors.Unavailable:
            return Owner.UNKNOWN
        return Owner.GLUON
