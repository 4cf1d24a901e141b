"""The way from the models that are served to those that are to be: which steps, on which tables.

In: both sets of models, how many rows tables have, what the store cannot change in place. Out: a frozen
`Plan`. Nothing is changed in a table that serves: objects whose table does not do are copied to a new one, which
takes over in one transaction with the models. Pure. Called by `runner`, commands and a server that starts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gluon.evolve import diff, storage
from gluon.evolve.changes import Change, Impact
from gluon.evolve.stored import placed
from gluon.model.types import Model, ObjectType
from gluon.particles import tables as particles

_WITHOUT_A_LOOK = frozenset({"unique", "pool"})
"""Aspects for which an index and the pools themselves tell whether stored objects are allowed."""


class Kind(StrEnum):
    """Kinds of steps, in the order in which they are taken."""

    CHECK = "check"
    INDEX = "index"
    COPY = "copy"
    HOLD = "hold"
    SWITCH = "switch"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step on one object type. `rows` is how many there are to read."""

    kind: Kind
    api: str = ""
    object_type: str = ""
    table: str = ""
    columns: tuple[str, ...] = ()
    unique: bool = False
    rows: int = 0
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`new` are the models with the tables that will hold them. `digest` names the plan for who resumes it."""

    old: tuple[Model, ...]
    new: tuple[Model, ...]
    changes: Mapping[str, Sequence[Change]]
    refused: tuple[tuple[str, Change], ...]
    steps: tuple[Step, ...]
    digest: str
    left: tuple[str, ...] = field(default=())
    """Tables that nothing uses after the switch."""
    resting: frozenset[str] = frozenset()
    """Protons that are retired: nobody writes their objects meanwhile."""

    @property
    def at_once(self) -> bool:
        """Whether the store can take the models as they are, with nothing to do before."""
        idle = all(
            s.kind in {Kind.SWITCH, Kind.DROP}
            or (not s.rows and (s.kind in {Kind.CHECK, Kind.HOLD} or s.api in self.resting))
            for s in self.steps
        )
        return idle and not self.refused


def plan(
    old: Sequence[Model],
    new: Sequence[Model],
    rows: Mapping[str, int],
    *,
    rigid: frozenset[str] = frozenset(),
    drop: bool = False,
    resting: frozenset[str] = frozenset(),
) -> Plan:
    """`rows` by table; `rigid`: tables that the store cannot bring to their new form where they are; `resting`: of `old`, what is
    retired."""
    before = {m.name: m for m in old}
    changes = {m.name: diff.diff(before[m.name], m) for m in new if m.name in before}
    mark = hashlib.sha256()
    for model in (*old, *new):
        mark.update(f"{model.name} {model.version} {model.digest} ".encode())
    for model in old:  # the same way a second time must not lead to the tables that it left before
        mark.update(" ".join(t.table for t in model.types.values()).encode())
    mark.update(" ".join(sorted(rigid)).encode() + bytes([drop]))
    digest = mark.hexdigest()
    after: list[Model] = []
    refused: list[tuple[str, Change]] = []
    steps: list[Step] = []
    left: list[str] = []
    for model in new:
        if model.name not in before:
            after.append(model)
            continue
        rests = model.name in resting
        made = _Proton(
            before[model.name], model, changes[model.name], rows, rigid, digest, drop=drop, rests=rests
        )
        after.append(made.new)
        refused += [(model.name, c) for c in made.refused]
        steps += made.steps()
        left += made.left()
    changed = any(changes.values()) or len(after) != len(changes) or bool(steps)
    ordered = [s for kind in Kind for s in steps if s.kind is kind]
    if changed:
        switch = Step(kind=Kind.SWITCH, words="record the models and go over to them, in one transaction")
        ordered.append(switch)
    if drop:
        ordered += [
            Step(kind=Kind.DROP, table=name, rows=rows.get(name, 0), words=f"drop table {name}")
            for name in left
        ]
    return Plan(
        old=tuple(old), new=tuple(after), changes=changes, refused=tuple(refused), steps=tuple(ordered),
        digest=digest, left=tuple(left), resting=resting,
    )  # fmt: skip


class _Proton:
    """One proton's part of a plan."""

    def __init__(
        self,
        old: Model,
        new: Model,
        changes: Sequence[Change],
        rows: Mapping[str, int],
        rigid: frozenset[str],
        digest: str,
        *,
        drop: bool,
        rests: bool,
    ) -> None:
        self._rests = rests
        self._old = old
        self._rows = rows
        self._changes = changes
        self._drop = drop
        self._kept = placed(new, old)
        self._copied = self._closure(self._to_copy(rigid))
        self.refused = [c for c in changes if self._stands(c)]
        fresh = {
            name: replace(t, table=particles.next_table(new, t, digest)) if self._needs_table(name) else t
            for name, t in self._kept.types.items()
        }
        self.new = replace(self._kept, types=fresh)

    def _needs_table(self, name: str) -> bool:
        """Copied types; and new ones, where a table of their name is left over from another life, even an empty one:
        it has lost its references."""
        if name in self._copied:
            return True
        table = particles.table_of(self._kept, self._kept.types[name])
        return name not in self._old.types and table in self._rows

    def _stands(self, change: Change) -> bool:
        """Whether a change stands in the way."""
        removed = change.aspect == "removed" and not change.attribute
        if removed:
            return self._count(change.object_type) > 0 and not self._drop
        empty = (change.stored or self._rests) and not self._count(change.object_type)
        return change.impact is Impact.REFUSED and not empty

    def _count(self, name: str) -> int:
        kind = self._old.types.get(name)
        return self._rows.get(particles.table_of(self._old, kind), 0) if kind else 0

    def _to_copy(self, rigid: frozenset[str]) -> set[str]:
        found = {c.object_type for c in self._changes if c.impact is Impact.MIGRATION}
        found |= {c.object_type for c in self._changes if c.impact is Impact.REFUSED and c.object_type}
        for name, kind in self._kept.types.items():
            before = self._old.types.get(name)
            if before is None:
                continue
            table = particles.table(self._kept, kind)
            gone = self._drop and any(
                c.object_type == name and c.aspect == "removed" and c.attribute for c in self._changes
            )
            short = storage.shortfalls(particles.table(self._old, before), table)
            if table.name in rigid or gone or short or storage.moved(before, kind):
                found.add(name)
        return {n for n in found if n in self._old.types and n in self._kept.types}

    def _closure(self, found: set[str]) -> frozenset[str]:
        """With every type that refers to one of them: its references lead to the new table."""
        while True:
            more = {
                t.name
                for t in self._kept.types.values()
                if t.name in self._old.types and t.name not in found
                for target in (*(a.reference for a in t.references), *(k.target for k in t.links))
                if target in found
            }
            if not more:
                return frozenset(found)
            found |= more

    def steps(self) -> Iterator[Step]:
        looked = [c for c in self._changes if c.aspect not in _WITHOUT_A_LOOK and not self._gives_back(c)]
        checked = {c.object_type for c in looked if c.impact is Impact.VALIDATION}
        for name, kind in self.new.types.items():
            before = self._old.types.get(name)
            if before is None:
                continue
            count = self._count(name)
            words = ", ".join(dict.fromkeys(c.what for c in self._changes if c.object_type == name))
            place = Step(
                kind=Kind.CHECK, api=self._old.name, object_type=name, rows=count,
                table=particles.table_of(self._old, before), words="",
            )  # fmt: skip
            if name in self._copied:
                why = words or "it refers to objects that move"
                yield replace(place, words=f"can every object be converted? ({why})")
                yield replace(place, kind=Kind.COPY, words=f"copy to {kind.table}: {why}")
            else:
                if name in checked:
                    yield replace(place, words=f"is every object allowed? ({words})")
                yield from self._indexes(before, kind, count)
            held = [c for c in self._changes if c.object_type == name]
            words = ", ".join(
                f"{c.attribute} {c.what}" for c in held if c.aspect == "pool" or self._gives_back(c)
            )
            if words:
                yield replace(place, kind=Kind.HOLD, words=f"their values, with the switch: {words}")
        for name, kind in self._old.types.items():
            if name not in self.new.types and any(a.pool is not None for a in kind.attributes.values()):
                yield Step(
                    kind=Kind.HOLD, api=self._old.name, object_type=name, rows=self._count(name),
                    table=particles.table_of(self._old, kind), words="its values go back with the switch",
                )  # fmt: skip

    def _gives_back(self, change: Change) -> bool:
        """Whether an attribute goes that has values of a pool."""
        kind = self._old.types.get(change.object_type)
        attribute = kind.attributes.get(change.attribute) if kind is not None else None
        return change.aspect == "removed" and attribute is not None and attribute.pool is not None

    def _indexes(self, old: ObjectType, new: ObjectType, count: int) -> Iterator[Step]:
        was, is_ = particles.table(self._old, old), particles.table(self.new, new)
        there = {c.name for c in was.columns}
        for unique, before, groups in ((True, was.unique, is_.unique), (False, was.indexes, is_.indexes)):
            for group in dict.fromkeys(groups):
                if group not in before and there.issuperset(group):
                    word = "unique index" if unique else "index"
                    yield Step(
                        kind=Kind.INDEX, api=self._old.name, object_type=new.name, table=is_.name, columns=group,
                        unique=unique, rows=count, words=f"{word} on {', '.join(group)}, while it is in use",
                    )  # fmt: skip

    def left(self) -> Iterator[str]:
        for name, kind in self._old.types.items():
            gone = name not in self.new.types
            if gone or name in self._copied:
                yield from (particles.link_table(self._old, kind, link).name for link in kind.links)
                yield particles.table_of(self._old, kind)
