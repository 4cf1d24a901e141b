"""Object types of other versions of a proton: served from the stored objects, judged by their own rules.

In: a model with its other versions, its compiled resources. Out: an `Edition` for each object type there.
Bodies are turned at the edge (`up` on the way in, `down` on the way out), so units, rules, policy and
journal see the stored version alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from gluon import errors
from gluon.model import fields, types
from gluon.proton import registry
from gluon.spi import store
from gluon.versions import converter, judge


@dataclass(slots=True, kw_only=True, eq=False)
class Edition:
    """One object type in another version. `why` it cannot be written, or empty."""

    version: types.Version
    type: types.ObjectType
    resource: registry.Resource
    fields: fields.Fields
    turn: converter.Converter
    why: str
    modern: bool
    parent_key: str | None = None
    """The stored attribute that refers to the parent of its paths."""
    children: Mapping[str, Edition] = field(default_factory=dict)
    """By plural."""

    def up(self, body: Any, *, partial: bool, stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A client's body as one of the stored version. Raises `Invalid` in the words of this version."""
        values = self.fields.check(body, partial=partial).values
        if not partial and self.modern:
            values = self.fields.filled(values)
        return self.turn.up(values, stored=stored)

    def needs_stored(self, body: Any) -> bool:
        """Whether `up` of this change must know the object."""
        return isinstance(body, Mapping) and self.turn.needs_stored(body)

    def down(self, row: store.Row, without: Collection[str] = ()) -> dict[str, Any]:
        """The stored object as this version shows it; what is made of attributes that are left out is null."""
        body = self.resource.records.plain(row)
        return self.turn.down({n: v for n, v in body.items() if n not in without} if without else body)

    def blamed(self, error: errors.Invalid) -> errors.Invalid:
        """What the stored version found wrong, told by the names of this one."""
        return errors.Invalid([self._renamed(p) for p in error.problems])

    def _renamed(self, problem: errors.FieldProblem) -> errors.FieldProblem:
        here = problem.pointer
        there = self.turn.blame(here) if here else ""
        message, hint = problem.message, problem.hint
        if message.startswith(f"{here[1:]}: "):
            message = there[1:] + message.removeprefix(here[1:])
        for words in ("give {}", "leave {} out"):
            if hint.startswith(before := words.format(here[1:])):
                hint = words.format(there[1:]) + hint.removeprefix(before)
        return errors.FieldProblem(
            pointer=there, code=problem.code, message=message, hint=hint, legacy=problem.legacy
        )


def serve(known: registry.Registry, before: registry.Registry | None = None) -> registry.Registry:
    """The registry with the object types of all other versions than the stored ones; `before` as there."""
    found: dict[tuple[str, str], Mapping[str, Edition]] = {}
    kept = {id(m) for m in before.models} if before is not None else set()
    for model in known.models:
        if before is not None and id(model) in kept:
            places = [(model.name, f"v{v.model.version}") for v in model.versions]
            found |= {place: before.editions[place] for place in places}
        else:
            found |= _of_model(model, known.made[model.name])
    known.editions = found
    return known


def _of_model(
    model: types.Model, made: Mapping[str, registry.Resource]
) -> dict[tuple[str, str], Mapping[str, Edition]]:
    found: dict[tuple[str, str], Mapping[str, Edition]] = {}
    for version in model.versions:
        editions = {
            name: _edition(version, there, made[version.here(name).name])
            for name, there in version.model.types.items()
            if version.here(name).name in made
        }
        for name, edition in editions.items():
            below = (e for e in editions.values() if e.type.parent == name and e.parent_key is not None)
            edition.children = {e.type.plural: e for e in below}
        found[model.name, f"v{version.model.version}"] = {e.type.plural: e for e in editions.values()}
    return found


def _edition(version: types.Version, there: types.ObjectType, resource: registry.Resource) -> Edition:
    said = version.here(there.name)
    faults = judge.faults(there, resource.type, said)
    turn = converter.Converter(there, resource.type, said)
    return Edition(
        version=version,
        type=there,
        resource=resource,
        fields=fields.compile_fields(there),
        turn=turn,
        why="; ".join(f"{f.attribute} {f.message}" for f in faults),
        modern=version.model.file_version != "1.0",
        parent_key=turn.place(there.parent_key) if there.parent_key else None,
    )


def headers(version: types.Version) -> list[tuple[bytes, bytes]]:
    """What answers of a deprecated version say of it (RFC 9745, RFC 8594)."""
    found = []
    if version.deprecated:
        found.append((b"deprecation", b"@%d" % _midnight(version.deprecated).timestamp()))
    if version.sunset:
        found.append((b"sunset", format_datetime(_midnight(version.sunset), usegmt=True).encode()))
    return found


def _midnight(date: str) -> datetime:
    return datetime.fromisoformat(date).replace(tzinfo=UTC)
