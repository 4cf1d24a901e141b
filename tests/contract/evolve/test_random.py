"""Whatever the objects and whichever changes come together: the database holds what converting one by one gives."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import uuid
from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import strategies as st

from gluon.model.types import ObjectType
from tests.contract.evolve import world
from tests.unit.evolve.models import T, attribute, box, model, reference, renamed, shelf, without

Body = dict[str, Any]
Step = tuple[Callable[[ObjectType], ObjectType], Callable[[Body], Body]]

_NUMBERS = itertools.count()


def _put(owner: ObjectType, name: str, **facts: Any) -> ObjectType:
    return dataclasses.replace(owner, attributes={**owner.attributes, name: attribute(name, **facts)})


def _with(name: str, convert: Callable[[Any], Any]) -> Callable[[Body], Body]:
    return lambda body: {**body, name: None if body[name] is None else convert(body[name])}


def _moved(old: str, new: str) -> Callable[[Body], Body]:
    return lambda body: {**{k: v for k, v in body.items() if k != old}, new: body[old]}


CHANGES: dict[str, list[Step]] = {
    "name": [
        (lambda k: renamed(k, "name", "title"), _moved("name", "title")),
        (lambda k: _put(k, "name", kind=T.LIST, items=attribute("")), _with("name", lambda v: [v])),
        (lambda k: _put(k, "name", length=5000), lambda b: b),
        (lambda k: without(k, "name"), lambda b: {n: v for n, v in b.items() if n != "name"}),
    ],
    "size": [
        (lambda k: _put(k, "size"), _with("size", str)),
        (lambda k: _put(k, "size", kind=T.NUMBER), _with("size", float)),
        (lambda k: renamed(k, "size", "volume"), _moved("size", "volume")),
        (
            lambda k: _put(k, "size", kind=T.INTEGER, required=True, default=7),
            lambda b: {**b, "size": 7 if b["size"] is None else b["size"]},
        ),
    ],
    "open": [(lambda k: _put(k, "open"), _with("open", lambda v: "true" if v else "false"))],
    "colour": [(lambda k: _put(k, "colour", length=9), lambda b: b)],
    "shelf_id": [
        (
            lambda k: dataclasses.replace(
                k,
                attributes={
                    **k.attributes,
                    "shelf_id": attribute("shelf_id", T.LIST, items=reference("", "Shelf")),
                },
            ),
            _with("shelf_id", lambda v: [v]),
        ),
    ],
    "extra": [
        (lambda k: _put(k, "extra", default="é'x"), lambda b: {**b, "extra": "é'x"}),
        (lambda k: _put(k, "extra", kind=T.BOOLEAN), lambda b: {**b, "extra": None}),
    ],
}
SHELVES = [str(uuid.UUID(int=n)) for n in range(1, 4)]
BODIES = st.lists(
    st.fixed_dictionaries({
        "name": st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20),
        "size": st.none() | st.integers(0, 100),
        "colour": st.none() | st.sampled_from(["red", "green", "blue"]),
        "open": st.none() | st.booleans(),
        "shelf_id": st.none() | st.sampled_from(SHELVES),
        "project_id": st.none() | st.sampled_from(["p", "q"]),
    }),
    max_size=12,
)  # fmt: skip
STEPS = st.dictionaries(st.sampled_from(sorted(CHANGES)), st.integers(0, 3), max_size=4)


@hypothesis.settings(
    max_examples=15, deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)  # fmt: skip
@hypothesis.given(bodies=BODIES, chosen=STEPS)
def test_the_database_holds_what_converting_each_gives(
    url: str, bodies: list[Body], chosen: dict[str, int]
) -> None:
    name = f"shop{next(_NUMBERS)}"
    kind = box()
    wanted = {
        str(uuid.UUID(int=100 + n)): {"id": str(uuid.UUID(int=100 + n)), **b} for n, b in enumerate(bodies)
    }
    stored = [dict(body) for body in wanted.values()]
    for attribute_name, n in chosen.items():
        change, convert = CHANGES[attribute_name][n % len(CHANGES[attribute_name])]
        kind = change(kind)
        wanted = {key: convert(body) for key, body in wanted.items()}
    asyncio.run(_go(url, name, kind, stored, wanted))


async def _go(url: str, name: str, kind: ObjectType, stored: list[Body], wanted: dict[str, Body]) -> None:
    shelves = [{"id": key, "label": "l"} for key in SHELVES]
    objects = {"Shelf": shelves, "Box": stored}
    db = await world.begin(url, model(shelf(), box(), name=name), objects, references=False)
    try:
        await world.upgrade(db, model(shelf(), kind, name=name))
        (new,) = [m for m in await world.current(db) if m.name == name]
        assert await world.bodies(db, new, "Box") == wanted
    finally:
        await db.close()
