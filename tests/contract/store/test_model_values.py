"""Objects of models go into rows and come back as they were: each type of the language, on each database."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from gluon import errors, store
from gluon.model import fields
from gluon.model.types import Attribute, AttributeType, Format, Model, ObjectType, Scope, Unique
from gluon.objects import codec, journal
from gluon.particles import projection, records, tables
from gluon.spi.store import Changes, Row, View
from tests.contract.store.world import Unit
from tests.unit.model import bodies
from tests.unit.model.test_strict import attribute, object_type

T, F = AttributeType, Format
NOW = "2026-01-31T23:59:59.000001"
KEY = bodies.ID

EXTREMES: dict[str, tuple[Attribute, list[Any]]] = {
    "text": (attribute(length=255), ["", "é" * 255, "😀" * 255, "'\"\\%s?$1\n", " a "]),
    "long": (attribute(length=5000), ["é" * 5000]),
    "integer": (attribute(type_=T.INTEGER), [-(2**63), 2**63 - 1, 0]),
    "number": (attribute(type_=T.NUMBER), [0.1, 1.0, -1.7976931348623157e308, 5e-324, 1e22, 123456789.125, 3]),
    "boolean": (attribute(type_=T.BOOLEAN), [True, False]),
    "list": (attribute(type_=T.LIST, items=attribute("i", T.INTEGER)), [[], [1, None, 2**63 - 1]]),
    "map": (attribute(type_=T.MAP, items=attribute("i", T.NUMBER)), [{}, {"ä": 1.0, "": 0.1, "'": None}]),
    "object": (
        attribute(type_=T.OBJECT, members={"t": attribute("t"), "l": attribute("l", T.LIST, items=attribute())}),
        [{"t": "'\\\n😀", "l": ["", "\x7f"]}, {}],
    ),
    "secret": (attribute(secret=True), ["hunter2"]),
    "enum": (attribute(type_=T.ENUM, values=("a", "A", "ä")), ["a", "A", "ä"]),
    "uuid": (attribute(type_=T.UUID), [KEY]),
}  # fmt: skip


def every_type() -> ObjectType:
    """One attribute of each type and format, and what is hard on databases."""
    found = {name: dataclasses.replace(a, name=name) for name, (a, _) in EXTREMES.items()}
    for form in (*bodies.TEXTS, *bodies.RANGES):
        if form is not None:
            kind = T.STRING if form in bodies.TEXTS else T.INTEGER
            name = f"a_{form.value.replace('-', '_')}"
            found[name] = attribute(name, kind, form, length=255 if kind is T.STRING else None)
    return dataclasses.replace(
        object_type(*found.values()),
        unique=(
            Unique(attributes=("text",), scope=Scope.PROJECT),
            Unique(attributes=("a_cidr", "a_vni")),
            Unique(attributes=("a_mac",), scope=Scope.GLOBAL),
        ),
    )


def model_of(*kinds: ObjectType, name: str = "values") -> Model:
    named = {f"Type{n}": dataclasses.replace(k, name=f"Type{n}") for n, k in enumerate(kinds)}
    return Model(file_version="2.0", name=name, version="1", types=named, digest="d")


def put(model: Model, made: records.Records, row: Row, document: bytes) -> Unit:
    def decide(view: View) -> Changes:
        changes = Changes()
        changes.put(made.table, {**row, tables.REVISION: view.revision})
        changes.entries.append(
            journal.Draft(
                op=journal.Operation.CREATE, api=model.name, type=made.object_type.name, key=KEY,
                project=None, intent=True, old=None, new=document,
            )
        )  # fmt: skip
        return changes

    return Unit(decide)


async def goes_round(db: store.SqlStore, model: Model, kind: ObjectType, normal: dict[str, Any]) -> None:
    """API → row → database → row → body and etcd: the same values of the same types."""
    made = records.Records(model, kind)
    row = made.row({"id": KEY, **normal}, {}, revision=1, now=NOW, project="p")
    document = made.document(row)
    after = (await db.position()).revision
    await db.submit(put(model, made, row, document))
    stored = await db.get(made.table, KEY)
    assert stored is not None
    expected = {**dict.fromkeys(kind.attributes), "id": KEY, **normal}
    assert repr(dict(made.values_of(stored))) == repr(expected)
    shown = {n: None if kind.attributes[n].secret else value for n, value in expected.items()}
    body = {**shown, "created_at": NOW, "updated_at": NOW}
    assert repr(codec.decode(made.document(stored))) == repr(body)
    assert made.document(stored) == document
    assert made.changed(stored, normal, {}, revision=2, now="x") is None
    (entry,) = await db.tail(after, limit=10)
    seen = projection.ModelProjection([model])
    place = seen.apart(entry)
    apart = [] if place is None else [*seen.of_apart(entry, await db.get(*place))]
    assert [*apart, *seen.of_entry(entry)] == seen.of_row(made.table, stored)
    *hidden, (_, value) = seen.of_row(made.table, stored)
    secrets = {n: value for n, value in expected.items() if kind.attributes[n].secret}
    told = [codec.decode(secret) for _, secret in hidden]
    assert repr(told) == repr(
        [{"values": secrets, "revision": entry.revision, "model": "d"}] if secrets else []
    )
    assert repr(codec.decode(value)) == repr({**body, "revision": entry.revision, "model": "d"})


async def test_every_type_comes_back(url: str) -> None:
    kind = every_type()
    model = model_of(kind)
    checks = fields.compile_fields(kind)
    db = store.open(url)
    try:
        await db.install(tables.tables_of([model]), ())
        await db.install(tables.tables_of([model]), ())
        rounds: dict[str, list[Any]] = {name: given for name, (_, given) in EXTREMES.items()}
        for name, a in kind.attributes.items():
            if a.value_format in bodies.TEXTS and a.value_format is not None:
                good, other, _ = bodies.TEXTS[a.value_format]
                rounds[name] = good + other
            elif a.value_format is not None:
                rounds[name] = list(bodies.RANGES[a.value_format])
        for n in range(max(map(len, rounds.values()))):
            body = {name: given[n % len(given)] for name, given in rounds.items()}
            normal = checks.check(body, partial=False).values
            await goes_round(db, model, model.types["Type0"], normal)
        await goes_round(db, model, model.types["Type0"], {})
    finally:
        await db.close()


async def check_random(url: str, number: int, given: list[tuple[ObjectType, list[dict[str, Any]]]]) -> None:
    model = model_of(*(kind for kind, _ in given), name=f"values{number}")
    db = store.open(url)
    try:
        await db.install(tables.tables_of([model]), ())
        for kind, (_, wanted) in zip(model.types.values(), given, strict=True):
            checks = fields.compile_fields(kind)
            for body in wanted:
                try:
                    normal = checks.check({"id": KEY, **body}, partial=False).values
                except errors.Invalid:
                    continue
                await goes_round(db, model, kind, normal)
    finally:
        await db.close()


@st.composite
def worlds(draw: st.DrawFn) -> list[tuple[ObjectType, list[dict[str, Any]]]]:
    kinds = draw(st.lists(bodies.types_of(), min_size=1, max_size=8))
    return [(kind, draw(st.lists(bodies.bodies(kind.attributes), max_size=6))) for kind in kinds]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_what_is_accepted_can_be_stored(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    fixture = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}
    url = str(request.getfixturevalue(fixture[kind])) if kind in fixture else f"sqlite:///{tmp_path}/gluon.db"
    count = 0

    @hypothesis.settings(
        max_examples=10, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck), deadline=None
    )
    @hypothesis.given(worlds())
    def hold(given: list[tuple[ObjectType, list[dict[str, Any]]]]) -> None:
        nonlocal count
        count += 1  # tables of its own: the database is the same
        asyncio.run(check_random(url, count, given))

    hold()
