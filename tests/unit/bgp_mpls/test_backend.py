"""The backend around a delta that fails half-way."""

from __future__ import annotations

import pytest

from gluon.backends.bgp_mpls import actual, desired
from gluon.backends.bgp_mpls.backend import BgpMplsBackend
from gluon.backends.bgp_mpls.speaker import SpeakerGone
from gluon.particles import l3vpn
from gluon.spi.backend import Delta, Ref, Setting
from tests.unit.bgp_mpls.network import HOST, ROUTER, Network

BLUE, RED = desired.scope_of("blue"), desired.scope_of("red")


async def test_a_label_is_free_again_although_the_speaker_went_as_its_vpn_was_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The number has left the switch, and the withdrawal beside it has failed."""
    network = Network()
    network.vpn("blue", "65000:1")
    network.attach("p1", "blue", "10.1.1.5")
    options = {"router_id": ROUTER, "asn": 65000, "bridge": "br-x", "labels": "1000-1000"}
    backend = BgpMplsBackend(Setting(controller="bgp_mpls", host=HOST, options=options))
    kept: dict[str, dict[str, desired.Row]] = {}

    async def fails(delta: Delta) -> None:
        raise SpeakerGone("gobgpd ended")

    async def there(*_: object, **__: object) -> dict[str, dict[str, desired.Row]]:
        return kept

    monkeypatch.setattr(backend._writer, "write", fails)
    monkeypatch.setattr(actual, "read", there)
    rows = backend.desired(network.world, BLUE)
    await backend.actual()
    assert backend.desired(network.world, BLUE) == rows  # what is not written yet keeps its number
    network.world.drop_binding(l3vpn.API, "p1", HOST)
    network.vpn("red", "65000:2")
    network.attach("p2", "red", "10.1.2.5", number=2)
    assert not backend.desired(network.world, BLUE)
    kept[BLUE] = dict(rows)
    await backend.actual()
    assert not backend.desired(network.world, RED)  # as long as the switch has it, it is taken
    kept.clear()
    with pytest.raises(SpeakerGone):
        await backend.apply(Delta(remove=rows))
    await backend.actual()
    assert backend.desired(network.world, RED)


async def test_a_number_beyond_the_range_goes_and_leaves_its_vpn_the_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The range of labels was made smaller, and the shim restarted."""
    network = Network()
    network.vpn("blue", "65000:1")
    network.attach("p1", "blue", "10.1.1.5")
    options = {"router_id": ROUTER, "asn": 65000, "bridge": "br-x", "labels": "1000-1009"}
    backend = BgpMplsBackend(Setting(controller="bgp_mpls", host=HOST, options=options))
    old = desired.KeptNumber(number=500, name="blue")

    async def there(*_: object, **__: object) -> dict[str, dict[str, desired.Row]]:
        return {BLUE: {old.key: old}}

    async def works(delta: Delta) -> None:
        return

    monkeypatch.setattr(backend._writer, "write", works)
    monkeypatch.setattr(actual, "read", there)
    await backend.actual()
    rows = backend.desired(network.world, BLUE)
    await backend.apply(Delta(make=rows, remove={old.key: old}))
    network.vpn("red", "65000:2")
    network.attach("p2", "red", "10.1.2.5", number=2)
    said = backend.status(network.world, Ref(l3vpn.API, l3vpn.SERVICE, "blue"))
    assert said is not None
    assert said.conditions[0].reason != "NoLabel"
    assert backend.desired(network.world, BLUE) == rows
