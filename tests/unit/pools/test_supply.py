"""Pools of every type, made of a model's words."""

from __future__ import annotations

import pytest

from gluon import pools
from gluon.model.types import AttributeType, Format, Pool
from tests.unit.pools.world import World


def pool(form: Format | None, *ranges: str, **more: object) -> Pool:
    kind = AttributeType.STRING
    if form in (None, Format.INT32, Format.INT64, Format.VLAN, Format.VNI, Format.ASN, Format.MPLS_LABEL):
        kind = AttributeType.INTEGER
    return Pool(name="p", type=kind, format=form, ranges=ranges, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (pool(None, "-2-0"), [-2, -1, 0]),
        (pool(Format.INT32, "7", "5-6"), [7, 5, 6]),
        (pool(Format.INT64, f"{2**62}-{2**62 + 1}"), [2**62, 2**62 + 1]),
        (pool(Format.VLAN, "4093-4094"), [4093, 4094]),
        (pool(Format.VNI, "16777214-16777215"), [16777214, 16777215]),
        (pool(Format.ASN, "1.10-1.11"), [65546, 65547]),
        (pool(Format.MPLS_LABEL, "16-17"), [16, 17]),
        (pool(Format.IP, "10.0.0.0/30", "fe80::/127"), ["10.0.0.1", "10.0.0.2", "fe80::", "fe80::1"]),
        (pool(Format.IPV4, "10.0.0.8/30", exclude=("10.0.0.9",)), ["10.0.0.10"]),
        (pool(Format.IPV6, "2001:db8::/126"), ["2001:db8::1", "2001:db8::2", "2001:db8::3"]),
        (pool(Format.MAC, "fa:16:3e:00:00:fe/127"[:-4] + "/47"), ["fa:16:3e:00:00:fe", "fa:16:3e:00:00:ff"]),
        (pool(Format.ROUTE_TARGET, "65000:1-65000:2"), ["65000:1", "65000:2"]),
        (pool(Format.ROUTE_DISTINGUISHER, "192.0.2.1:7"), ["192.0.2.1:7"]),
        (pool(Format.ROUTE_TARGET, "9-10", template="65000:{}"), ["65000:9", "65000:10"]),
        (pool(Format.ROUTE_DISTINGUISHER, "1-2", template="10.0.0.1:{}"), ["10.0.0.1:1", "10.0.0.1:2"]),
    ],
)
def test_every_value_of_a_pool_is_given_in_order(made: Pool, expected: list[int | str]) -> None:
    supply, world = pools.of_model("net", made), World()
    assert world.unit(lambda s: [s.take(supply, "h") for _ in expected]) == expected
    assert world.refused(lambda s: s.take(supply, "h")) == "pool_exhausted"


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (pool(Format.VLAN, "0-10"), "0 is not from 1 to 4094"),
        (pool(Format.IPV4, "fe80::/64"), "not an IPv4 address"),
        (pool(Format.ROUTE_TARGET, "65530-70000", template="4200000000:{}"), "at most 65535"),
        (pool(Format.ROUTE_TARGET, "1-2", template="065000:{}"), "not in the normal form"),
        (pool(Format.ROUTE_TARGET, "1-2", template="65000:{}{}"), "once"),
        (pool(Format.ROUTE_TARGET, "1-2", template="6" * 99 + "{}"), "longer than"),
        (pool(None, "1-2", exclude=("x",)), "not a range"),
    ],
)
def test_a_pool_that_cannot_be(made: Pool, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        pools.of_model("net", made)


def test_a_pool_of_an_object_has_the_values_of_its_attributes_behind_its_own() -> None:
    subnets = pool(Format.IP, "192.0.2.9", source="subnets.cidr", exclude=("subnets.gateway",))
    made = pools.of_object(
        "net", "Network", "n1", subnets, ["10.0.0.0/30", "fd00::/126"], ["10.0.0.1", "fd00::1"]
    )
    assert str(made.space) == "192.0.2.9, 10.0.0.2, fd00::2-fd00::3"
    assert (made.id, made.name) == ("net/Network/n1/p", "pool p of Network n1")
    assert pools.of_object("net", "Network", "n1", subnets, ["10.0.0.0/30"]).space is pools.space(
        subnets, ["10.0.0.0/30"]
    )


def test_ids_are_told_apart_and_fit() -> None:
    ids = {
        pools.model_pool_id("a", "p"),
        pools.object_pool_id("a", "T", "k", "p"),
        pools.object_pool_id("a", "T", "k/p", "p"),
        pools.object_pool_id("a", "T", "k" * 300, "p"),
        pools.object_pool_id("a", "T", "k" * 300, "q"),
        pools.object_pool_id("a", "T", "\ud800" * 300, "q"),
    }
    assert len(ids) == 6 and max(map(len, ids)) <= 255
