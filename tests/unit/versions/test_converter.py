"""Bodies between two versions of an object type: what is written through one is read through the other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon import errors
from gluon.model import conversions as facts
from gluon.model import types
from gluon.versions import converter, judge

TEXT, ENUM, INTEGER = types.AttributeType.STRING, types.AttributeType.ENUM, types.AttributeType.INTEGER


def attribute(name: str, kind: types.AttributeType = TEXT, **more: Any) -> types.Attribute:
    return types.Attribute(name=name, type=kind, value_type=kind, **more)


def object_type(*attributes: types.Attribute) -> types.ObjectType:
    key = types.Attribute(
        name="id", type=types.AttributeType.UUID, value_type=types.AttributeType.UUID, primary=True
    )
    return types.ObjectType(
        name="Line",
        singular="line",
        plural="lines",
        kind=types.Kind.OTHER,
        attributes={a.name: a for a in (key, *attributes)},
        key="id",
        generated_key=True,
    )


THERE = object_type(
    attribute("tenant_id"),
    attribute("mode", ENUM, values=("hub", "spoke")),
    attribute("cidr"),
    attribute("admin"),
    attribute("number"),
    attribute("mtu", INTEGER),
    attribute("legacy"),
)
HERE = object_type(
    attribute("project_id"),
    attribute("role", ENUM, values=("HUB", "SPOKE")),
    attribute("address"),
    attribute("length"),
    attribute("rd"),
    attribute("mtu", INTEGER),
    attribute("comment"),
)
SAID = facts.TypeFacts(
    name="Line",
    attributes={
        "tenant_id": facts.Renamed(name="project_id"),
        "mode": facts.Renamed(name="role", values={"hub": "HUB", "spoke": "SPOKE"}),
        "cidr": facts.Joined(names=("address", "length"), by="/"),
        "admin": facts.Part(name="rd", by=":", index=0),
        "number": facts.Part(name="rd", by=":", index=1),
        "legacy": facts.Fixed(value="yes"),
    },
)
LINES = converter.Converter(THERE, HERE, SAID)

word = st.text("abc123.", min_size=1, max_size=5)
bodies_there = st.fixed_dictionaries(
    {
        "id": word,
        "tenant_id": word | st.none(),
        "mode": st.sampled_from(["hub", "spoke", None]),
        "cidr": st.builds("{}/{}".format, word, word) | st.none(),
        "mtu": st.integers() | st.none(),
        "legacy": st.just("yes"),
    }
).flatmap(
    lambda body: st.one_of(
        st.builds(lambda a, n: {**body, "admin": a, "number": n}, word, word),
        st.just({**body, "admin": None, "number": None}),
    )
)
bodies_here = st.fixed_dictionaries(
    {
        "id": word,
        "project_id": word | st.none(),
        "role": st.sampled_from(["HUB", "SPOKE", None]),
        "rd": st.builds("{}:{}".format, word, word) | st.none(),
        "mtu": st.integers() | st.none(),
        "comment": word | st.none(),
    }
).flatmap(
    lambda body: st.one_of(
        st.builds(lambda a, n: {**body, "address": a, "length": n}, word, word),
        st.just({**body, "address": None, "length": None}),
    )
)


def test_these_facts_are_sound() -> None:
    assert judge.faults(THERE, HERE, SAID) == []


@given(bodies_there)
def test_what_is_written_there_is_read_there(body: dict[str, Any]) -> None:
    assert LINES.down(LINES.up(body)) == body


@given(bodies_here)
def test_reading_and_writing_back_changes_nothing_here(body: dict[str, Any]) -> None:
    written = LINES.up(LINES.down(body), stored=body)
    assert {**body, **written} == body
    assert "comment" not in written, "what the other version cannot say is kept"


@given(bodies_here, bodies_there, st.data())
def test_a_partial_body_changes_what_it_says(
    stored: dict[str, Any], wish: dict[str, Any], data: st.DataObject
) -> None:
    names = data.draw(st.sets(st.sampled_from(sorted(set(wish) - {"admin", "number"}))))
    partial = {name: wish[name] for name in names}
    after = {**stored, **LINES.up(partial)}
    assert LINES.down(after) == {**LINES.down(stored), **partial}


def test_one_part_of_a_text_needs_the_stored_one() -> None:
    assert LINES.needs_stored({"number": "7"})
    assert not LINES.needs_stored({"number": "7", "admin": "1"})
    assert LINES.up({"number": "7"}, stored={"rd": "65000:1"}) == {"rd": "65000:7"}


def test_what_has_no_place_here_is_refused_by_name() -> None:
    with pytest.raises(errors.Invalid) as refused:
        LINES.up({"legacy": "no", "cidr": "10.0.0.0"})
    assert [p.pointer for p in refused.value.problems] == ["/legacy", "/cidr"]
    assert "10.0.0.0" in refused.value.problems[1].message
    assert "<address>/<length>" in refused.value.problems[1].hint


def test_problems_are_told_by_the_names_of_the_client() -> None:
    assert LINES.blame("/project_id") == "/tenant_id"
    assert LINES.blame("/address") == "/cidr"
    assert LINES.blame("/rd") in {"/admin", "/number"}
    assert LINES.blame("/mtu/0/x") == "/mtu/0/x"


@pytest.mark.parametrize(
    ("attributes", "blamed", "words"),
    [
        ({"tenant_id": facts.Renamed(name="nowhere")}, "tenant_id", "has no nowhere"),
        ({"mtu": facts.Renamed(name="comment")}, "mtu", "is integer there and string"),
        ({"mode": facts.Renamed(name="role", values={"hub": "HUB"})}, "mode", "does not take spoke"),
        (
            {"mode": facts.Renamed(name="role", values={"hub": "HUB", "spoke": "HUB"})},
            "mode",
            "2 values become HUB",
        ),
        ({"admin": facts.Part(name="rd", by=":", index=3)}, "admin", "not 0 to 1"),
        ({"number": facts.Part(name="rd", by="-", index=1)}, "admin", "divided in different ways"),
        ({"number": facts.Renamed(name="rd")}, "number", "stands for rd as well"),
        ({"strange": facts.Fixed(value=1)}, "strange", "no such attribute"),
        ({"mode": facts.Renamed(name="role", values={"hub": "spoke"})}, "mode", "2 values become spoke"),
        (
            {"tenant_id": facts.Renamed(name="project_id", values={"a": "b"})},
            "tenant_id",
            "2 values become b",
        ),
        ({"id": facts.Renamed(name="comment")}, "id", "the key of one version"),
        ({"cidr": facts.Joined(names=("address", "mtu"), by="/")}, "cidr", "only texts"),
    ],
)
def test_unsound_facts_are_found(attributes: dict[str, facts.Origin], blamed: str, words: str) -> None:
    said = facts.TypeFacts(name="Line", attributes={**SAID.attributes, **attributes})
    found = judge.faults(THERE, HERE, said)
    assert any(f.attribute == blamed and words in f.message and f.hint for f in found), found


def test_values_that_are_made_of_other_things_are_found() -> None:
    whole = attribute("place", types.AttributeType.OBJECT, members={n: attribute(n) for n in ("city", "zip")})
    part = attribute("place", types.AttributeType.OBJECT, members={"city": attribute("city")})
    (fault,) = judge.faults(object_type(part), object_type(whole), facts.TypeFacts(name="Line"))
    assert (fault.attribute, "other values" in fault.message) == ("place", True)
    assert judge.faults(object_type(whole), object_type(whole), facts.TypeFacts(name="Line")) == []


texts = st.text("ab:", max_size=6)


@given(texts | st.none())
def test_a_text_of_any_number_of_parts_comes_back_as_it_was(text: str | None) -> None:
    here = {"rd": text}
    shown = {name: LINES.down(here)[name] for name in ("admin", "number")}
    assert LINES.up(shown) == here
    assert LINES.up({"number": shown["number"]}, stored=here) == here


@given(texts | st.none(), texts | st.none())
def test_parts_that_are_taken_are_read_as_they_were_written(admin: str | None, number: str | None) -> None:
    parts = {"admin": admin, "number": number}
    if (admin is None and number is not None) or ":" in (admin or ""):
        with pytest.raises(errors.Invalid) as refused:
            LINES.up(parts)
        assert [p.pointer for p in refused.value.problems] == ["/admin"]
    else:
        made = LINES.up(parts)
        assert {name: LINES.down(made)[name] for name in parts} == parts


@pytest.mark.parametrize("here", [{"address": "a", "length": None}, {"address": "a/b", "length": "c"}])
def test_a_joined_text_that_cannot_be_divided_is_kept(here: dict[str, str | None]) -> None:
    shown = {"cidr": LINES.down(here)["cidr"]}
    assert LINES.needs_stored(shown)
    assert {**here, **LINES.up(shown, stored=here)} == here


def test_a_required_attribute_that_nothing_gives_is_found() -> None:
    here = object_type(*HERE.attributes.values(), attribute("owner", required=True))
    found = judge.faults(THERE, here, SAID)
    assert [(f.attribute, f.message) for f in found] == [
        ("owner", "is required in the stored version and nothing there gives it")
    ]


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_secret_without_a_place_here_is_not_repeated(where: str) -> None:
    there = object_type(
        attribute("login", secret=where == "there"), attribute("legacy", secret=where == "there")
    )
    here = object_type(attribute("user"), attribute("password", secret=where == "here"))
    said = facts.TypeFacts(
        name="Line", attributes={"login": facts.Joined(names=("user", "password"), by=":")}
    )
    with pytest.raises(errors.Invalid) as raised:
        converter.Converter(there, here, said).up({"login": "hunter2"})
    (problem,) = raised.value.problems
    assert "hunter2" not in problem.message
    assert "<user>:<password>" in problem.message
