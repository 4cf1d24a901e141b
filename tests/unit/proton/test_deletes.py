"""What a delete takes along, empties or is refused for: cascade, unset, restrict, at any depth."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gluon import errors
from gluon.model import types
from gluon.proton import unfold
from tests.unit.proton.parts import Engine, T, attribute, engine, many, model, object_type, reference, settled

GRAPH = model(
    object_type(
        "A",
        reference("b_id", "B", "cascade"),
        reference("soft", "A", "unset"),
    ),
    object_type(
        "B",
        reference("a_id", "A", "cascade"),
        reference("held", "A", "restrict", listed_as="holders"),
        quota=2000,
    ),
    object_type(
        "C",
        many("some", reference("some", "A", "unset", listed_as="users")),
        many("named", reference("named", "A", "unset"), T.MAP),
        many("firm", reference("firm", "B", "restrict")),
        many("ends", attribute("ends", T.OBJECT, members={"at": reference("at", "A", "cascade")})),
        attribute(
            "one", T.OBJECT, members={"b": reference("b", "B", "unset"), "n": attribute("n", T.INTEGER)}
        ),
        many("least", reference("least", "A", "unset"), min_items=1),
        quota=3,
    ),
)


@pytest.fixture
async def graph(tmp_path: Path) -> AsyncIterator[Engine]:
    async with engine(tmp_path, GRAPH) as running:
        yield running
        await settled(running)


async def test_a_cascade_follows_a_chain_and_a_circle(graph: Engine) -> None:
    await graph.make("A", "a1")
    await graph.make("B", "b1", a_id="a1")
    await graph.make("A", "a2", b_id="b1")
    await graph.put("A", "a1", b_id="b1")
    await graph.make("C", "c1", ends=[{"at": "a2"}])
    await graph.make("C", "c2", some=["a2"])
    before = (await graph.entries())[-1].revision
    await graph.delete("A", "a1")
    assert sorted(await graph.state()) == [("C", "c2")]
    written = [(e.op.value, e.type, e.key) for e in await graph.entries(before)]
    assert written[0] == ("update", "C", "c2")
    assert written[-1] == ("delete", "A", "a1")
    assert len({e.revision for e in await graph.entries(before)}) == 1
    assert sorted(written[1:]) == [("delete", "A", k) for k in ("a1", "a2")] + [
        ("delete", "B", "b1"),
        ("delete", "C", "c1"),
    ]


async def test_unset_empties_attributes_items_and_members(graph: Engine) -> None:
    for key in ("a1", "a2"):
        await graph.make("A", key)
    await graph.make("A", "a3", soft="a1")
    await graph.make("B", "b1")
    body = {"some": ["a1", "a2", "a1"], "named": {"x": "a1", "y": "a2"}, "one": {"b": "b1", "n": 4}}
    await graph.make("C", "c1", **body)
    await graph.delete("A", "a1")
    await graph.delete("B", "b1")
    assert (await graph.get("A", "a3"))["soft"] is None
    found = await graph.get("C", "c1")
    assert found["some"] == ["a2"]
    assert found["named"] == {"y": "a2"}
    assert found["one"] == {"b": None, "n": 4}


async def test_restrict_names_who_refers_and_where(graph: Engine) -> None:
    await graph.make("A", "a1")
    await graph.make("B", "b1", held="a1")
    await graph.make("C", "c1", firm=["b1"])
    with pytest.raises(errors.Conflict, match=r"A 'a1' is still referred to by B 'b1' \(held\)") as raised:
        await graph.delete("A", "a1")
    assert raised.value.code == "still_referred"
    with pytest.raises(errors.Conflict, match=r"C 'c1' \(firm\[\]\)"):
        await graph.delete("B", "b1")
    await graph.put("B", "b1", a_id="a1")
    with pytest.raises(errors.Conflict, match=r"C 'c1' \(firm\[\]\)"):
        await graph.delete("A", "a1")
    await graph.put("C", "c1", firm=[])
    await graph.delete("A", "a1")
    assert list(await graph.state()) == [("C", "c1")]


async def test_referrers_of_other_projects_are_counted_and_not_named(graph: Engine) -> None:
    await graph.make("A", "a1", project_id=None)
    await graph.make("B", "b1", held="a1", project_id="p2")
    graph.rules.project = "p1"
    graph.caller = dataclasses.replace(graph.caller, admin=False)
    with pytest.raises(errors.Conflict, match="referred to by 1 of other projects"):
        await graph.delete("A", "a1")


async def test_what_cannot_do_without_stands_in_the_way(graph: Engine) -> None:
    await graph.make("A", "a1")
    await graph.make("C", "c1", least=["a1"])
    with pytest.raises(errors.Conflict, match="C 'c1' would lose a reference in least"):
        await graph.delete("A", "a1")


async def test_a_dangling_item_is_told_by_its_pointer(graph: Engine) -> None:
    await graph.make("A", "a1")
    await graph.make("A", "far", project_id="p2")
    with pytest.raises(errors.Invalid) as raised:
        await graph.make("C", "c1", some=["a1", "none"], ends=[{"at": "far"}], one={"b": "b9"})
    assert [p.pointer for p in raised.value.problems] == ["/some/1", "/ends/0/at", "/one/b"]
    assert {p.code for p in raised.value.problems} == {"reference"}
    await graph.make("C", "c1", some=["a1"])
    with pytest.raises(errors.Invalid) as raised:
        await graph.put("C", "c1", named={"x/y": "none"})
    assert raised.value.problems[0].pointer == "/named/x~1y"


async def test_one_request_changes_a_thousand_objects_at_most(graph: Engine) -> None:
    await graph.make("A", "a1")
    for n in range(999):
        await graph.make("B", f"b{n}", a_id="a1")
    await graph.make("B", "one", a_id="a1")
    with pytest.raises(errors.Conflict, match="would change 1001 objects or more") as raised:
        await graph.delete("A", "a1")
    assert raised.value.code == "too_many"
    await graph.delete("B", "one")
    await graph.delete("A", "a1")
    assert not await graph.state()


async def test_one_request_follows_a_chain_of_a_hundred_at_most(graph: Engine) -> None:
    """Each reference in a row is a round to the database while all other writes wait."""
    await graph.make("A", "a0")
    for n in range(unfold.DEEPEST // 2):
        await graph.make("B", f"b{n}", a_id=f"a{n}")
        await graph.make("A", f"a{n + 1}", b_id=f"b{n}")
    await graph.make("B", "last", a_id=f"a{unfold.DEEPEST // 2}")
    with pytest.raises(errors.Conflict, match="more than 100 objects") as raised:
        await graph.delete("A", "a0")
    assert raised.value.code == "too_many" and raised.value.hint
    await graph.delete("B", "b0")
    assert sorted(await graph.state()) == [("A", "a0")]


async def test_a_quota_names_type_project_and_numbers(graph: Engine) -> None:
    for n in range(3):
        await graph.make("C", f"c{n}")
    await graph.make("C", "shared", project_id=None)
    await graph.make("C", "other", project_id="p2")
    with pytest.raises(errors.Conflict, match="project 'p1' has 3 of at most 3 objects of type C") as raised:
        await graph.make("C", "c3")
    assert raised.value.code == "quota"
    with pytest.raises(errors.Conflict):
        await graph.put("C", "other", project_id="p1")
    await graph.delete("C", "c0")
    await graph.put("C", "other", project_id="p1")


async def test_projects_move_with_what_refers(graph: Engine) -> None:
    await graph.make("A", "a1")
    await graph.make("C", "c1", some=["a1"])
    with pytest.raises(errors.Conflict, match=r"C 'c1' \(some\[\]\)"):
        await graph.put("A", "a1", project_id="p2")
    assert GRAPH.types["C"].attributes["some"].type is types.AttributeType.LIST
