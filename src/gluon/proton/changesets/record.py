"""What a change set did, or would do: how it is kept, and how a caller sees it.

In: what the unit decided. Out: rows of `gluon_changeset`, and answers in which a caller finds only objects and attributes
that he may read now. Bodies are those of the journal: of the stored version, without secrets. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from gluon import errors
from gluon.model import types
from gluon.objects import codec
from gluon.particles import records, tables
from gluon.proton import access, referring, registry, units
from gluon.proton.tables import CHANGESET, CONTENT
from gluon.spi import policy, store

if TYPE_CHECKING:
    from gluon.proton.changesets.together import Part

Name = tuple[str, str, str]
"""Proton, object type and key."""
STAMPS = frozenset({records.CREATED_AT, records.UPDATED_AT})
_WIDEST = 4096
_NAMED = 20


class Line(msgspec.Struct, kw_only=True):
    """One object before and after it. `own`: `change` asks for it, else it goes along. `lost`: secrets that are gone."""

    change: int
    own: bool
    op: str
    api: str
    type: str
    key: str
    project: str | None
    revision: int
    lost: list[str]
    old: msgspec.Raw
    new: msgspec.Raw

    @property
    def idle(self) -> bool:
        """Nothing was changed."""
        return self.op == "update" and bytes(self.old) == bytes(self.new)

    @property
    def name(self) -> Name:
        return self.api, self.type, self.key


class Taken(msgspec.Struct, frozen=True):
    """A value of a pool, given to an attribute of a change's object."""

    change: int
    attribute: str
    value: Any
    pool: str


