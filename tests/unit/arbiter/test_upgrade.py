"""Bindings that an older release stored: without levels, and without what their controllers answered."""

from gluon.arbiter import bindings, replies, tables
from gluon.arbiter.bindings import State
from gluon.model.types import Role
from gluon.objects import codec, keys, status
from gluon.spi.ports import Rule
from tests.unit.arbiter.parts import API, Port
from tests.unit.arbiter.test_course import known


def older() -> Port:
    """A bound port as it was stored before."""
    port = Port()
    port.put(Rule.NEUTRON, {Role.HOST: "A"})
    port.bound("A")
    row = port.view.held[tables.BINDING]["p", "A"]
    port.view.held[tables.BINDING]["p", "A"] = {**row, "levels": None, "answers": None}
    resource = known().by_name[API, "Port"]
    stored = dict.fromkeys(resource.records.read) | {
        resource.records.key_column: "p",
        "_project": "x",
        "_revision": 1,
    }
    port.view.held[resource.table] = {("p",): stored}
    port.view.keys[resource.table] = (resource.records.key_column,)
    return port


def told(port: Port, report: status.Report | None) -> bindings.Binding:
    key = keys.StatusKey(controller="one", shard="*", api=API, object_type="Port", key="p")
    value = codec.encode(report) if report is not None else None
    port.view.take(replies.Replies(known(), port.assigner, [(key, value)]).decide(port.view))
    return port.held[0]


def test_it_is_up_when_its_controller_says_so_again() -> None:
    port = older()
    before = port.held[0]
    assert (before.levels, before.answers, before.up) == ((), {}, False)
    said = {"A": status.BindingReport(epoch=before.epoch, vif_type="ovs", up=True)}
    after = told(port, status.Report(observed_revision=1, bindings=said))
    assert after.up
    known_as = port.view.get(tables.PORT, "p")
    assert known_as is not None
    assert known_as["status"] == "ACTIVE"


def test_it_is_cleared_when_its_controller_has_nothing_left_of_it() -> None:
    port = older()
    port.put(Rule.NEUTRON, {Role.HOST: None})
    assert port.held[0].state is State.UNBINDING
    assert told(port, None).state is State.UNBOUND
