"""From a decoded body to what a unit is made of: the new object and its key, the parent of a path.

In: a context, a body, the parent's key in a nested path. Out: values in normal form. Pure. Raises `Invalid`. Called by
the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gluon import errors
from gluon.proton import access, ids, problems, registry, units
from gluon.spi import store

_STEPS = (".", "..")
"""As the last segment of a path these lead elsewhere in every client, so nobody could read or delete the object."""


class New(msgspec.Struct, frozen=True, gc=False):
    """A body of a new object, judged, and its key; `made`: by us, so nothing can have it."""

    key: store.Value
    made: bool
    values: Mapping[str, Any]
    written: Mapping[str, Any]


def new(context: units.Context, body: Any, parent: str | None, key: store.Value = None) -> New:
    """It belongs to the caller's project where it says nothing. `key`: made by us before, should one be needed."""
    resource = context.resource
    body = access.owned(resource.project, body, context.caller)
    if parent is not None and isinstance(body, Mapping):
        body = _with_parent(context, body, parent)
    checked = resource.fields.check(body, partial=False)
    values = resource.fields.filled(checked.values) if resource.modern else checked.values
    given = values.get(resource.type.key)
    made = not given and resource.type.generated_key
    if not made:
        if given in _STEPS:
            raise errors.Invalid([_no_key(resource, given)])
        return New(given, False, values, checked.written)
    values[resource.type.key] = key = key or ids.new_id()
    return New(key, True, values, checked.written)


def _no_key(resource: registry.Resource, given: store.Value) -> errors.FieldProblem:
    name = resource.type.key
    message = f"{name}: '{given}' cannot be the last part of a path"
    return errors.FieldProblem(pointer=f"/{name}", code="format", message=message, hint="use another word")


def inside(context: units.Context, parent: str | None) -> units.Inside | None:
    """What an object under `parent` has in its row; 1.0 never looked."""
    resource, attribute = context.resource, context.parent_key
    if parent is None or attribute is None or not resource.modern:
        return None
    return resource.records.column(attribute), resource.fields.from_text(attribute, parent)


def _with_parent(context: units.Context, body: Mapping[str, Any], parent: str) -> Mapping[str, Any]:
    attribute = context.parent_key
    if attribute is None:
        return body
    if body.get(attribute) in (None, ""):
        return {**body, attribute: context.resource.fields.from_text(attribute, parent)}
    check_parent(context, body, parent)
    return body


def check_parent(context: units.Context, body: Mapping[str, Any], parent: str) -> None:
    """A body may name the parent of its path, and no other."""
    resource, attribute = context.resource, context.parent_key
    given = body.get(attribute) if attribute is not None else None
    if attribute is None or given in (None, ""):
        return
    if resource.fields.normal(attribute, given) != resource.fields.from_text(attribute, parent):
        raise problems.parent_mismatch(attribute, given, parent)