class Content(msgspec.Struct, kw_only=True):
    """`names` by the number of the change; `notes`: what an undo could not bring back."""

    lines: list[Line]
    names: dict[str, str]
    taken: list[Taken]
    notes: list[dict[str, Any]] = []


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What the unit decided. `pairs`: objects that it read, as they were before it."""

    parts: Mapping[int, Part]
    results: Mapping[int, Any]
    lines: list[Line]
    pairs: Mapping[Name, store.Row | None]

    def taken(self) -> list[Taken]:
        """Values of pools that no body gives."""
        found = []
        for number, result in self.results.items():
            part = self.parts[number]
            if not isinstance(result, units.Result):
                continue
            for pooled in part.context.resource.pooled:
                if not pooled.attribute.drawn:
                    continue
                value, name = result.row[pooled.column], pooled.attribute.name
                if value is not None and name not in part.change.given and name in self._changed(number):
                    found.append(Taken(number, name, value, str(pooled.id(result.row))))
        return found

    def _changed(self, number: int) -> Iterable[str]:
        """Attributes that are other than before."""
        line = next(one for one in self.lines if one.own and one.change == number)
        new, old = body(line.new) or {}, body(line.old) or {}
        return [name for name, value in new.items() if old.get(name) != value]

    def content(self, notes: list[dict[str, Any]]) -> Content:
        names = {str(n): p.change.name for n, p in self.parts.items() if p.change.name}
        return Content(lines=self.lines, names=names, taken=self.taken(), notes=notes)


class Heading(msgspec.Struct, kw_only=True):
    """What is told of a change set beside its objects."""

    id: str
    who: str
    project: str | None
    request_id: str
    name: str
    description: str
    undoes: str | None = None


def raw(document: bytes | None) -> msgspec.Raw:
    return msgspec.Raw(b"null" if document is None else document)


def body(document: msgspec.Raw) -> dict[str, Any] | None:
    """A body that is kept as JSON; None: there was no object."""
    found: dict[str, Any] | None = codec.decode(bytes(document))
    return found


def keep(changes: store.Changes, heading: Heading, content: Content, view: store.View) -> store.Row:
    """Put a change set into the history; its row."""
    apis = " ".join(dict.fromkeys(line.api for line in content.lines))
    if len(apis) > _WIDEST - 2:
        raise errors.Conflict(
            "the change set is of too many protons", code="too_many", hint="split the change set"
        )
    row: store.Row = {
        "id": heading.id, "revision": view.revision, "at": view.now, "who": heading.who,
        "project": heading.project, "request_id": heading.request_id, "name": heading.name,
        "description": heading.description, "apis": f" {apis} ", "undoes": heading.undoes,
        "counts": codec.encode(counts(content.lines)).decode(),
    }  # fmt: skip
    changes.put(CHANGESET, row)
    changes.put(CONTENT, {"id": heading.id, "document": codec.encode(content).decode()})
    return row


def counts(lines: Sequence[Line]) -> dict[str, int]:
    """How many objects were made, changed and deleted."""
    found = {"create": 0, "update": 0, "delete": 0}
    for line in lines:
        if not line.idle:
            found[line.op] += 1
    return found


def content_of(text: store.Value) -> Content:
    return msgspec.json.decode(str(text), type=Content)


def summary(row: store.Row) -> dict[str, Any]:
    """A change set in a list."""
    return {
        "id": row["id"], "revision": row["revision"], "at": row["at"], "who": row["who"],
        "project": row["project"], "name": row["name"], "description": row["description"],
        "request_id": row["request_id"], "undoes": row["undoes"], "apis": str(row["apis"]).split(),
        "counts": codec.decode(str(row["counts"])),
    }  # fmt: skip


# -- for a caller -----------------------------------------------------------------------------


class Eyes:
    """What one caller sees of objects that are kept as documents."""

    def __init__(self, caller: policy.Caller, rules: policy.Policy, known: registry.Registry) -> None:
        self._caller, self._rules, self._known = caller, rules, known

    def resource(self, line: Line) -> registry.Resource | None:
        return self._known.by_name.get((line.api, line.type))

    def sees(self, resource: registry.Resource, row: store.Row) -> bool:
        """Whether he may read an object as it is now."""
        target = access.read(resource, row, self._caller)
        return self._rules.of(resource.api, resource.name).allows("get", self._caller, target)

    def of(self, line: Line) -> tuple[dict[str, Any] | None, dict[str, Any] | None] | None:
        """The object before and after, as far as he may read it; None: it is not his to know of."""
        resource = self.resource(line)
        old, new = body(line.old), body(line.new)
        if self._caller.admin:
            return old, new
        if resource is None:
            return None
        rules = self._rules.of(line.api, line.type)
        shown: list[dict[str, Any] | None] = []
        for one in (old, new):
            target = self._target(resource, line, one)
            if target is None or one is None:
                shown.append(None)
            elif not rules.allows("get", self._caller, target):
                return None
            else:
                hidden = rules.hidden(self._caller, target) if rules.guards else ()
                shown.append({n: v for n, v in one.items() if n not in hidden})
        return shown[0], shown[1]

    def _target(
        self, resource: registry.Resource, line: Line, one: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        if one is None:
            return None
        named = resource.type.role(types.Role.PROJECT)
        project = one.get(named) if named is not None else line.project
        owner = self._caller.project if project is None else policy.normal_project(str(project))
        return {**one, "project_id": owner, "tenant_id": owner}

    def content(self, content: Content) -> dict[str, Any]:
        """The objects of a change set; those that he may not see are only counted."""
        gone = {line.name for line in content.lines if line.op == "delete"}
        changes: list[dict[str, Any]] = []
        along: list[dict[str, Any]] = []
        withheld, seen = 0, set()
        for line in sorted(content.lines, key=lambda one: one.change):
            bodies = self.of(line)
            if bodies is None:
                withheld += 1
                continue
            told: dict[str, Any] = {
                "change": line.change, "op": line.op, "api": line.api, "type": line.type, "key": line.key,
            }  # fmt: skip
            if line.own:
                seen.add(line.change)
                if name := content.names.get(str(line.change)):
                    told["as"] = name
                told["etag"] = None if line.op == "delete" else f'"{line.revision}"'
            else:
                told["reason"] = self._reason(line, gone)
            told |= {"old": bodies[0], "body": bodies[1]}
            (changes if line.own else along).append(told)
        taken = [msgspec.to_builtins(one) for one in content.taken if one.change in seen]
        return {
            "changes": changes, "consequences": along, "allocations": taken, "withheld": withheld,
            "not_undone": self._notes(content),
        }  # fmt: skip

    def _notes(self, content: Content) -> list[dict[str, Any]]:
        """What could not be brought back, of what he may read: they have values in them."""
        if self._caller.admin:
            return content.notes
        lines = {line.name: line for line in content.lines}
        return [
            note for note in content.notes
            if self._reads(note, lines.get((note["api"], note["type"], note["key"])))
        ]  # fmt: skip

    def _reads(self, note: Mapping[str, Any], line: Line | None) -> bool:
        """`line`: of the object; where there is none, he has to be one who reads all of the project's."""
        attribute = note["attribute"]
        if line is None:
            rules = self._rules.of(note["api"], note["type"])
            asked = rules.scope("get", self._caller), rules.readable(attribute, self._caller)
            return all(scope in (policy.Scope.ALL, policy.Scope.OWN) for scope in asked)
        resource, found = self.resource(line), self.of(line)
        if resource is None or found is None:
            return False
        kept = attribute not in resource.type.attributes
        return kept or any(one is not None and attribute in one for one in found)

    def _reason(self, line: Line, gone: Iterable[Name]) -> str:
        """Why an object is changed that nobody named."""
        resource = self.resource(line)
        if resource is None:
            return ""
        missing = {(kind, key) for api, kind, key in gone if api == line.api}
        old = body(line.old) or {}
        for reference in resource.references:
            for _, key in _keys(reference, old):
                if (reference.target, str(key)) in missing:
                    what = "goes with it" if line.op == "delete" else "loses the reference"
                    return f"{reference.name} refers to {reference.target} '{key}': {what} ({reference.on_delete})"
        port = next((r for r in resource.family.values() if r.default_interface is resource), None)
        return f"belongs to the {port.name} of this key" if port is not None else ""


