"""Reports of several controllers on one port that are stored in one unit, as the leader stores them."""

from __future__ import annotations

from typing import Any

from gluon.arbiter import replies
from gluon.arbiter.bindings import State
from gluon.model import loader
from gluon.model.types import Role
from gluon.objects import codec, keys, status
from gluon.proton import registry
from gluon.spi import store
from gluon.spi.ports import Rule
from tests.unit.arbiter.parts import API, Port, shim


def test_what_each_says_is_kept() -> None:
    known = registry.Registry([m for m in loader.load_catalog() if m.name == API and m.version == "1.0"])
    resource = known.by_name[API, "Port"]
    port = Port(shim("fabric", level=0), shim("host", level=1))
    row: store.Row = dict.fromkeys(resource.records.read)
    row |= {resource.records.key_column: "p", "_project": "x", "_revision": 1, "_written": None}
    port.view.held[resource.table] = {("p",): row}
    port.view.keys[resource.table] = (resource.records.key_column,)
    port.put(Rule.NEUTRON, {Role.HOST: "A"})
    epoch = port.held[0].epoch

    def say(**words: Any) -> None:
        said = status.Report(observed_revision=1, bindings={"A": status.BindingReport(epoch=epoch, **words)})
        value = codec.encode(said) if words else None
        items = [
            (keys.StatusKey(controller=name, shard="*", api=API, object_type="Port", key="p"), value)
            for name in ("fabric", "host")
        ]
        port.view.take(replies.Replies(known, port.assigner, items).decide(port.view))

    say(vif_type="ovs")
    assert [b.state for b in port.held] == [State.BOUND]
    say(vif_type="ovs", up=True)
    assert port.held[0].up
    port.put(Rule.NEUTRON, {Role.HOST: None})
    say()
    assert [b.state for b in port.held] == [State.UNBOUND]
