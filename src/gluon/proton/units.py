"""What the units of a proton share: who asks for what, the journal's drafts, who may act on a row.

A unit is a pure decision over a view of rows (`create`, `update`, `remove`). The port ledger adds
what the arbiter keeps to the same unit.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gluon.model import types
from gluon.objects import journal
from gluon.particles import tables
from gluon.proton import problems, registry, supplies, terms
from gluon.spi import policy, ports, store
from gluon.spi.policy import Access


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What every unit is given: who asks, for which resource, under which policy and ledger. `rule`: when a change binds;
    `parent_key`: the attribute that refers to the parent of a nested path; `draws`: what is taken of which parts of pools."""

    resource: registry.Resource
    caller: policy.Caller
    request_id: str
    policy: policy.Policy
    ledger: ports.PortLedger
    terms: terms.Terms | None = None
    rule: ports.Rule = ports.Rule.PROTON
    parent_key: str | None = None
    draws: supplies.Draws | None = None

    @property
    def who(self) -> str:
        return self.caller.user

    @property
    def access(self) -> Access:
        """The rules of the resource, as they are now."""
        return self.policy.of(self.resource.api, self.resource.name)

    @property
    def dry_run(self) -> bool:
        return self.terms is not None and self.terms.dry_run

    def bind(self, unit: store.Unit) -> store.Unit:
        """The unit as the client wants it run."""
        return unit if self.terms is None else self.terms.bind(unit)


class Result(msgspec.Struct, frozen=True):
    """The object after the unit; `document` is its body as JSON, `wait` a bind that is under way."""

    row: store.Row
    document: bytes
    wait: ports.PortWait | None = None


Inside = tuple[str, store.Value]
"""Column and key of the parent that an object was reached through."""


def facts(resource: registry.Resource, row: store.Row) -> ports.PortFacts:
    """A port's row in the terms of roles."""
    return ports.PortFacts(
        api=resource.api,
        object_type=resource.name,
        table=resource.table,
        key=str(row[resource.records.key_column]),
        project=text_of(row[tables.PROJECT]),
        values=resource.records.roles(row),
    )


def text_of(value: store.Value) -> str | None:
    return None if value is None else str(value)


def draft(
    resource: registry.Resource,
    op: journal.Operation,
    row: store.Row,
    *,
    old: bytes | None,
    new: bytes | None,
    intent: bool = True,
) -> journal.Draft:
    """The journal entry of a change to one row."""
    project = row[tables.PROJECT]
    return journal.Draft(
        op=op,
        api=resource.api,
        type=resource.name,
        key=str(row[resource.records.key_column]),
        project=None if project is None else str(project),
        intent=intent,
        old=old,
        new=new,
    )


def with_views(
    resource: registry.Resource, row: store.Row, views: Mapping[types.Role, store.Value]
) -> store.Row:
    """A port's row with the ledger's values in the attributes of those roles."""
    if not views:
        return row
    new = dict(row)
    for role, value in views.items():
        name = resource.type.role(role)
        if name:
            new[resource.records.column(name)] = value
    return new


def check_inside(resource: registry.Resource, row: store.Row, inside: Inside | None) -> None:
    """Raises `NotFound` for an object of another parent than that of its path."""
    if inside is not None and row[inside[0]] != inside[1]:
        raise problems.missing(resource, row[resource.records.key_column])


def default_interface(view: store.View, port: registry.Resource, key: store.Value) -> store.Row | None:
    """The interface that was made with a port, while it is the port's."""
    kind = port.default_interface
    name = kind.type.role(types.Role.PORT) if kind is not None else None
    if kind is None or name is None:
        return None
    rows = view.rows(kind.table, (kind.records.column(name),), (key,))
    return next((row for row in rows if row[kind.records.key_column] == key), None)
