"""How the engine asks the policy: of rows, in the words of rules.

In: a context and a row as it is stored. Out: yes, no, or the refusal. Invariant: an object that the caller may not read
answers as a missing one does. Objects of no project are shared: who may read what is his own may read them. Called by
units, lists and the service.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from gluon import errors
from gluon.model import types
from gluon.particles import tables
from gluon.proton import problems, referring, registry, units
from gluon.spi import policy, store

_PROJECT = ("project_id", "tenant_id")
_NOTHING: Any = object()


class Target(Mapping[str, Any]):
    """A row as rules see it: nothing is computed before it is asked for."""

    __slots__ = ("_project", "_resource", "_row")

    def __init__(self, resource: registry.Resource, row: store.Row, project: store.Value) -> None:
        self._resource, self._row, self._project = resource, row, project

    def get(self, name: str, default: Any = None) -> Any:
        if name in _PROJECT:
            return self._project
        column = self._resource.records.columns.get(name)
        if column is None:
            return default
        value = self._row[column]
        return referring.plain(value) if name in self._resource.records.nested else value

    def __getitem__(self, name: str) -> Any:
        value = self.get(name, _NOTHING)
        if value is _NOTHING:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*_PROJECT, *self._resource.records.columns))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def read(resource: registry.Resource, row: store.Row, caller: policy.Caller) -> Target:
    """A row for the rules of reading, by which everybody owns what is shared."""
    project = row[tables.PROJECT]
    return Target(resource, row, caller.project if project is None else project)


def sees(context: units.Context, resource: registry.Resource, row: store.Row) -> bool:
    """Whether the caller may read an object, of the context's type or of another."""
    caller = context.caller
    if caller.admin:
        return True
    access = context.policy.of(resource.api, resource.name)
    return access.allows("get", caller, read(resource, row, caller))


def unseen(resource: registry.Resource) -> str:
    """An object that stands in the way and that the caller may not read, for people."""
    return f"an object of type {resource.name} that you may not see"


def owned(name: str | None, body: Any, caller: policy.Caller) -> Any:
    """A body of a new object with the caller's project as attribute `name`, where it says nothing of one."""
    if caller.project is None or name is None:
        return body
    if not (type(body) is dict or isinstance(body, Mapping)) or name in body:
        return body
    return {**body, name: caller.project}


def stored(context: units.Context, view: store.View, key: store.Value, action: str) -> store.Row:
    """The row that a caller may act on, for a unit. Raises `NotFound`, for what he may not read too, `Forbidden`, or `StaleModel`
    where the unit was made of a model that is served no more."""
    context.resource.check()
    row = view.get(context.resource.table, key)
    return found(context, row, key, action)


def found(context: units.Context, row: store.Row | None, key: object, action: str) -> store.Row:
    """The same for a row that was read already."""
    resource = context.resource
    if row is None or not sees(context, resource, row):
        resource.check()
        raise problems.missing(resource, key)
    if action != "get":
        require(context, row, action)
    return row


def require(context: units.Context, row: store.Row, action: str) -> None:
    """Raises `Forbidden`. `row`: the object as it is stored, at create as it will be."""
    caller, resource = context.caller, context.resource
    if caller.admin:
        return
    if not context.access.allows(action, caller, Target(resource, row, row[tables.PROJECT])):
        raise _forbidden(resource, action)


def _forbidden(resource: registry.Resource, action: str) -> errors.Forbidden:
    """Raises `StaleModel` instead where the type is served no more: no rule is left of it, so nobody might do anything."""
    resource.check()
    return problems.forbidden(resource, action)


def require_move(context: units.Context) -> None:
    """The caller may give an object to another project. Raises `Forbidden` for all but admins."""
    if not context.caller.admin:
        resource = context.resource
        name = resource.type.role(types.Role.PROJECT) or ""
        raise problems.not_settable(resource, "update", [name])


