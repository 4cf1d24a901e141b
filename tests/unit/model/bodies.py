"""Random attributes of language 2.0, object types of them, and bodies that are often right and often nearly so."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import strategies as st

from gluon.model.types import Attribute, AttributeType, Format, ObjectType
from tests.unit.model.test_strict import attribute, object_type

T, F = AttributeType, Format
ID = "0e5c7d0a-4f0e-4c55-9f5c-3a8f1a0b2c3d"

# Of each type: good in normal form, good in another, nearly good.
TEXTS: dict[Format | None, tuple[list[Any], list[Any], list[Any]]] = {
    None: (["", "a", "ab", "abc-1", "äö", "a" * 8, "a b"], [], ["a" * 9, "A\n"]),
    F.IP: (["192.0.2.1", "::", "2001:db8::1", "::ffff:192.0.2.1"], ["2001:DB8::1", "::ffff:c000:201"],
           ["fe80::1%e", "1.2.3", "192.0.2.01", "::g", "1::2::3"]),
    F.IPV4: (["192.0.2.1", "0.0.0.0"], [], ["::1", "192.0.2.256"]),
    F.IPV6: (["2001:db8::1", "::"], ["2001:0db8::1"], ["192.0.2.1", ":::"]),
    F.CIDR: (["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::/0"], ["2001:DB8::/32"],
             ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0", "::/129", "::1/64", "10.0.0.0/08"]),
    F.MAC: (["fa:16:3e:00:00:01"], ["FA-16-3E-00-00-01", "fa163e000001"], ["fa:16:3e:00:00", "x"]),
    F.ROUTE_TARGET: (["65000:1", "0:4294967295", "4200000000:65535", "192.0.2.1:65535", "65535:65536"],
                     ["065000:1"], ["65000:4294967296", "65536:65536", "4294967296:1", "192.0.2.1:65536", "1:"]),
    F.ROUTE_DISTINGUISHER: (["65000:1", "65536:0", "192.0.2.1:0"], ["1:01"], ["192.0.2.1", ":1", "a:1"]),
    F.DATE_TIME: (["2024-05-17T12:00:00Z", "2024-05-17T12:00:00.25Z"], ["2024-05-17T14:00:00+02:00"],
                  ["2024-05-17", "2024-02-30T12:00:00Z", "2024-05-17T12:00:00"]),
    F.URI: (["https://example.net/a", "urn:a"], [], ["", "a b"]),
    F.EMAIL: (["a@example.net"], [], ["a", "@example.net"]),
    F.JSON: (["{}", "[1]", "null"], [], ["", "{"]),
}  # fmt: skip
RANGES: dict[Format | None, tuple[int, int]] = {
    None: (-(2**63), 2**63 - 1),
    F.INT32: (-(2**31), 2**31 - 1),
    F.INT64: (-(2**63), 2**63 - 1),
    F.VLAN: (1, 4094),
    F.VNI: (1, 2**24 - 1),
    F.ASN: (1, 2**32 - 2),
    F.MPLS_LABEL: (16, 2**20 - 1),
}
PATTERNS = [None, None, None, "[a-z]*", "[a-z]+(-[0-9]+)?", "a|ab", "[^b]*", "(a*)*"]
ANYTHING = st.sampled_from(
    [None, "", "a", 0, 1, -1, 5.0, 1.5, True, False, [], {}, [None], {"a": None}, "1.10", ID]
)
"""What is no value of most attributes. Zero and one are neither false nor true, 5.0 is an integer."""


@st.composite
def singles(draw: st.DrawFn, name: str = "a") -> Attribute:
    """One value."""
    kind = draw(
        st.sampled_from([T.STRING, T.STRING, T.STRING, T.INTEGER, T.NUMBER, T.BOOLEAN, T.UUID, T.ENUM])
    )
    more: dict[str, Any] = {}
    form: Format | None = None
    if kind is T.STRING:
        form = draw(st.sampled_from([None, *TEXTS]))
        more["length"] = draw(st.sampled_from([2, 8, 255])) if form is None else 255
        if form is None:
            more["pattern"] = draw(st.sampled_from(PATTERNS))
            more["min_length"] = draw(st.sampled_from([None, 1, 2]))
    elif kind is T.INTEGER:
        form = draw(st.sampled_from([None, *RANGES]))
        more = draw(st.sampled_from([{}, {"minimum": 17}, {"maximum": 100}, {"minimum": 17, "maximum": 100}]))
    elif kind is T.NUMBER:
        more = draw(st.sampled_from([{}, {"minimum": 0.5}, {"maximum": 1}, {"minimum": 0, "maximum": 1.5}]))
    elif kind is T.ENUM:
        more["values"] = draw(st.sampled_from([("a",), ("a", "b", "A")]))
    return attribute(name, kind, form, nullable=draw(st.booleans()), required=draw(st.booleans()), **more)


def attributes(name: str = "a") -> st.SearchStrategy[Attribute]:
    """Any attribute, nested three deep at most."""
    return st.recursive(singles(), _nested, max_leaves=4).map(lambda a: _named(a, name))


def _named(a: Attribute, name: str) -> Attribute:
    return dataclasses.replace(a, name=name)


def _item(a: Attribute) -> Attribute:
    return dataclasses.replace(a, name="items", required=False)


def _nested(inner: st.SearchStrategy[Attribute]) -> st.SearchStrategy[Attribute]:
    flags = {"nullable": st.booleans(), "required": st.booleans()}
    limits = {"min_items": st.sampled_from([None, 1]), "max_items": st.sampled_from([None, 2])}
    lists = st.builds(
        lambda i, **more: attribute("a", T.LIST, items=_item(i), **more),
        inner, unique_items=st.booleans(), **flags, **limits,
    )  # fmt: skip
    maps = st.builds(
        lambda i, **more: attribute("a", T.MAP, items=_item(i), **more), inner, **flags, **limits
    )
    objects = st.builds(
        lambda members, **more: attribute(
            "a", T.OBJECT, members={n: _named(m, n) for n, m in members.items()}, **more
        ),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, min_size=1, max_size=3),
        **flags,
    )
    return st.one_of(lists, maps, objects)


def types_of() -> st.SearchStrategy[ObjectType]:
    """An object type with a few attributes."""
    few = st.lists(singles() | attributes(), min_size=1, max_size=4)
    return few.map(lambda found: object_type(*(_named(a, f"a{n}") for n, a in enumerate(found))))


@st.composite
def values(draw: st.DrawFn, a: Attribute) -> Any:
    """Mostly values of the attribute."""
    if draw(st.integers(0, 19)) == 0:
        return draw(ANYTHING)
    if a.nullable and draw(st.integers(0, 9)) == 0:
        return None
    match a.value_type:
        case T.LIST if a.items:
            return draw(st.lists(values(a.items), min_size=0, max_size=3))
        case T.MAP if a.items:
            return draw(
                st.dictionaries(st.sampled_from(["", "k", "ä", "k" * 256]), values(a.items), max_size=3)
            )
        case T.OBJECT:
            return draw(bodies(a.members))
        case T.STRING:
            good, other, bad = TEXTS[a.value_format]
            return draw(st.sampled_from([*good * 4, *other * 2, *bad]))
        case T.INTEGER:
            low, high = RANGES[a.value_format]
            return draw(st.sampled_from([17, 18, 99, 100, low, high, low - 1, high + 1, 20.0]))
        case T.NUMBER:
            return draw(st.sampled_from([0, 1, 0.5, 1.0, 1.5, -0.0, 1e300, 2]))
        case T.BOOLEAN:
            return draw(st.booleans())
        case T.UUID:
            return draw(st.sampled_from([ID, ID, ID.upper(), ID[1:]]))
        case _:
            return draw(st.sampled_from([*a.values, *a.values, "c"]))


@st.composite
def bodies(draw: st.DrawFn, members: dict[str, Attribute] | Any) -> dict[str, Any]:
    """Most of the members, now and then one that does not exist."""
    found = {n: draw(values(m)) for n, m in members.items() if draw(st.integers(0, 9)) > 0}
    if draw(st.integers(0, 29)) == 0:
        found["unknown"] = draw(ANYTHING)
    return found
