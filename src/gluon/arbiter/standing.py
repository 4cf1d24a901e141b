"""How an object stands: `GET …/<key>/status`, made of its binding and of what shims report.

Statuses of several controllers stay side by side as conditions; `observed_revision` is the lowest
of all of them, 0 while nobody reported.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from gluon.arbiter import bindings, tables
from gluon.arbiter.levels import NOTHING
from gluon.model.types import Kind, Role
from gluon.objects import codec, status
from gluon.particles import queries
from gluon.particles import tables as columns
from gluon.proton import registry
from gluon.spi import store

_ASKED_ALONE = 1024
"""Objects of one page whose rows are read by key."""


class Standing:
    """Reads the standing of objects."""

    def __init__(self, database: store.Store) -> None:
        self._store = database

    async def of(self, resource: registry.Resource, row: store.Row) -> dict[str, Any]:
        """The body of the answer, for an object that the caller may see."""
        key = str(row[resource.records.key_column])
        reports = await self._store.select(
            store.Select(
                table=tables.STATUS,
                equals=(("api", resource.api), ("object_type", resource.name), ("object_key", key)),
            )
        )
        said = [(r, status.decode_believed(str(r["report"]).encode())) for r in reports]
        revision = int(row[columns.REVISION] or 0)
        observed = min((r.observed_revision for _, r in said), default=0)
        body: dict[str, Any] = {"revision": revision, "observed_revision": observed}
        binding = await self._binding(key) if resource.type.kind is Kind.PORT else None
        if resource.type.kind is Kind.PORT:
            known = await self._store.get(tables.PORT, key)
            body["status"] = str(known["status"]) if known else "DOWN"
        else:
            body["status"] = _summary(revision, [r for _, r in said])
        body["binding"] = _shown(binding)
        body["conditions"] = [
            {**codec.decode(codec.encode(c)), "controller": r["controller"], "shard": r["shard"]}
            for r, report in said
            for c in report.conditions
        ]
        if binding is not None and binding.state is bindings.State.FAILED:
            body["conditions"].append(
                {
                    "type": "Bound",
                    "status": "False",
                    "reason": binding.reason,
                    "message": binding.message,
                    "since": binding.since,
                }
            )
        return body

    def beside(self, resource: registry.Resource) -> store.Beside | None:
        """Where the status of each object lies, if it is no more than a value of one row. A port without a host has no
        binding that carries its traffic, and so is down."""
        texts = resource.type.attributes[resource.type.key].value_type in queries.TEXTS
        if resource.type.kind is not Kind.PORT or not texts:
            return None
        host = resource.type.role(Role.HOST)
        told_by = resource.records.column(host) if host else None
        return store.Beside(table=tables.PORT, key="id", column="status", missing="DOWN", told_by=told_by)

    async def words(self, resource: registry.Resource, rows: Sequence[store.Row]) -> Sequence[str]:
        """The operational status of each row."""
        keys = [str(row[resource.records.key_column]) for row in rows]
        if resource.type.kind is Kind.PORT:
            known = await self._ports(resource, keys)
            return [known.get(key, "DOWN") for key in keys]
        said: dict[str, list[status.Report]] = {}
        for report in await self._store.select(_of(resource, tables.STATUS, "object_key", keys)):
            believed = status.decode_believed(str(report["report"]).encode())
            said.setdefault(str(report["object_key"]), []).append(believed)
        return [
            _summary(int(row[columns.REVISION] or 0), said.get(key, []))
            for key, row in zip(keys, rows, strict=True)
        ]

    async def _ports(self, resource: registry.Resource, keys: Sequence[str]) -> dict[str, str]:
        if len(keys) == 1:
            row = await self._store.get(tables.PORT, keys[0])
            return {keys[0]: str(row["status"])} if row else {}
        rows = await self._store.select(_of(resource, tables.PORT, "id", keys))
        return {str(row["id"]): str(row["status"]) for row in rows}

    async def _binding(self, port: str) -> bindings.Binding | None:
        rows = await self._store.select(store.Select(table=tables.BINDING, equals=((tables.PORT_ID, port),)))
        held = [bindings.read(r) for r in rows]
        return bindings.active(held) or max(held, key=lambda b: b.epoch, default=None)


def reduced(body: dict[str, Any], hidden: Collection[Role]) -> dict[str, Any]:
    """The answer for a caller who may not read the port's attributes of some roles. Words of shims name hosts too."""
    binding = dict(body["binding"])
    if Role.VIF_TYPE in hidden:
        binding["vif_type"] = None
    if Role.VIF_DETAILS in hidden:
        binding["vif_details"] = {}
    conditions = body["conditions"]
    if Role.HOST in hidden:
        binding |= {"host": None, "message": "", "controllers": []}
        binding.pop("levels", None)
        conditions = [
            {**one, "message": ""} | ({"shard": ""} if "shard" in one else {}) for one in conditions
        ]
    return {**body, "binding": binding, "conditions": conditions}


def _of(resource: registry.Resource, table: str, column: str, keys: Sequence[str]) -> store.Select:
    """The rows of some objects of a type, of all where there are many. Keys are padded to a power of two, so that there
    are few statements."""
    of_type = (("api", resource.api), ("object_type", resource.name))
    if len(keys) > _ASKED_ALONE:
        return store.Select(table=table, equals=of_type)
    padded = (*keys, *[keys[-1]] * ((1 << (len(keys) - 1).bit_length()) - len(keys)))
    some = store.Filter(column=column, match=store.Match.EQUAL, values=padded)
    return store.Select(table=table, equals=of_type, filters=(some,))


def _summary(revision: int, reports: Sequence[status.Report]) -> str:
    if not reports:
        return "DOWN"
    if any(r.observed_revision < revision for r in reports):
        return "BUILD"
    ready = [c for r in reports for c in r.conditions if c.type == status.READY]
    return "ERROR" if any(c.status == "False" for c in ready) else "ACTIVE"


def _shown(binding: bindings.Binding | None) -> dict[str, Any]:
    if binding is None:
        return {
            "host": None,
            "state": bindings.State.UNBOUND.value,
            "reason": "",
            "message": "",
            "since": None,
            "vif_type": None,
            "vif_details": {},
            "controllers": [],
        }
    failed = binding.state is bindings.State.FAILED
    shown = {
        "host": binding.host,
        "state": binding.state.value,
        "reason": binding.reason,
        "message": binding.message,
        "since": binding.since,
        "vif_type": bindings.BINDING_FAILED if failed else binding.vif_type or None,
        "vif_details": dict(binding.vif_details),
        "controllers": list(binding.controllers),
    }
    return {**shown, "levels": _levels(binding)} if len(binding.controllers) > 1 else shown


def _levels(binding: bindings.Binding) -> list[dict[str, Any]]:
    """What each of several controllers has answered so far."""
    return [
        {
            "level": level,
            "controller": controller,
            "answered": controller in binding.answers,
            "vif_type": binding.answers.get(controller, NOTHING).vif_type or None,
            "up": binding.answers.get(controller, NOTHING).up,
        }
        for level, controller in zip(binding.levels, binding.controllers, strict=False)
    ]
