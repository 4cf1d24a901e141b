"""Values of language 2.0: JSON's own types, one normal form, every problem with its place."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon import errors
from gluon.model import acceptors, fields, wrong
from gluon.model.types import Attribute, AttributeType, Format, Kind, ObjectType, PoolUse

ID = "0e5c7d0a-4f0e-4c55-9f5c-3a8f1a0b2c3d"


def attribute(
    name: str = "a", type_: AttributeType = AttributeType.STRING, format_: Format | None = None, **more: Any
) -> Attribute:
    """An attribute as the loader of 2.0 makes it."""
    return Attribute(
        **{
            "name": name,
            "type": type_,
            "value_type": type_,
            "format": format_,
            "value_format": format_,
            "kept": False,
            **more,
        }
    )


def object_type(*attributes: Attribute) -> ObjectType:
    key = attribute("id", AttributeType.UUID, primary=True, nullable=False)
    return ObjectType(
        name="Thing",
        singular="thing",
        plural="things",
        kind=Kind.OTHER,
        attributes={a.name: a for a in (key, *attributes)},
        key="id",
        generated_key=True,
    )


def compiled(*attributes: Attribute) -> fields.Fields:
    return fields.compile_fields(object_type(*attributes))


def refused(
    checks: fields.Fields, body: Mapping[str, Any], *, partial: bool = True
) -> dict[str, errors.FieldProblem]:
    with pytest.raises(errors.Invalid) as raised:
        checks.check(body, partial=partial)
    return {p.pointer: p for p in raised.value.problems}


T, F = AttributeType, Format

GOOD: list[tuple[Attribute, Any, Any]] = [
    (attribute(), "ä", "ä"),
    (attribute(length=2, min_length=2), "ab", "ab"),
    (attribute(pattern="[a-z]+"), "ab", "ab"),
    (attribute(type_=T.INTEGER), 5, 5),
    (attribute(type_=T.INTEGER), 5.0, 5),
    (attribute(type_=T.INTEGER), -(2**63), -(2**63)),
    (attribute(type_=T.NUMBER), 5, 5.0),
    (attribute(type_=T.NUMBER, minimum=0.5, maximum=1.5), 0.5, 0.5),
    (attribute(type_=T.BOOLEAN), True, True),
    (attribute(type_=T.UUID), ID.upper(), ID),
    (attribute(type_=T.ENUM, values=("x", "y")), "y", "y"),
    (attribute(format_=F.IP), "2001:DB8:0::1", "2001:db8::1"),
    (attribute(format_=F.IP), "192.0.2.1", "192.0.2.1"),
    (attribute(format_=F.IPV4), "192.0.2.1", "192.0.2.1"),
    (attribute(format_=F.IPV6), "2001:DB8:0::1", "2001:db8::1"),
    (attribute(format_=F.CIDR), "2001:DB8:0::/48", "2001:db8::/48"),
    (attribute(format_=F.MAC), "FA-16-3E-00-00-01", "fa:16:3e:00:00:01"),
    (attribute(format_=F.ROUTE_TARGET), "065000:01", "65000:1"),
    (attribute(format_=F.ROUTE_DISTINGUISHER), "192.0.2.1:7", "192.0.2.1:7"),
    (attribute(format_=F.DATE_TIME), "2024-05-17t14:00:00.50+02:00", "2024-05-17T12:00:00.5Z"),
    (attribute(format_=F.URI), "https://example.net/a", "https://example.net/a"),
    (attribute(format_=F.EMAIL), "a@example.net", "a@example.net"),
    (attribute(format_=F.JSON), '{"a": 1}', '{"a": 1}'),
    (attribute(type_=T.INTEGER, format_=F.VLAN), 4094, 4094),
    (attribute(type_=T.INTEGER, format_=F.VNI), 2**24 - 1, 2**24 - 1),
    (attribute(type_=T.INTEGER, format_=F.ASN), "1.10", 65546),
    (attribute(type_=T.INTEGER, format_=F.ASN), "65000", 65000),
    (attribute(type_=T.INTEGER, format_=F.MPLS_LABEL), 16, 16),
]

BAD: list[tuple[Attribute, Any, str]] = [
    (attribute(), 5, "type"),
    (attribute(), "a\0", "characters"),
    (attribute(), "\ud800", "characters"),
    (attribute(length=2), "abc", "length"),
    (attribute(min_length=2), "a", "length"),
    (attribute(pattern="[a-z]+"), "aB", "pattern"),
    (attribute(pattern="[a-z]+"), "a\n", "pattern"),
    (attribute(pattern=r"\d"), "٥", "pattern"),
    (attribute(type_=T.INTEGER), "5", "type"),
    (attribute(type_=T.INTEGER), True, "type"),
    (attribute(type_=T.INTEGER), 5.5, "type"),
    (attribute(type_=T.INTEGER), 2**63, "range"),
    (attribute(type_=T.INTEGER, format_=F.INT32), 2**31, "range"),
    (attribute(type_=T.INTEGER, minimum=3), 2, "range"),
    (attribute(type_=T.NUMBER), "1.5", "type"),
    (attribute(type_=T.NUMBER), True, "type"),
    (attribute(type_=T.NUMBER), float("nan"), "type"),
    (attribute(type_=T.NUMBER), float("inf"), "type"),
    (attribute(type_=T.NUMBER), 10**400, "type"),
    (attribute(type_=T.NUMBER, maximum=1.5), 1.6, "range"),
    (attribute(type_=T.BOOLEAN), "yes", "type"),
    (attribute(type_=T.BOOLEAN), 1, "type"),
    (attribute(type_=T.UUID), "", "format"),
    (attribute(type_=T.UUID), 5, "type"),
    (attribute(type_=T.ENUM, values=("x", "y")), "z", "enum"),
    (attribute(type_=T.ENUM, values=("x", "y")), [], "enum"),
    (attribute(format_=F.IP), "fe80::1%eth0", "format"),
    (attribute(format_=F.IPV6), "192.0.2.1", "format"),
    (attribute(format_=F.ROUTE_TARGET), "65536:65536", "format"),
    (attribute(format_=F.ROUTE_DISTINGUISHER), "1", "format"),
    (attribute(format_=F.DATE_TIME), "2024-05-17 12:00:00", "format"),
    (attribute(format_=F.JSON), "", "format"),
    (attribute(type_=T.INTEGER, format_=F.VLAN), 4095, "range"),
    (attribute(type_=T.INTEGER, format_=F.VLAN), "5", "type"),
    (attribute(type_=T.INTEGER, format_=F.VNI), 0, "range"),
    (attribute(type_=T.INTEGER, format_=F.ASN), 1.1, "type"),
    (attribute(type_=T.INTEGER, format_=F.ASN), "1.65536", "format"),
    (attribute(type_=T.INTEGER, format_=F.MPLS_LABEL), 15, "range"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "given", "normal"), GOOD)
def test_a_value_has_one_normal_form(one: Attribute, given: Any, normal: Any) -> None:
    accept = acceptors.acceptor(one)
    found = accept(given)
    assert (found, type(found)) == (normal, type(normal))
    assert accept(found) == found


@pytest.mark.parametrize(("one", "given", "code"), BAD)
def test_a_value_that_breaks_its_rule_is_refused(one: Attribute, given: Any, code: str) -> None:
    with pytest.raises(wrong.Wrong) as raised:
        acceptors.acceptor(one)(given)
    assert raised.value.code == code
    assert raised.value.hint


def test_host_bits_are_answered_with_the_network() -> None:
    problem = refused(compiled(attribute("net", format_=F.CIDR)), {"net": "10.0.0.1/24"})["/net"]
    assert problem.message == "net: '10.0.0.1/24' has host bits set"
    assert problem.hint == "its network is 10.0.0.0/24"
    assert problem.legacy == ""


SUBNET = attribute(
    "subnet",
    T.OBJECT,
    nullable=False,
    members={
        "cidr": attribute("cidr", format_=F.CIDR, required=True, nullable=False),
        "dhcp": attribute("dhcp", T.BOOLEAN, default=True, nullable=False),
        "dns": attribute(
            "dns", T.LIST, items=attribute("dns", format_=F.IP, nullable=False), default=["192.0.2.53"]
        ),
        "note": attribute("note"),
    },
)
SUBNETS = attribute("subnets", T.LIST, items=SUBNET, max_items=3, unique_items=True)
TAGS = attribute("tags", T.MAP, items=attribute("tag", length=3, nullable=False), max_items=2)
NESTED = compiled(SUBNETS, TAGS)


def test_a_nested_value_is_normal_all_the_way_down() -> None:
    body = {
        "subnets": [{"note": None, "cidr": "2001:DB8::/64"}, {"cidr": "10.0.0.0/8", "dns": ["2001:DB8::1"]}],
        "tags": {"b": "x", "a": "y"},
    }
    values = NESTED.check(body, partial=True).values
    assert values == {
        "subnets": [
            {"cidr": "2001:db8::/64", "dhcp": True, "dns": ["192.0.2.53"], "note": None},
            {"cidr": "10.0.0.0/8", "dhcp": True, "dns": ["2001:db8::1"], "note": None},
        ],
        "tags": {"a": "y", "b": "x"},
    }
    assert list(values["subnets"][0]) == ["cidr", "dhcp", "dns", "note"]
    assert list(values["tags"]) == ["a", "b"]
    assert NESTED.check(values, partial=True).values == values
    values["subnets"][0]["dns"].append("x")
    assert NESTED.check(body, partial=True).values["subnets"][0]["dns"] == ["192.0.2.53"]


def test_every_problem_inside_is_told_with_its_place() -> None:
    body = {
        "subnets": [
            {"cidr": "10.0.0.1/8", "dhpc": True, "dns": ["x", None]},
            {"dhcp": "yes"},
            None,
        ],
        "tags": {"a/b": "long", "c": None},
    }
    found = refused(NESTED, body)
    assert {p: problem.code for p, problem in found.items()} == {
        "/subnets/0/cidr": "format", "/subnets/0/dhpc": "unknown", "/subnets/0/dns/0": "format",
        "/subnets/0/dns/1": "required", "/subnets/1/cidr": "required", "/subnets/1/dhcp": "type",
        "/subnets/2": "required", "/tags/a~1b": "length", "/tags/c": "required",
    }  # fmt: skip
    assert found["/subnets/0/dhpc"].hint == "did you mean 'dhcp'?"
    assert found["/subnets/0/cidr"].message == "subnets/0/cidr: '10.0.0.1/8' has host bits set"
    assert found["/subnets/1/cidr"].message == "subnets/1/cidr: a value is required"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"subnets": {}}, "/subnets", "type"),
        ({"subnets": [[]]}, "/subnets/0", "type"),
        ({"subnets": [{"cidr": "10.0.0.0/8"}] * 4}, "/subnets", "items"),
        ({"subnets": [{"cidr": "10.0.0.0/8"}, {"cidr": "10.0.0.0/8", "dhcp": True}]}, "/subnets/1", "duplicate"),
        ({"tags": []}, "/tags", "type"),
        ({"tags": {"a": "1", "b": "2", "c": "3"}}, "/tags", "items"),
        ({"tags": {"a" * 256: "1"}}, f"/tags/{'a' * 100}…", "length"),
        ({"tags": {"\0": "1"}}, "/tags/\\0", "characters"),
    ],
)  # fmt: skip
def test_limits_of_nested_values(body: dict[str, Any], pointer: str, code: str) -> None:
    assert {p: problem.code for p, problem in refused(NESTED, body).items()} == {pointer: code}


def test_a_flood_of_problems_inside_is_cut() -> None:
    many = compiled(attribute("l", T.LIST, items=attribute("i", T.INTEGER), max_items=10_000))
    assert len(refused(many, {"l": ["x"] * 10_000})) == wrong.MOST_PROBLEMS


def test_what_a_create_must_give() -> None:
    checks = compiled(
        attribute("name", required=True, nullable=False),
        attribute("maybe", required=True),
        attribute("mtu", T.INTEGER, required=True, nullable=False, default=1500),
        attribute("vni", T.INTEGER, required=True, nullable=False, pool=PoolUse(name="vnis")),
        attribute("free"),
        attribute("state", read_only=True, required=True),
    )
    assert set(refused(checks, {}, partial=False)) == {"/name", "/maybe"}
    assert checks.check({"name": "a", "maybe": None}, partial=False).values == {"name": "a", "maybe": None}
    assert set(refused(checks, {"name": None, "mtu": None, "vni": None, "id": ""})) == {
        "/name",
        "/mtu",
        "/vni",
        "/id",
    }
    assert checks.needed == ("name", "maybe")
    assert checks.check({"id": None}, partial=True).values == {}


def test_defaults_are_filled_as_data_of_their_own() -> None:
    checks = compiled(
        attribute("net", format_=F.CIDR, default="2001:DB8::/32"),
        attribute("l", T.LIST, items=attribute("i", T.INTEGER), default=[1]),
    )
    assert checks.defaults == {"net": "2001:db8::/32", "l": [1]}
    values = checks.filled({"net": None})
    assert values == {"net": None, "l": [1]}
    values["l"].append(2)
    assert checks.defaults["l"] == [1]


def test_read_only_and_immutable_attributes_keep_their_value() -> None:
    checks = compiled(
        attribute("state", read_only=True, default="new"), attribute("vni", T.INTEGER, immutable=True)
    )
    assert checks.read_only == frozenset({"state"})
    assert checks.immutable == frozenset({"vni"})
    assert refused(checks, {"state": "x"}, partial=False)["/state"].code == "read_only"
    checks.check({"state": "new", "vni": 5}, partial=False)
    checks.check({"state": None}, partial=False)
    stored = {"state": "up", "vni": 5}
    checks.refuse_fixed(stored, {"state": "up", "vni": 5})
    checks.refuse_fixed({"vni": None}, {"vni": 5})
    with pytest.raises(errors.Invalid) as raised:
        checks.refuse_fixed(stored, {"state": "down", "vni": 6})
    assert {p.pointer: p.code for p in raised.value.problems} == {"/state": "read_only", "/vni": "immutable"}


def test_a_secret_is_never_among_the_words() -> None:
    checks = compiled(attribute("password", secret=True, min_length=20, immutable=True))
    (problem,) = refused(checks, {"password": "hunter2"}).values()
    assert "hunter2" not in repr(problem)
    with pytest.raises(errors.Invalid) as raised:
        checks.refuse_fixed({"password": "a"}, {"password": "hunter2"})
    assert "hunter2" not in repr(raised.value.problems)
    assert checks.secret == frozenset({"password"})


def test_texts_of_urls_stand_for_values() -> None:
    checks = compiled(
        attribute("vni", T.INTEGER, F.VNI), attribute("up", T.BOOLEAN), attribute("share", T.NUMBER)
    )
    assert checks.from_text("vni", "5") == 5
    assert checks.from_text("up", "true") is True
    assert checks.from_text("share", "1.5") == 1.5
    with pytest.raises(errors.Invalid):
        checks.from_text("vni", "x")


@pytest.mark.parametrize(("one", "given", "normal"), GOOD)
def test_a_good_body_is_told_at_one_look_as_one_by_one(one: Attribute, given: Any, normal: Any) -> None:
    checks = compiled(dataclasses.replace(one, length=64 if one.type is T.STRING else None))
    for body in ({"a": given}, {"a": None}, {"a": given, "id": ID}):
        slow = fields.Fields.check(checks, body, partial=True)
        assert checks.check(body, partial=True) == slow
        assert type(slow.values["a"]) in {type(normal), type(None)}


@pytest.mark.parametrize(("one", "given", "code"), BAD)
def test_a_bad_body_is_told_at_one_look_as_one_by_one(one: Attribute, given: Any, code: str) -> None:
    assert refused(compiled(one), {"a": given})["/a"].code == code


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.text("0123456789.:/-abcdefTZ ", max_size=30)
    | st.sampled_from([given for _, given, _ in GOOD])
)
ANYTHING = st.recursive(
    LEAVES,
    lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text(max_size=3), t, max_size=3),
    max_leaves=5,
)
EVERY = [*(one for one, _, _ in GOOD), SUBNETS, TAGS]


@given(one=st.sampled_from(EVERY), value=ANYTHING)
def test_any_value_has_a_normal_form_or_is_refused(one: Attribute, value: Any) -> None:
    accept = acceptors.acceptor(one)
    try:
        normal = accept(value)
    except wrong.Wrong as refusal:
        told = (refusal.code, refusal.rule, *(p.wrong.rule for p in wrong.parts_of(value, refusal)))
    else:
        assert accept(normal) == normal
        assert msgspec.json.decode(msgspec.json.encode(normal)) == normal
        return
    assert all(told)
    assert "".join(told).encode()


@given(
    body=st.dictionaries(st.sampled_from(["subnets", "tags", "id", "x/~"]) | st.text(max_size=3), ANYTHING)
)
def test_any_body_is_taken_or_refused(body: dict[str, Any]) -> None:
    try:
        values = NESTED.check(body, partial=True).values
    except errors.Invalid as refusal:
        problems = refusal.problems
    else:
        assert NESTED.check(values, partial=True).values == values
        return
    assert len(problems) <= wrong.MOST_PROBLEMS
    assert all(p.pointer.startswith("/") and (p.pointer + p.message + p.hint).encode() for p in problems)


@pytest.mark.parametrize("more", [{"length": 30}, {"length": 30, "pattern": "[a-z]*"}])
def test_a_key_that_clients_choose_is_not_empty(more: Mapping[str, Any]) -> None:
    """It stands in URLs, where an empty one cannot be reached."""
    key = attribute("code", primary=True, nullable=False, **more)
    chosen = dataclasses.replace(object_type(), attributes={"code": key}, key="code", generated_key=False)
    checks = fields.compile_fields(chosen)
    assert refused(checks, {"code": ""}, partial=False)["/code"].hint
    assert checks.check({"code": "a"}, partial=False).values == {"code": "a"}
