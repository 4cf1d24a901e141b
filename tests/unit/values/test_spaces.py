"""Spaces of values: a set in an order, whatever ranges it is written with."""

from __future__ import annotations

import ipaddress
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.values import identifier
from gluon.values.route_target import RouteDistinguisher, RouteTarget
from gluon.values.space import Addresses, Codec, Communities, Macs, Numbers, Space

INTERVALS = st.lists(
    st.tuples(st.integers(-50, 200), st.integers(0, 40)).map(lambda p: (p[0], p[0] + p[1])), max_size=12
)


def values(space: Space) -> list[int | str]:
    return [space.codec.value(space.at(n)) for n in range(space.size)]


def space(codec: Codec, *ranges: str, exclude: tuple[str, ...] = ()) -> Space:
    return Space.of(codec, ranges, exclude)


@given(INTERVALS, INTERVALS)
def test_a_space_is_its_ranges_in_order_without_what_is_excluded(
    ranges: list[tuple[int, int]], exclude: list[tuple[int, int]]
) -> None:
    made = Space.of(Numbers(), [f"{a}-{b}" for a, b in ranges], [f"{a}-{b}" for a, b in exclude])
    out = {n for a, b in exclude for n in range(a, b + 1)}
    expected = list(dict.fromkeys(n for a, b in ranges for n in range(a, b + 1) if n not in out))
    assert values(made) == expected and made.size == len(expected)
    for n in range(-60, 250):
        assert made.position(n) == (expected.index(n) if n in expected else None)
        assert (n in made) == (n in expected)


@given(INTERVALS, INTERVALS)
def test_one_order_of_values_has_one_digest(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    first, second = (Space.of(Numbers(), [f"{a}-{b}" for a, b in r]) for r in (one, other))
    assert (first.digest == second.digest) == (values(first) == values(second))
    same = Space.of(Numbers(), [str(n) for n in values(first)])
    assert same.digest == first.digest and same.intervals == first.intervals


@given(INTERVALS, INTERVALS)
def test_a_space_begins_with_another(one: list[tuple[int, int]], more: list[tuple[int, int]]) -> None:
    first = Space.of(Numbers(), [f"{a}-{b}" for a, b in one])
    second = Space.of(Numbers(), [f"{a}-{b}" for a, b in (*one, *more)])
    assert second.begins_with(first.digest, first.size)
    assert first.begins_with(second.digest, second.size) == (first.digest == second.digest)
    turned = Space.of(Numbers(), [f"{a}-{b}" for a, b in reversed(one)])
    assert turned.begins_with(first.digest, first.size) == (values(turned) == values(first))


@pytest.mark.parametrize(
    ("prefix", "first", "last", "size"),
    [
        ("192.0.2.0/24", "192.0.2.1", "192.0.2.254", 254),
        ("192.0.2.0/30", "192.0.2.1", "192.0.2.2", 2),
        ("192.0.2.0/31", "192.0.2.0", "192.0.2.1", 2),
        ("192.0.2.7/32", "192.0.2.7", "192.0.2.7", 1),
        ("10.0.0.0/8", "10.0.0.1", "10.255.255.254", 2**24 - 2),
        ("0.0.0.0/0", "0.0.0.1", "255.255.255.254", 2**32 - 2),
        ("2001:db8::/64", "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", 2**64 - 1),
        ("2001:db8::/126", "2001:db8::1", "2001:db8::3", 3),
        ("2001:db8::/127", "2001:db8::", "2001:db8::1", 2),
        ("2001:db8::5/128", "2001:db8::5", "2001:db8::5", 1),
        ("::/0", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2**128 - 1),
        ("::ffff:192.0.2.0/120", "::ffff:192.0.2.1", "::ffff:192.0.2.255", 255),
    ],
)
def test_the_network_keeps_its_own_addresses(prefix: str, first: str, last: str, size: int) -> None:
    made = space(Addresses(), prefix)
    assert made.size == size
    assert [made.codec.value(made.at(n)) for n in (0, size - 1)] == [first, last]
    assert first in made and last in made


def test_a_range_or_a_wider_prefix_may_hold_them() -> None:
    made = space(Addresses(), "192.0.2.0/25", "192.0.2.0-192.0.2.1", "192.0.2.127")
    assert made.size == 128 and values(made)[-2:] == ["192.0.2.0", "192.0.2.127"]


def test_an_excluded_prefix_is_excluded_whole() -> None:
    made = space(
        Addresses(), "192.0.2.0/24", exclude=("192.0.2.0/25", "192.0.2.254", "192.0.2.200-192.0.2.253")
    )
    assert str(made) == "192.0.2.128-192.0.2.199" and "192.0.2.127" not in made


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**128 - 1))
def test_both_families_in_one_space(four: int, six: int) -> None:
    codec = Addresses()
    for address in (ipaddress.IPv4Address(four), ipaddress.IPv6Address(six)):
        text = codec.value(codec.number(str(address)))
        assert ipaddress.ip_address(text) == address
        assert str(address) in space(codec, "0.0.0.0-255.255.255.255", "::/0", "::")


def test_any_form_of_a_value_is_found() -> None:
    assert "2001:DB8:0:0::0001" in space(Addresses(), "2001:db8::/64")
    assert "FA-16-3E-00-00-07" in space(Macs(), "fa:16:3e:00:00:00-fa:16:3e:00:00:ff")
    assert "065000:007" in space(Communities(RouteTarget), "65000:1-65000:9")
    asn = Numbers(identifier.ASN.low, identifier.ASN.high, parse=identifier.ASN.parse)
    assert "1.10" in space(asn, "1.0-1.20") and 65546 in space(asn, "65540-65550")