def _keys(reference: referring.Reference, values: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return reference.keys(values.get(reference.attribute))


# -- what must not have changed ---------------------------------------------------------------


class Pair(msgspec.Struct, frozen=True):
    """An object at a revision, None: not there. `seen`: who asked may read it."""

    api: str
    type: str
    key: str
    revision: int | None
    seen: bool = True


Sees = Callable[[registry.Resource, store.Row], bool]
Refuse = Callable[[str, Sequence[errors.FieldProblem]], errors.Rejected]


class Holds:
    """Objects that must be as they were. `refuse` makes the refusal of what is told; `sees`: whether who asks may read one as
    it is now, else it is gone for him."""

    def __init__(self, pairs: Sequence[Pair], known: registry.Registry, refuse: Refuse, sees: Sees) -> None:
        self._refuse, self._sees = refuse, sees
        self._pairs = [
            (pair, resource, resource.fields.key(pair.key) if resource is not None else None)
            for pair in pairs
            for resource in [known.by_name.get((pair.api, pair.type))]
        ]

    def lookups(self) -> list[store.Lookup]:
        return [resource.lookup(key) for _, resource, key in self._pairs if resource is not None]

    def check(self, view: store.View) -> None:
        """Raises the refusal that names all that are other than they were."""
        view.prefetch(self.lookups())
        told: list[errors.FieldProblem] = []
        others = 0
        for pair, resource, key in self._pairs:
            row = view.get(resource.table, key) if resource is not None else None
            if resource is not None and row is not None and pair.seen and not self._sees(resource, row):
                row = None
            now = None if row is None else int(row[tables.REVISION] or 0)
            if resource is not None and now == pair.revision:
                continue
            if not pair.seen:
                others += 1
                continue
            stands = (
                "is gone"
                if now is None
                else "is there now"
                if pair.revision is None
                else f"is at revision {now}"
            )
            told.append(
                errors.FieldProblem(
                    pointer="",
                    code="changed",
                    message=f"{pair.type} '{pair.key}' of {pair.api} {stands}",
                    hint="look at it, and plan anew",
                )
            )
        if told or others:
            words = [p.message for p in told[:_NAMED]]
            more = len(told) + others - len(words)
            raise self._refuse("; ".join([*words, *([f"{more} more"] if more else [])]), told)


def pairs_of(done: Done) -> list[Pair]:
    """What a plan has read."""
    found = []
    context = next(iter(done.parts.values())).context
    known = {
        (p.context.resource.api, r.name): r
        for p in done.parts.values()
        for r in p.context.resource.family.values()
    }
    for (api, kind, key), row in done.pairs.items():
        revision = None if row is None else int(row[tables.REVISION] or 0)
        seen = row is None or access.sees(context, known[api, kind], row)
        found.append(Pair(api, kind, key, revision, seen))
    return found
