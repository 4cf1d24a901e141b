"""By which rule a request binds: that of a proton, or Neutron's, by which the host alone decides."""

import pytest

from gluon.arbiter.bindings import State
from gluon.model.types import Role
from gluon.spi import store
from gluon.spi.ports import Rule
from tests.unit.arbiter.parts import Port, shim

HOST, DEVICE, PROFILE, VNIC = Role.HOST, Role.DEVICE, Role.PROFILE, Role.VNIC_TYPE


def states(port: Port) -> dict[str, tuple[str, bool]]:
    return {b.host: (b.state.value, b.active) for b in port.held}


def test_the_host_alone_binds_by_neutrons_rule_and_by_a_protons_host_and_device_do() -> None:
    port = Port()
    _, wait = port.put(Rule.NEUTRON, {HOST: "A"})
    assert wait is not None
    assert wait.host == "A"
    assert states(port) == {"A": ("Binding", True)}
    port = Port()
    assert port.put(Rule.PROTON, {HOST: "A"}) == ({}, None)
    assert states(port) == {}
    _, wait = port.put(Rule.PROTON, {DEVICE: "vm"})
    assert wait is not None


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_host_unbinds_by_neutrons_rule_whatever_the_device(empty: store.Value) -> None:
    port = Port()
    port.put(Rule.NEUTRON, {HOST: "A", DEVICE: "vm"})
    port.bound("A")
    shown, wait = port.put(Rule.NEUTRON, {HOST: empty})
    assert wait is None
    assert shown == {Role.VIF_TYPE: None, Role.VIF_DETAILS: "{}"}
    assert states(port) == {"A": ("Unbinding", False)}
    port.put(Rule.NEUTRON, {HOST: empty})
    assert port.entries == []


@pytest.mark.parametrize(
    "given", [{DEVICE: ""}, {DEVICE: "other"}, {Role.NAME: "x"}, {PROFILE: '{"migrating_to":"B"}'}]
)
def test_what_names_no_host_leaves_a_bound_port_bound(given: dict[Role, store.Value]) -> None:
    port = Port()
    port.put(Rule.NEUTRON, {HOST: "A", DEVICE: "vm"})
    before = port.bound("A")
    _, wait = port.put(Rule.NEUTRON, given)
    assert wait is None
    after = port.active
    assert after is not None
    assert (after.state, after.epoch) == (State.BOUND, before.epoch)


def test_shims_are_told_of_the_profile_and_the_device_under_the_same_epoch() -> None:
    port = Port()
    port.put(Rule.NEUTRON, {HOST: "A"})
    epoch = port.bound("A").epoch
    port.put(Rule.NEUTRON, {PROFILE: '{"migrating_to":"B"}'})
    assert port.entries == ["update"]
    port.put(Rule.PROTON, {DEVICE: "vm"})
    after = port.active
    assert after is not None
    assert (after.profile, after.device_id, after.epoch) == ({"migrating_to": "B"}, "vm", epoch)
    port.put(Rule.NEUTRON, {PROFILE: '{"migrating_to":"B"}', Role.NAME: "x"})
    assert port.entries == []


def test_another_host_binds_anew_and_nobody_waits_for_the_old_one() -> None:
    port = Port()
    port.put(Rule.NEUTRON, {HOST: "A"})
    old = port.bound("A")
    _, wait = port.put(Rule.NEUTRON, {HOST: "B"})
    assert wait is not None
    assert wait.host == "B"
    assert states(port) == {"A": ("Unbinding", False), "B": ("Binding", True)}
    active = port.active
    assert active is not None
    assert active.epoch > old.epoch


def test_a_repeated_put_joins_a_bind_leaves_a_bound_port_alone_and_tries_a_failed_one_again() -> None:
    port = Port()
    _, first = port.put(Rule.NEUTRON, {HOST: "A"})
    epoch = port.held[0].epoch
    assert port.put(Rule.NEUTRON, {HOST: "A"})[1] == first
    assert port.held[0].epoch == epoch
    port.bound("A")
    assert port.put(Rule.NEUTRON, {HOST: "A"})[1] is None
    assert port.entries == []
    port.store(port.held[0], state=State.FAILED)
    assert port.put(Rule.NEUTRON, {HOST: "A"})[1] == first
    assert port.held[0].epoch > epoch


def test_another_vnic_type_binds_anew_by_neutrons_rule_only() -> None:
    port = Port(shim("one"), shim("two", vnic_types=("direct",)))
    port.put(Rule.NEUTRON, {HOST: "A", DEVICE: "vm", VNIC: "normal"})
    port.bound("A")
    assert port.put(Rule.PROTON, {VNIC: "direct"})[1] is None
    assert port.put(Rule.PROTON, {VNIC: "direct", HOST: "A"})[1] is None
    _, wait = port.put(Rule.NEUTRON, {VNIC: "direct"})
    assert wait is not None
    active = port.active
    assert active is not None
    assert (active.vnic_type, active.state) == ("direct", State.BINDING)


def test_the_host_of_an_alternate_carries_the_traffic_at_once_when_a_put_names_it() -> None:
    port = Port()
    port.put(Rule.NEUTRON, {HOST: "A"})
    source = port.bound("A")
    other = port.store(source, host="B", active=False)
    shown, wait = port.put(Rule.NEUTRON, {HOST: "B"})
    assert wait is None
    assert shown[HOST] == "B"
    assert states(port) == {"A": ("Unbinding", False), "B": ("Bound", True)}
    assert port.active is not None
    assert port.active.epoch == other.epoch


def test_unbinding_takes_alternates_back_too() -> None:
    port = Port()
    port.put(Rule.NEUTRON, {HOST: "A"})
    port.store(port.bound("A"), host="B", active=False)
    port.put(Rule.NEUTRON, {HOST: None})
    assert states(port) == {"A": ("Unbinding", False), "B": ("Unbinding", False)}