@pytest.mark.parametrize("wrong", [True, None, 1.5, "x", "", "²", "1_0", [], "10.0.0.1"])
def test_what_is_no_value_is_not_in_the_space(wrong: object) -> None:
    assert wrong not in space(Numbers(), "0-100")
    assert wrong not in space(Numbers(template="a{}"), "0-100")
    if wrong != "10.0.0.1":
        assert wrong not in space(Addresses(), "10.0.0.0/8")
    assert wrong not in space(Macs(), "00:00:00:00:00:00/8")
    assert wrong not in space(Communities(RouteTarget), "65000:0-65000:99")


def test_macs() -> None:
    made = space(Macs(), "fa:16:3e:00:00:00/24", exclude=("fa:16:3e:00:00:00-fa:16:3e:00:00:0f",))
    assert made.size == 2**24 - 16 and made.codec.value(made.at(0)) == "fa:16:3e:00:00:10"
    assert values(space(Macs(), "fa163e000001")) == ["fa:16:3e:00:00:01"]


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ("65000:9-65000:11", ["65000:9", "65000:10", "65000:11"]),
        ("4200000000:1-4200000000:2", ["4200000000:1", "4200000000:2"]),
        ("192.0.2.1:65534-192.0.2.1:65535", ["192.0.2.1:65534", "192.0.2.1:65535"]),
    ],
)
@pytest.mark.parametrize("kind", [RouteTarget, RouteDistinguisher])
def test_communities(
    kind: type[RouteTarget] | type[RouteDistinguisher], ranges: str, expected: list[str]
) -> None:
    assert values(space(Communities(kind), ranges)) == expected


def test_a_template_makes_texts_of_numbers() -> None:
    made = space(Numbers(0, template="65000:{}"), "8-11")
    assert values(made) == ["65000:8", "65000:9", "65000:10", "65000:11"]
    assert "65000:08" not in made and "65000:10" in made and "65001:10" not in made and 10 not in made
    with pytest.raises(ValueError, match="once"):
        Numbers(0, template="{}:{}")


@pytest.mark.parametrize(
    ("codec", "text", "why"),
    [
        (Numbers(), "5-3", "ends before it begins"),
        (Numbers(), "a-b", "not a range such as"),
        (Numbers(), "1-2-3", "not a range such as"),
        (Numbers(1, 4094), "0-7", "0 is not from 1 to 4094"),
        (Numbers(1, 4094), "4000-4095", "4095 is not from 1 to 4094"),
        (Numbers(template="a{}"), "-3--1", "no negative"),
        (Addresses(), "10.0.0.1/24", "host bits"),
        (Addresses(), "10.0.0.0/33", "from 0 to 32"),
        (Addresses(), "fe80::/x", "from 0 to 128"),
        (Addresses(), "10.0.0.0-fe80::", "in one family and ends"),
        (Addresses(4), "fe80::/64", "not an IPv4 address"),
        (Addresses(6), "10.0.0.0/8", "not an IPv6 address"),
        (Addresses(), "fe80::1%eth0", "zone"),
        (Addresses(), "10.0.0", "not an IP address"),
        (Macs(), "fa:16:3e:00:00:01/24", "bits set"),
        (Macs(), "fa:16:3e:00:00:00/49", "from 0 to 48"),
        (Communities(RouteTarget), "65000:1-65001:1", "administrator"),
        (Communities(RouteTarget), "65000", "route target"),
    ],
)
def test_a_text_that_is_no_range_is_named(codec: Codec, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Space.of(codec, [text])


@given(st.text(alphabet="0123456789abf:.-/{} ", max_size=20))
def test_any_text_is_a_range_or_a_plain_error(text: str) -> None:
    for codec in (Numbers(), Numbers(template="x{}"), Addresses(), Macs(), Communities(RouteTarget)):
        try:
            made = Space.of(codec, [text])
        except ValueError:
            continue
        assert made.size and made.codec.value(made.at(0)) in made


def test_ten_thousand_ranges_and_a_space_of_any_size_are_quick() -> None:
    began = time.process_time()
    many = Space.of(Numbers(), [f"{n}-{n + 5}" for n in range(0, 200_000, 20)], ["7-100003"])
    wide = space(Addresses(), "10.0.0.0/8", "2001:db8::/32", exclude=("10.0.0.0/30",))
    for _ in range(1000):
        assert many.position(199_983) is not None and wide.number("2001:db8:1::7") is not None
    assert time.process_time() - began < 5


@given(ranges=INTERVALS, low=st.integers(-60, 250), length=st.integers(0, 60))
def test_a_part_is_what_lies_in_a_range(ranges: list[tuple[int, int]], low: int, length: int) -> None:
    space = Space.of(Numbers(), [f"{a}-{b}" for a, b in ranges])
    part = space.within(f"{low}-{low + length}")
    found = [space.at(p) for a, b in part.ranges for p in range(a, b + 1)]
    every = [space.at(p) for p in range(space.size)]
    assert found == [n for n in every if low <= n <= low + length]
    assert [n for p, n in enumerate(every) if part.has(p)] == found


def test_families_come_in_the_order_of_their_first_addresses() -> None:
    space = Space.of(
        Addresses(), ["2001:db8::/126", "192.0.2.0/30", "2001:db8::10-2001:db8::11"], ["2001:db8::1"]
    )
    six, four = space.families
    assert (six.name, six.ranges) == ("IPv6", ((0, 1), (4, 5)))
    assert (four.name, four.ranges) == ("IPv4", ((2, 3),))
    assert [part.ranges for part in Space.of(Addresses(), ["192.0.2.0/30", "10.0.0.1"]).families] == [
        ((0, 2),)
    ]
    assert Space.of(Addresses(), []).families == ()
    assert [part.ranges for part in Space.of(Numbers(), ["1-2", "7-9"]).families] == [((0, 4),)]
