"""Ports that are no proton's in the index of all ports.

In: an owner's name and what it tells of its ports. Out: rows of `gluon_port`, in units of their own; Nova hears of them as of any
port. Invariant: a row is its owner's alone. Implements `spi.portowners.Claims`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gluon import errors
from gluon.arbiter import notices, tables
from gluon.spi import policy, portowners, store

_WIDTH = 255
_ID = 64
_STATES = frozenset({"ACTIVE", "BUILD", "DOWN", "ERROR"})
_AT_ONCE = 500
_FACTS = ("network_id", "device_id", "device_owner", "host", "mac", "name")


class Claims:
    """Of one owner."""

    def __init__(self, database: store.Store, owner: str) -> None:
        self._store = database
        self._owner = owner

    async def claim(self, ports: Sequence[portowners.Claim]) -> None:
        for port in ports:
            _check(port)
        await self._store.submit(_Claimed(self._owner, ports))

    async def release(self, ids: Collection[str]) -> None:
        several = list(dict.fromkeys(ids))
        for first in range(0, len(several), _AT_ONCE):
            await self._store.submit(_Released(self._owner, several[first : first + _AT_ONCE]))

    async def held(self, after: str | None = None, limit: int = 1000) -> Sequence[portowners.Claim]:
        own = (("owner", self._owner),)
        rows = await self._store.select(store.Select(table=tables.PORT, equals=own, after=after, limit=limit))
        names = portowners.Claim.__struct_fields__
        return [portowners.Claim(**{name: row[name] for name in names}) for row in rows]  # type: ignore[arg-type]


def _check(port: portowners.Claim) -> None:
    if not 0 < len(port.id) <= _ID or "\0" in port.id:
        raise ValueError(f"the id of a port has 1 to {_ID} characters, not '{port.id[:80]}'")
    if port.status not in _STATES:
        raise ValueError(
            f"'{port.status[:40]}' is no status of a port: there are {', '.join(sorted(_STATES))}"
        )


class _Unit:
    """Rows of some ports of one owner."""

    request_id = ""

    def __init__(self, owner: str, ids: Sequence[str]) -> None:
        self.who = owner
        self.reads: Sequence[store.Lookup] = [store.Lookup(tables.PORT, ("id",), (one,)) for one in ids]


class _Claimed(_Unit):
    def __init__(self, owner: str, several: Sequence[portowners.Claim]) -> None:
        super().__init__(owner, [port.id for port in several])
        self._several = {port.id: port for port in several}

    def decide(self, view: store.Batch) -> store.Changes:
        changes = store.Changes()
        for port in self._several.values():
            before = view.get(tables.PORT, port.id)
            if before is not None and before["owner"] != self.who:
                raise errors.Conflict(
                    f"a port with id '{port.id}' exists already", code="taken", hint="choose another id"
                )
            row = _row(self.who, port, view.revision)
            if before is None or {**before, "revision": 0} != {**row, "revision": 0}:
                changes.put(tables.PORT, row)
                notices.changed(changes, before, row)
        return changes


class _Released(_Unit):
    def __init__(self, owner: str, ids: Sequence[str]) -> None:
        super().__init__(owner, ids)
        self._ids = ids

    def decide(self, view: store.Batch) -> store.Changes:
        changes = store.Changes()
        for one in self._ids:
            before = view.get(tables.PORT, one)
            if before is not None and before["owner"] == self.who:
                changes.delete(tables.PORT, one)
                notices.removed(changes, before)
        return changes


def _row(owner: str, port: portowners.Claim, revision: int) -> store.Row:
    row: store.Row = {
        "id": port.id,
        "owner": owner,
        "api": owner,
        "object_type": "",
        "project": policy.normal_project(port.project) if port.project else None,
        "status": port.status,
        "revision": revision,
    }
    for name in _FACTS:
        value: str | None = getattr(port, name)
        row[name] = value[:_WIDTH] if value else None
    return row
