"""What the engine decides and what the database's own constraints say of the same rows: they agree.

Twins of a random model lie in one database. Bodies go into one through the engine, and as bare rows past every check into
the other, where only keys, NOT NULL, types, unique indexes and foreign keys judge. What the engine accepts the database
takes; what the database refuses the engine refuses; and for want of a value, a taken value, a reference that leads
nowhere or one that is still there both refuse, for the same reason.
"""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from gluon import errors, store
from gluon.arbiter import assign, ledger
from gluon.arbiter import tables as arbiter_tables
from gluon.model.types import Attribute, AttributeType, Model, ObjectType, OnDelete, Scope, Unique
from gluon.objects import journal
from gluon.particles import records, tables
from gluon.proton import registry, service, units
from gluon.proton import tables as proton_tables
from gluon.spi.store import Changes, Row, View
from tests.contract.store.world import Unit
from tests.unit.model import bodies
from tests.unit.proton.parts import CALLER, Anyone, Nobody
from tests.unit.proton.parts import object_type as with_project

T = AttributeType
KEYS = [str(uuid.UUID(int=n + 1)) for n in range(4)]
NOWHERE = str(uuid.UUID(int=999))
LIKE: list[Any] = ["a", "A", "a ", " a", "ä", "a\u0308", "ss", "ß", "", "é", "e", "I", "ı", None]
"""Texts that some collations take for one another."""
NUMBERS: list[Any] = [0, 0.0, 1, 1.0, 2**63 - 1, -1, None]
SHARED = {"attribute": LIKE, "number": NUMBERS}
BOTH = {"required", "taken", "reference", "still_referred"}
"""Reasons that the database knows too."""

Step = tuple[str, str, str, dict[str, Any]]
"""What is done: `put` or `delete`, with the type, the key, the body."""


def plain(name: str, kind: T = T.STRING, **more: Any) -> Attribute:
    more = {"value_type": T.STRING if kind is T.REFERENCE else kind, "kept": False, **more}
    return Attribute(name=name, type=kind, **more)


@st.composite
def models(draw: st.DrawFn, *, circles: bool) -> tuple[ObjectType, ObjectType]:
    """A type, and one that refers to it and, with `circles`, to its own kind; what is unique in them is drawn."""
    flag = st.booleans()
    more = draw(st.lists(bodies.singles(), max_size=2))
    own = [dataclasses.replace(a, name=f"own{n}", required=False, nullable=True) for n, a in enumerate(more)]
    target = with_project("Target", *own, generated_key=False)
    references = [
        plain(name, T.REFERENCE, reference=to, length=36, nullable=draw(flag), on_delete=OnDelete.RESTRICT)
        for name, to in (("target", "Target"), ("above", "Owner"))
    ]
    owner = with_project(
        "Owner",
        plain("attribute", length=8, nullable=draw(flag)),
        plain("number", T.INTEGER, nullable=draw(flag)),
        references[0],
        *([dataclasses.replace(references[1], nullable=True)] if circles else ()),
    )
    groups = st.lists(
        st.sampled_from(["attribute", "number", "target"]), min_size=1, max_size=2, unique=True
    ).map(tuple)
    unique = draw(st.lists(groups, min_size=1, max_size=2, unique=True))
    scopes = st.sampled_from([Scope.GLOBAL, Scope.PROJECT])
    return target, dataclasses.replace(
        owner, unique=tuple(Unique(attributes=names, scope=draw(scopes)) for names in unique)
    )


@st.composite
def steps(draw: st.DrawFn, target: ObjectType, owner: ObjectType) -> list[Step]:
    """Bodies often alike and sometimes wrong, and deletes of what others may need."""
    kinds = {"Target": target, "Owner": owner}
    named = [*KEYS * 4, None, NOWHERE, "no key"]
    few = {n: draw(st.lists(st.sampled_from(v), min_size=1, max_size=2)) for n, v in SHARED.items()}
    found: list[Step] = [("put", "Target", key, {"project_id": "p1"}) for key in KEYS]
    for _ in range(draw(st.integers(10, 25))):
        name = draw(st.sampled_from(["Target", "Owner", "Owner"]))
        own = {n: a for n, a in kinds[name].attributes.items() if n.startswith("own")}
        body = draw(bodies.bodies(own))
        body.pop("unknown", None)
        key = draw(st.sampled_from(KEYS))
        body["project_id"] = "p2" if name == "Owner" and key == KEYS[-1] else "p1"
        if name == "Owner":
            given = {n: draw(st.sampled_from(v)) for n, v in few.items() if draw(st.integers(0, 5))}
            body |= given
            if draw(st.integers(0, 5)):
                body["target"] = draw(st.sampled_from(named))
            if "above" in kinds[name].attributes and not draw(st.integers(0, 3)):
                body["above"] = draw(st.sampled_from(named))
        op = draw(st.sampled_from(["put"] * 5 + ["delete"]))
        found.append((op, name, key, body))
    return found


