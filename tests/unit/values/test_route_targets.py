"""Route targets and route distinguishers: read, bounded, written back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.values.route_target import (
    Administrator,
    RouteDistinguisher,
    RouteTarget,
    parse_route_targets,
)

WIDE, NARROW = 0xFFFFFFFF, 0xFFFF

targets = st.one_of(
    st.builds(RouteTarget, st.just(Administrator.AS2), st.integers(0, NARROW), st.integers(0, WIDE)),
    st.builds(RouteTarget, st.just(Administrator.IPV4), st.integers(0, WIDE), st.integers(0, NARROW)),
    st.builds(RouteTarget, st.just(Administrator.AS4), st.integers(NARROW + 1, WIDE), st.integers(0, NARROW)),
)


@given(targets)
def test_a_route_target_is_read_back_as_it_was_written(target: RouteTarget) -> None:
    assert RouteTarget.parse(str(target)) == target


@pytest.mark.parametrize(
    ("text", "kind", "administrator", "number"),
    [
        ("65000:100", Administrator.AS2, 65000, 100),
        ("0:4294967295", Administrator.AS2, 0, WIDE),
        ("65536:65535", Administrator.AS4, 65536, NARROW),
        ("192.0.2.1:7", Administrator.IPV4, 0xC0000201, 7),
        (" 65000:100 ", Administrator.AS2, 65000, 100),
    ],
)
def test_the_administrator_says_how_wide_the_number_is(
    text: str, kind: Administrator, administrator: int, number: int
) -> None:
    assert RouteTarget.parse(text) == RouteTarget(kind, administrator, number)
    assert RouteDistinguisher.parse(text) == RouteDistinguisher(kind, administrator, number)


@pytest.mark.parametrize(
    "text",
    ["", ":", "65000", "65000:", ":1", "65000:4294967296", "65536:65536", "4294967296:1", "192.0.2.1:65536",
     "192.0.2:1", "192.0.2.256:1", "-1:1", "1:-1", "a:b", "1:2:3", "1 : 2", "1" * 11 + ":1", "٣:1"],
)  # fmt: skip
def test_what_is_out_of_bounds_or_no_pair_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a route target"):
        RouteTarget.parse(text)
    with pytest.raises(ValueError, match="is not a route distinguisher"):
        RouteDistinguisher.parse(text)


def test_a_route_distinguisher_has_no_order() -> None:
    first, second = RouteDistinguisher.parse("1:1"), RouteDistinguisher.parse("1:2")
    with pytest.raises(TypeError):
        sorted([second, first])  # type: ignore[type-var]


def test_a_list_of_route_targets_names_each_once_in_order() -> None:
    found = parse_route_targets("65000:2, 65000:1,65000:2 ,192.0.2.1:1")
    assert [str(target) for target in found] == ["65000:2", "65000:1", "192.0.2.1:1"]


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_list_of_route_targets_is_empty(text: str) -> None:
    assert parse_route_targets(text) == ()


@pytest.mark.parametrize("text", [",", "65000:1,", "65000:1 65000:2"])
def test_a_list_with_a_hole_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="route target"):
        parse_route_targets(text)
