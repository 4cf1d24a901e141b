"""Values go from the API through database and etcd into a shim's memory and keep their types, for random models.

One server for all models: each is loaded into it while it runs.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from gluon import errors
from gluon.kv.connect import connect as connect_bus
from gluon.model import describe, fields
from gluon.model.types import AttributeType, Model, ObjectType
from gluon.objects import published
from gluon.shim.cache import Cache
from gluon.shim.settings import Pace
from gluon.spi.backend import Ref
from gluon.testing.product import GluonServer
from tests.contract.store.test_model_values import EXTREMES, every_type
from tests.unit.model import bodies
from tests.unit.model.test_strict import attribute, object_type

World = list[tuple[ObjectType, list[dict[str, Any]]]]

_numbers = itertools.count()


@pytest.fixture(scope="module")
def etcd(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("etcd_server").url)


def model_of(given: World) -> Model:
    named = {
        f"Type{n}": dataclasses.replace(kind, name=f"Type{n}", singular=f"type{n}", plural=f"type{n}s")
        for n, (kind, _) in enumerate(given)
    }
    return Model(file_version="2.0", name=f"net-{next(_numbers)}", version="1.0", types=named, digest="")


def expected(kind: ObjectType, body: dict[str, Any]) -> dict[str, Any] | None:
    """What the attributes are after a create, by the validator alone; None: refused."""
    checks = fields.compile_fields(kind)
    try:
        normal = checks.check(body, partial=False).values
    except errors.Invalid:
        return None
    normal = checks.filled(normal)
    found = {**dict.fromkeys(kind.attributes), **normal}
    return {name: None if kind.attributes[name].secret else value for name, value in found.items()}


def cured(kind: ObjectType, body: dict[str, Any]) -> dict[str, Any]:
    """The body without what is wrong in it."""
    try:
        fields.compile_fields(kind).check(body, partial=False)
    except errors.Invalid as error:
        wrong = {p.pointer.split("/")[1] for p in error.problems if p.pointer}
        return {name: value for name, value in body.items() if name not in wrong}
    return body


async def seen(cache: Cache, ref: Ref, revision: int) -> dict[str, Any]:
    """The object in the shim's memory."""
    async with asyncio.timeout(60):
        while (found := cache.world.get(ref)) is None or found.revision != revision:
            await asyncio.sleep(0.005)
    return dict(found.body)


async def goes_round(server: GluonServer, etcd: str, given: World) -> int:
    """How many objects were made."""
    model = model_of(given)
    status, answer = await asyncio.to_thread(
        server.request, "POST", "/gluon/v1/protons", {"files": {"api.yaml": describe.dump(model)}}
    )
    if status == 400:
        return 0  # a random model that the language refuses
    assert status in {200, 201}, answer
    bus = connect_bus([etcd], progress=0.2)
    cache = Cache(bus, controller="c", apis={model.name: ()}, pace=Pace())
    following = asyncio.create_task(cache.run())
    made = 0
    try:
        for kind, (_, wanted) in zip(model.types.values(), given, strict=True):
            for body in [b for given in wanted for b in (given, cured(kind, given))]:
                made += await one(server, cache, model, kind, body)
    finally:
        following.cancel()
        await asyncio.wait({following})
        await bus.close()
    return made


async def one(
    server: GluonServer, cache: Cache, model: Model, kind: ObjectType, body: dict[str, Any]
) -> bool:
    path = f"/proton/{model.name}/v1.0/{kind.plural}"
    wanted = expected(kind, body)
    status, headers, answer = await asyncio.to_thread(server.exchange, "POST", path, body)
    assert (status == 201) == (wanted is not None) or status == 409, (status, answer, wanted)
    if status != 201 or wanted is None:
        return False
    shown = {name: answer[name] for name in kind.attributes}
    assert repr(shown) == repr({**wanted, "id": answer["id"]})
    read = (await asyncio.to_thread(server.request, "GET", f"{path}/{answer['id']}"))[1]
    assert repr(read) == repr(answer)
    revision = int(headers["etag"].strip('"'))
    found = await seen(cache, Ref(model.name, kind.name, answer["id"]), revision)
    assert published.digest(found)
    assert repr(published.bare(found)) == repr(answer)
    return True


@pytest.fixture(scope="module")
def server(etcd: str) -> Iterator[GluonServer]:
    with GluonServer("server", "--etcd", etcd) as running:
        yield running


def test_every_type_with_its_extremes(server: GluonServer, etcd: str) -> None:
    kind = dataclasses.replace(every_type(), unique=())
    rounds: dict[str, list[Any]] = {name: given for name, (_, given) in EXTREMES.items()}
    for name, a in kind.attributes.items():
        if a.value_format in bodies.TEXTS and a.value_format is not None:
            good, other, _ = bodies.TEXTS[a.value_format]
            rounds[name] = good + other
        elif a.value_format is not None:
            rounds[name] = list(bodies.RANGES[a.value_format])
    count = max(map(len, rounds.values()))
    wanted = [{n: given[i % len(given)] for n, given in rounds.items() if n != "id"} for i in range(count)]
    made = asyncio.run(goes_round(server, etcd, [(kind, [*wanted, {}, dict.fromkeys(wanted[0])])]))
    assert made == 2 * (count + 2)


def test_attributes_may_be_called_as_what_stands_beside_them(server: GluonServer, etcd: str) -> None:
    kind = object_type(attribute("revision", AttributeType.INTEGER), attribute("model"))
    made = asyncio.run(goes_round(server, etcd, [(kind, [{"revision": 5, "model": "AX-7"}, {"model": ""}])]))
    assert made == 4


@st.composite
def worlds(draw: st.DrawFn) -> World:
    kinds = draw(st.lists(bodies.types_of(), min_size=2, max_size=5))
    found: World = []
    for kind in kinds:
        attributes = {n: a for n, a in kind.attributes.items() if n != kind.key}
        found.append((kind, draw(st.lists(bodies.bodies(attributes), min_size=1, max_size=4))))
    return found


def test_what_is_accepted_is_what_a_shim_sees(server: GluonServer, etcd: str) -> None:
    made: list[int] = []

    @hypothesis.settings(
        max_examples=25, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck), deadline=None
    )
    @hypothesis.given(worlds())
    def hold(given: World) -> None:
        made.append(asyncio.run(goes_round(server, etcd, given)))

    hold()
    assert sum(made) > 30, made
    assert sum(map(bool, made)) > 10, made
