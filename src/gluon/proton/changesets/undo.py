"""The change set that takes another one back.

In: what was done, as history keeps it. Out: a request with the reverse changes in reverse order, values that only the
server sets beside them, the revisions at which the objects must still be, and notes of what nobody can bring back. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gluon import errors
from gluon.model import types
from gluon.proton import registry
from gluon.proton.changesets import record

_VIEWS = (types.Role.VIF_TYPE, types.Role.VIF_DETAILS)
_BIND = (types.Role.HOST, types.Role.DEVICE)


@dataclass(slots=True, kw_only=True)
class Reverse:
    """`granted` and the objects' `keys` by the number of the change."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[int, str] = field(default_factory=dict)
    granted: dict[int, dict[str, Any]] = field(default_factory=dict)
    pairs: list[record.Pair] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, op: str, line: record.Line, body: dict[str, Any] | None, granted: dict[str, Any]) -> None:
        change: dict[str, Any] = {"op": op, "api": line.api, "type": line.type}
        if op != "create":
            change["key"] = line.key
        if body is not None:
            change["body"] = body
        if granted:
            self.granted[len(self.changes)] = granted
        self.keys[len(self.changes)] = line.key
        self.changes.append(change)

    def note(self, line: record.Line, attribute: str, why: str) -> None:
        self.notes.append(
            {"api": line.api, "type": line.type, "key": line.key, "attribute": attribute, "why": why}
        )


def reverse(lines: Sequence[record.Line], find: Callable[[record.Line], registry.Resource | None]) -> Reverse:
    """Raises `Conflict` for a type that is not served any more, or where there is nothing to take back."""
    done = [line for line in lines if not line.idle]
    found = Reverse()
    last = {line.name: line for line in done}
    for name, line in last.items():
        found.pairs.append(record.Pair(*name, None if line.op == "delete" else line.revision))
    touched = {(line.op, *line.name) for line in done}
    for line in reversed(done):
        resource = find(line)
        if resource is None:
            raise errors.Conflict(
                f"object type {line.type} of proton {line.api} is not served any more",
                code="retired",
                hint="load the proton again",
            )
        along = any(
            port.default_interface is resource and (line.op, line.api, port.name, line.key) in touched
            for port in resource.family.values()
        )
        _one(found, line, resource, along=along)
    _break_circles(found, {line.name: resource for line in done if (resource := find(line)) is not None})
    if not found.changes:
        raise errors.Conflict(
            "nothing in this change set can be taken back",
            code="nothing",
            hint="change the objects as you like",
        )
    return found


def _break_circles(found: Reverse, kinds: Mapping[record.Name, registry.Resource]) -> None:
    """What refers to an object that is made later gets that reference when all are made."""
    made: dict[record.Name, int] = {}
    for n, change in enumerate(found.changes):
        if change["op"] == "create":
            made[change["api"], change["type"], str(found.keys[n])] = n
    for n, change in enumerate(list(found.changes)):
        if change["op"] != "create":
            continue
        name = (change["api"], change["type"], str(found.keys[n]))
        later: dict[str, Any] = {}
        for reference in kinds[name].references:
            held = reference.keys(change["body"].get(reference.attribute))
            if any(made.get((change["api"], reference.target, str(key)), -1) >= n for _, key in held):
                later[reference.attribute] = change["body"][reference.attribute]
        if later:
            for attribute in later:
                del change["body"][attribute]
            api, kind, key = name
            found.changes.append({"op": "update", "api": api, "type": kind, "key": key, "body": later})


def _one(found: Reverse, line: record.Line, resource: registry.Resource, *, along: bool) -> None:
    """The reverse of one line. `along`: a port's own interface, which comes and goes with the port."""
    for name in line.lost:
        found.note(line, name, "it is secret, so nobody kept what it was")
    if line.op == "create":
        if not along:
            found.add("delete", line, None, {})
        return
    old = record.body(line.old) or {}
    if line.op == "update":
        new = record.body(line.new) or {}
        old = {name: value for name, value in old.items() if new.get(name) != value}
    for name in sorted(old.keys() - resource.type.attributes.keys() - record.STAMPS):
        if old[name] is not None or line.op == "update":
            found.note(line, name, "the model has no such attribute any more")
    body, granted = _parted(resource, old, again=line.op != "update")
    if resource.is_port:
        _unbindable(found, line, resource, body)
    if line.op == "update" or along:
        body.pop(resource.type.key, None)
        granted.pop(resource.type.key, None)
        if body or granted:
            found.add("update", line, body, granted)
        return
    found.add("create", line, body, granted)


def _unbindable(found: Reverse, line: record.Line, resource: registry.Resource, body: dict[str, Any]) -> None:
    """A host and a machine bind a port, none of both unbinds it, and one alone does neither: a binding that cannot be had back so is
    left as it is. A port that is made again is bound by nobody."""
    host, device = (resource.type.role(role) for role in _BIND)
    if not host or not device or host not in body:
        return
    machine = body.get(device, (record.body(line.new) or {}).get(device))
    if line.op == "update" and bool(body[host]) == bool(machine):
        body[device] = machine
    elif body[host]:
        found.note(line, host, f"the port was bound to host '{body[host]}': bind it again")
        _take_out(body, host, device)
    elif line.op == "update":
        found.note(line, host, "the port was bound to no host: unbind it")
        _take_out(body, host, device)


def _take_out(body: dict[str, Any], *names: str) -> None:
    for name in names:
        body.pop(name, None)


def _parted(
    resource: registry.Resource, old: dict[str, Any], *, again: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a client sets and what only the server does; secrets, stamps and views of bindings are neither. A value of a
    pool comes back from the server with an object that is made `again`; in one that is there it is the client's to set."""
    kinds = resource.type.attributes
    views = {resource.type.role(role) for role in _VIEWS} if resource.is_port else set()
    pooled = {p.attribute.name for p in resource.pooled if p.attribute.drawn}
    body: dict[str, Any] = {}
    granted: dict[str, Any] = {}
    for name, value in old.items():
        attribute = kinds.get(name)
        if attribute is None or attribute.secret or name in views:
            continue
        pooled_own = name in pooled and value is not None and (again or attribute.immutable)
        own = attribute.read_only or pooled_own
        (granted if own else body)[name] = value
    return body, granted
