"""Values of pools that come and go with the objects which hold them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gluon import errors
from gluon.model.types import Format, Pool, PoolUse
from gluon.proton import upkeep
from tests.unit.proton.parts import Engine, T, attribute, engine, many, model, object_type, reference, settled

SUBNET = attribute(
    "subnets",
    T.OBJECT,
    members={
        "cidr": attribute("cidr", value_format=Format.CIDR, format=Format.CIDR),
        "gateway": attribute("gateway", value_format=Format.IPV4, format=Format.IPV4),
    },
)
SUPPLIED = model(
    object_type(
        "Net",
        attribute("vni", T.INTEGER, pool=PoolUse(name="vnis"), required=True, nullable=False),
        many("subnets", SUBNET),
        pools={
            "addresses": Pool(
                name="addresses",
                type=T.STRING,
                format=Format.IPV4,
                source="subnets.cidr",
                exclude=("subnets.gateway",),
            )
        },
    ),
    object_type(
        "Port",
        reference("net", "Net", "cascade"),
        attribute(
            "address",
            value_format=Format.IPV4,
            format=Format.IPV4,
            pool=PoolUse(name="addresses", through="net"),
        ),
        reference("spare", "Net", "unset"),
        attribute("label", T.INTEGER, pool=PoolUse(name="labels")),
    ),
    pools={
        "vnis": Pool(name="vnis", type=T.INTEGER, format=Format.VNI, ranges=("100-102",), rest=0),
        "labels": Pool(name="labels", type=T.INTEGER, ranges=("16-4000",)),
    },
)
TEN = [{"cidr": "10.0.0.0/29", "gateway": "10.0.0.1"}]
ELEVEN = [{"cidr": "11.0.0.0/29"}]


@pytest.fixture
async def supplied(tmp_path: Path) -> AsyncIterator[Engine]:
    async with engine(tmp_path, SUPPLIED) as running:
        yield running
        await settled(running)


async def test_values_of_the_model_are_taken_given_and_released(supplied: Engine) -> None:
    made = [await supplied.make("Net", f"n{n}", **({"vni": 101} if n == 0 else {})) for n in range(3)]
    assert [m["vni"] for m in made] == [101, 100, 102]
    with pytest.raises(errors.Conflict, match="vnis is exhausted") as raised:
        await supplied.make("Net", "n3")
    assert raised.value.code == "pool_exhausted"
    with pytest.raises(errors.Conflict, match="101 of pool vnis is in use"):
        await supplied.make("Net", "n3", vni=101)
    with pytest.raises(errors.Invalid) as outside:
        await supplied.make("Net", "n3", vni=99)
    assert outside.value.problems[0].pointer == "/vni"
    await supplied.delete("Net", "n0")
    assert (await supplied.make("Net", "n3"))["vni"] == 101
    with pytest.raises(errors.Invalid):
        await supplied.put("Net", "n3", vni=None)


async def test_a_value_changes_and_goes(supplied: Engine) -> None:
    await supplied.make("Net", "n1", vni=100)
    assert (await supplied.put("Net", "n1", vni=102))["vni"] == 102
    await supplied.put("Net", "n1", vni=102)
    assert (await supplied.make("Net", "n2", vni=100))["vni"] == 100
    await supplied.make("Port", "p1")
    assert (await supplied.put("Port", "p1", label=None))["label"] is None
    assert (await supplied.put("Port", "p1", label=20))["label"] == 20


async def test_addresses_come_from_the_object_referred_to(supplied: Engine) -> None:
    await supplied.make("Net", "n1", subnets=TEN)
    await supplied.make("Net", "n2", subnets=ELEVEN)
    first = await supplied.make("Port", "p1", net="n1")
    assert first["address"] == "10.0.0.2"
    assert (await supplied.make("Port", "p2", net="n1", address="10.0.0.4"))["address"] == "10.0.0.4"
    moved = await supplied.put("Port", "p1", net="n2")
    assert moved["address"].startswith("11.0.0.")
    back = await supplied.put("Port", "p1", net="n1", address="10.0.0.2")
    assert back["address"] == "10.0.0.2"
    alone = await supplied.put("Port", "p1", net=None)
    assert alone["address"] is None
    assert (await supplied.make("Port", "p3"))["address"] is None
    assert (await supplied.make("Port", "p4", net="n1", address=None))["address"] is None


async def test_a_pool_goes_with_its_object_and_what_cascades(supplied: Engine) -> None:
    await supplied.make("Net", "n1", subnets=TEN)
    for n in range(3):
        await supplied.make("Port", f"p{n}", net="n1")
    await supplied.delete("Net", "n1")
    assert not await supplied.state()
    ids = {str(row["pool"]) for row in await supplied.select("gluon_pool_value")}
    assert ids == {"graph/vnis", "graph/labels"}


async def test_ranges_may_change_while_no_value_in_use_is_left_out(supplied: Engine) -> None:
    await supplied.make("Net", "n1", subnets=TEN)
    await supplied.make("Port", "p1", net="n1")
    with pytest.raises(errors.Conflict, match=r"must keep 10\.0\.0\.2") as raised:
        await supplied.put("Net", "n1", subnets=ELEVEN)
    assert raised.value.code == "pool_in_use"
    await supplied.put("Net", "n1", subnets=[*ELEVEN, *TEN])
    await supplied.delete("Port", "p1")
    await supplied.put("Net", "n1", subnets=ELEVEN)
    assert (await supplied.make("Port", "p2", net="n1"))["address"].startswith("11.")


async def test_objects_of_a_project_look_at_the_same_unless_they_choose(supplied: Engine) -> None:
    port = supplied.known.by_name["graph", "Port"]
    usual = upkeep.reads(port, {}, "p")
    assert [one.values for one in usual] == [("graph/labels",)]
    assert upkeep.reads(port, {"key": "k"}, "p") is usual
    assert {one.table for one in upkeep.reads(port, {"label": 17}, "p")} == {"gluon_pool", "gluon_pool_value"}
    through = upkeep.reads(port, {"net": "n"}, "p")
    assert [one.values for one in through] == [("graph/Net/n/addresses",), ("graph/labels",)]
