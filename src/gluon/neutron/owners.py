"""Ports that are no proton's, as their owners tell them.

In: rows of `gluon_port` of other owners. Out: whole bodies, or `Unavailable`: a list that an owner says nothing to is not shortened.
Called by `ports`, and by the face for changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from gluon import errors
from gluon.arbiter import ledger
from gluon.arbiter.tables import PORT
from gluon.neutron import bodies, ids
from gluon.neutron.asker import Asker
from gluon.neutron.bodies import Body
from gluon.spi import portowners, store

log = structlog.get_logger(__name__)

LIMIT = 20.0
"""Seconds that an owner has to answer."""
_T = TypeVar("_T")


class Owners:
    """By their names."""

    def __init__(self, database: store.Store, known: Mapping[str, portowners.PortOwner]) -> None:
        self._store = database
        self._known = known

    def __bool__(self) -> bool:
        return bool(self._known)

    async def of(self, id: str) -> str | None:
        """The name of the owner of a port that is no proton's."""
        row = await self._store.get(PORT, id) if self._known else None
        return str(row["owner"]) if row is not None and foreign(row) else None

    async def bodies(self, asker: Asker, rows: Sequence[store.Row]) -> dict[str, Body]:
        """Of the ports in these rows that the caller may see, by id."""
        by_owner: dict[str, list[store.Row]] = {}
        for row in rows:
            by_owner.setdefault(str(row["owner"]), []).append(row)
        found = await asyncio.gather(*(self._bodies(asker, name, some) for name, some in by_owner.items()))
        return {key: body for some in found for key, body in some.items()}

    async def update(self, asker: Asker, owner: str, id: str, body: Mapping[str, Any]) -> None:
        await _told(owner, self._owner(owner).update(asker.caller, id, body))

    async def delete(self, asker: Asker, owner: str, id: str) -> None:
        await _told(owner, self._owner(owner).delete(asker.caller, id))

    async def _bodies(self, asker: Asker, owner: str, rows: Sequence[store.Row]) -> dict[str, Body]:
        wanted, asked = {str(row["id"]): row for row in rows}, self._owner(owner)

        async def ask() -> dict[str, Body]:
            found: dict[str, Body] = {}
            for one in await asked.get(asker.caller, list(wanted)):
                row = wanted.get(str(one.get("id")))
                if row is not None:  # what was not asked for may be another's
                    found[str(row["id"])] = _whole(row, one)
            return found

        return await _told(owner, ask())

    def _owner(self, name: str) -> portowners.PortOwner:
        found = self._known.get(name)
        if found is None:
            raise errors.Unavailable(f"the ports of {name} are not known here: its package is not installed")
        return found


def foreign(row: store.Row) -> bool:
    """Whether a row of `gluon_port` is no proton's."""
    return row["owner"] != ledger.OWNER


async def _told(owner: str, call: Awaitable[_T]) -> _T:
    """What an owner answers. Code of others: whatever it raises, it is no answer."""
    try:
        async with asyncio.timeout(LIMIT):
            return await call
    except (errors.Rejected, errors.Unavailable):
        raise
    except TimeoutError as error:
        raise errors.Unavailable(f"{owner} does not answer for its ports") from error
    except Exception as error:
        log.exception("an owner of ports failed", owner=owner)
        raise errors.Unavailable(f"{owner} cannot answer for its ports") from error


def _whole(row: store.Row, given: portowners.Body) -> Body:
    """With every member that a port has here."""
    project = ids.shown_project(given.get("project_id") or given.get("tenant_id") or row["project"])
    return {
        **bodies.BLANK,
        "name": row["name"] or "",
        "network_id": row["network_id"] or "",
        "mac_address": row["mac"] or "",
        "status": row["status"],
        "device_id": row["device_id"] or "",
        "device_owner": row["device_owner"] or "",
        "binding:host_id": row["host"] or "",
        "revision_number": row["revision"],
        **given,
        "id": row["id"],
        "tenant_id": project,
        "project_id": project,
    }
