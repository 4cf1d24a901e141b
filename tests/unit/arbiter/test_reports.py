"""Reports of several controllers on one port that are stored in one unit, as the leader stores them."""

from __future__ import annotations

from typing import Any

import pytest

from gluon.arbiter import replies
from gluon.arbiter.bindings import State
from gluon.model import loader
from gluon.model.types import Role
from gluon.objects import codec, keys, status
from gluon.proton import registry
from gluon.spi import store
from gluon.spi.ports import Rule
from tests.unit.arbiter.parts import API, Port, shim

KNOWN = registry.Registry([m for m in loader.load_catalog() if m.name == API and m.version == "1.0"])


def asked() -> Port:
    """A port that two controllers are to bind."""
    resource = KNOWN.by_name[API, "Port"]
    port = Port(shim("fabric", level=0), shim("host", level=1))
    row: store.Row = dict.fromkeys(resource.records.read)
    row |= {resource.records.key_column: "p", "_project": "x", "_revision": 1, "_written": None}
    port.view.held[resource.table] = {("p",): row}
    port.view.keys[resource.table] = (resource.records.key_column,)
    port.put(Rule.NEUTRON, {Role.HOST: "A"})
    return port


def item(name: str, value: bytes | None) -> replies.Item:
    return keys.StatusKey(controller=name, shard="*", api=API, object_type="Port", key="p"), value


def report(epoch: int, **words: Any) -> bytes:
    said = status.Report(observed_revision=1, bindings={"A": status.BindingReport(epoch=epoch, **words)})
    return codec.encode(said)


def test_what_each_says_is_kept() -> None:
    port = asked()
    epoch = port.held[0].epoch

    def say(**words: Any) -> None:
        value = report(epoch, **words) if words else None
        items = [item(name, value) for name in ("fabric", "host")]
        port.view.take(replies.Replies(KNOWN, port.assigner, items).decide(port.view))

    say(vif_type="ovs")
    assert [b.state for b in port.held] == [State.BOUND]
    say(vif_type="ovs", up=True)
    assert port.held[0].up
    port.put(Rule.NEUTRON, {Role.HOST: None})
    say()
    assert [b.state for b in port.held] == [State.UNBOUND]


@pytest.mark.parametrize("late", [{"vif_type": "ovs"}, {"refused": "Later"}])
def test_who_waits_covers_nothing_newer_that_a_controller_has_said_meanwhile(late: dict[str, str]) -> None:
    """He took the first answer and stood still, while the leader stored the next one."""
    port = asked()
    epoch = port.held[0].epoch

    def say(name: str, *, waiter: bool, **words: Any) -> None:
        items = [item(name, report(epoch, **words))]
        port.view.take(replies.Replies(KNOWN, port.assigner, items, waiter=waiter).decide(port.view))

    say("fabric", waiter=False, vif_type="ovs", up=True)
    say("fabric", waiter=True, **late)
    say("host", waiter=True, vif_type="ovs", up=True)
    assert [b.state for b in port.held] == [State.BOUND]
    assert port.held[0].up