def require_new(context: units.Context, row: store.Row, given: Mapping[str, Any]) -> policy.Own | None:
    """The caller may make this object with these values. Raises `Forbidden`. Returns what `document` would ask again."""
    caller, resource = context.caller, context.resource
    if caller.admin:
        return None
    access, project = context.access, row[tables.PROJECT]
    own = access.own(caller) if project is not None and project == caller.project else None
    if own is not None:
        if not own.creates:
            raise _forbidden(resource, "create")
        if not given.keys().isdisjoint(own.unset):
            usual = resource.usual
            _refuse(resource, "create", [n for n in own.unset if n in given and given[n] not in usual[n]])
        return own
    target = Target(resource, row, project)
    if not access.allows("create", caller, target):
        raise _forbidden(resource, "create")
    ruled = access.ruled("create")
    if ruled:
        usual = resource.usual
        said = [name for name in ruled if given.get(name) not in usual[name]]
        if said:
            _refuse(resource, "create", access.refused("create", said, caller, target))
    return None


def require_parts(context: units.Context, before: store.Row, given: Collection[str]) -> None:
    """Before parts of nested values are put into what is stored: what is wrong with the whole would tell of it. Raises
    `Forbidden` for those that the caller may neither read nor set."""
    caller, resource = context.caller, context.resource
    if caller.admin or not context.access.guards:
        return
    unseen = context.access.hidden(caller, read(resource, before, caller))
    target = Target(resource, before, before[tables.PROJECT])
    refused = context.access.refused("update", frozenset(given).intersection(unseen), caller, target)
    _refuse(resource, "update", refused)


def require_change(
    context: units.Context,
    before: store.Row,
    after: store.Row,
    given: Collection[str],
    granted: Collection[str],
) -> None:
    """The caller may set the attributes that he gives. One that he can read may be repeated, and only such a one: else
    he could try what a hidden value is. `granted` are not his."""
    caller, resource = context.caller, context.resource
    if caller.admin:
        return
    access, target = context.access, Target(resource, before, before[tables.PROJECT])
    names = frozenset(given) - frozenset(granted) if granted else given
    refused = access.refused("update", names, caller, target)
    unseen = access.hidden(caller, read(resource, before, caller))
    if refused or unseen:
        columns = resource.records.columns
        wrong = {n for n in refused if n in unseen or before[columns[n]] != after[columns[n]]}
        if unseen:
            wrong |= {f.attribute for f in resource.guarded if f.attribute in unseen and f.attribute in names}
        _refuse(resource, "update", wrong)


def _refuse(resource: registry.Resource, action: str, names: Collection[str]) -> None:
    if names:
        resource.check()
        raise problems.not_settable(resource, action, sorted(names))


def hidden(context: units.Context, row: store.Row) -> Collection[str]:
    """Attributes that the caller may not read."""
    caller = context.caller
    if caller.admin:
        return ()
    return _hidden(context, context.access, row)


def _hidden(context: units.Context, access: policy.Access, row: store.Row) -> Collection[str]:
    caller, project = context.caller, row[tables.PROJECT]
    own = access.own(caller) if project is not None and project == caller.project else None
    return own.hidden if own is not None else access.hidden(caller, read(context.resource, row, caller))


def document(
    context: units.Context, row: store.Row, whole: bytes | None = None, own: policy.Own | None = None
) -> bytes:
    """The body as this caller sees it, as JSON. `whole`: the body where somebody has made it already; `own`: what the caller
    may do with this object, where that was asked."""
    records = context.resource.records
    if own is not None:
        without: Collection[str] = own.hidden
    elif not context.caller.admin and (access := context.access).guards:
        without = _hidden(context, access, row)
    else:
        without = ()
    if without:
        return records.document(row, without)
    return records.document(row) if whole is None else whole


def readable(context: units.Context, attribute: str) -> bool:
    """Whether a list may be asked for by an attribute: he may read it in all that the list has."""
    scope = context.access.readable(attribute, context.caller)
    if scope is policy.Scope.OWN:
        return context.access.listed(context.caller) in (policy.Scope.OWN, policy.Scope.OWN_ROWS)
    return scope is policy.Scope.ALL


def refuse_listing(context: units.Context) -> errors.Forbidden:
    """Lists show this caller nothing, whatever there is."""
    return problems.forbidden(context.resource, "list")