class Twins:
    """The same objects twice: by the engine, and as bare rows."""

    def __init__(self, db: store.SqlStore, number: int, kinds: tuple[ObjectType, ObjectType]) -> None:
        named = {kind.name: kind for kind in kinds}
        self.models = [
            Model(file_version="2.0", name=f"{word}{number}", version="1", types=named, digest="d")
            for word in ("engine", "bare")
        ]
        self.known = registry.Registry(self.models)
        self.service = service.Service(db, Anyone(), ledger.Ledger(assign.Assigner(Nobody(), {})))
        self.bare = {name: records.Records(self.models[1], kind) for name, kind in named.items()}
        self.db = db
        self.there: set[tuple[str, str]] = set()

    def context(self, name: str) -> units.Context:
        return self.service.context(self.known.by_name[self.models[0].name, name], CALLER, "r")

    async def decided(self, op: str, name: str, key: str, body: dict[str, Any]) -> str:
        """Empty for what the engine accepts, else why not."""
        try:
            if op == "delete":
                await self.service.delete(self.context(name), key)
            elif (name, key) in self.there:
                await self.service.update(self.context(name), key, body)
            else:
                await self.service.create(self.context(name), {**body, "id": key})
        except errors.Invalid as error:
            return _reason({problem.code for problem in error.problems})
        except errors.Rejected as error:
            return _reason({error.code})
        return ""

    async def step(self, op: str, name: str, key: str, body: dict[str, Any]) -> str:
        """Both do it; what the engine said."""
        made, mine = self.bare[name], self.context(name).resource
        before = await self.db.get(made.table, key)
        engine, bare = await self.decided(op, name, key, body), await self.taken(op, name, key, body)
        said = f"{op} {name} {key} {body}: the engine says {engine or 'yes'}, the database {bare or 'yes'}"
        if not engine:
            assert not bare, said
        elif set(engine.split(", ")) <= BOTH and not await self._stricter(key, body):
            assert bare, said
        after = before if engine else await self.db.get(mine.table, key)
        await self.db.submit(_written(made, key, after))
        self.there.discard((name, key))
        if after is not None:
            self.there.add((name, key))
        return engine

    async def _stricter(self, key: str, body: dict[str, Any]) -> bool:
        """Nothing may refer to what is another project's, and no new object to itself: foreign keys know neither."""
        for name, target in (("target", "Target"), ("above", "Owner")):
            row = await self.db.get(self.bare[target].table, str(body.get(name)))
            if row is not None and row[tables.PROJECT] != body["project_id"]:
                return True
        return body.get("above") == key

    async def taken(self, op: str, name: str, key: str, body: dict[str, Any]) -> str:
        """Empty for what the database takes, else why not."""
        made = self.bare[name]
        before = await self.db.get(made.table, key)
        row = None if op == "delete" else {**(before or self._empty(made)), **self._values(made, body)}
        if row is not None:
            row[made.key_column] = key
        try:
            await self.db.submit(_written(made, key, row))
        except errors.Conflict as error:
            return error.code
        except (errors.Invalid, errors.Unavailable):
            return "unfit"
        return ""

    @staticmethod
    def _empty(made: records.Records) -> Row:
        columns = {made.column(name): None for name in made.object_type.attributes}
        return {
            **columns,
            tables.WRITTEN: None,
            tables.REVISION: 1,
            tables.CREATED: "now",
            tables.UPDATED: "now",
        }

    @staticmethod
    def _values(made: records.Records, body: dict[str, Any]) -> Row:
        return {made.column(name): tables.stored_form(value) for name, value in body.items()}


def _reason(codes: set[str]) -> str:
    return ", ".join(sorted(codes))


def _written(made: records.Records, key: str, row: Row | None) -> Unit:
    def decide(view: View) -> Changes:
        changes = Changes()
        if row is None:
            changes.delete(made.table, key)
        else:
            changes.put(made.table, row)
        changes.entries.append(
            journal.Draft(
                op=journal.Operation.UPDATE, api="bare", type=made.object_type.name, key=key, project=None,
                intent=False, old=None, new=None,
            )
        )  # fmt: skip
        return changes

    return Unit(decide)


async def judge(
    url: str, number: int, kinds: tuple[ObjectType, ObjectType], wanted: list[Step]
) -> Counter[str]:
    db = store.open(url)
    try:
        twins = Twins(db, number, kinds)
        await db.install((*arbiter_tables.TABLES, *proton_tables.TABLES, *tables.tables_of(twins.models)), ())
        return Counter([await twins.step(*step) for step in wanted])
    finally:
        await db.close()


@st.composite
def worlds(draw: st.DrawFn, *, circles: bool) -> tuple[tuple[ObjectType, ObjectType], list[Step]]:
    kinds = draw(models(circles=circles))
    return kinds, draw(steps(*kinds))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_engine_and_database_agree(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    fixture = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}
    url = str(request.getfixturevalue(fixture[kind])) if kind in fixture else f"sqlite:///{tmp_path}/gluon.db"
    seen: Counter[str] = Counter()
    count = 0

    @hypothesis.settings(
        max_examples=25,
        derandomize=True,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
        deadline=None,
    )
    @hypothesis.given(worlds(circles=kind != "mariadb"))  # which declares no references in a circle
    def hold(given: tuple[tuple[ObjectType, ObjectType], list[Step]]) -> None:
        nonlocal count
        count += 1  # tables of its own: the database is the same
        seen.update(asyncio.run(judge(url, count, *given)))

    hold()
    assert seen[""] > 100, seen
    assert set(seen) >= BOTH, seen
