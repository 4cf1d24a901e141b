"""A body that is told at one look asks for what `wishes` finds in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gluon.model import loader
from gluon.model.find import CATALOG
from gluon.model.types import Role
from gluon.neutron import faults, glance, shapes, wishes
from gluon.neutron.asker import Asker
from gluon.proton.registry import Registry
from gluon.spi.policy import Caller
from tests.effort import examples

PROJECTS = ("7a1f7d4e-0e13-4d5c-9f24-e0f6d9b6f3a1", "7a1f7d4e0e134d5c9f24e0f6d9b6f3a1", "some", "", None)
ANY = st.sampled_from(
    [None, "", "a", "x" * 255, "x" * 256, True, False, 0, 1, [], {}, ["a"], {"a": 1}, *PROJECTS]
)
NAMES = st.sampled_from([*sorted(wishes.KNOWN), "status", "colour", "created_at"])
PLAIN = st.fixed_dictionaries(
    {"network_id": st.just("n"), "tenant_id": st.sampled_from(PROJECTS)},
    optional={"name": st.text(max_size=3), "admin_state_up": st.booleans(), "device_id": st.text(max_size=3)},
)


@cache
def known() -> shapes.Shapes:
    return shapes.compiled(Registry(loader.load([CATALOG / "net-l2", CATALOG / "net-l3vpn"])))


def found(wire: shapes.Wire, body: Mapping[str, Any]) -> wishes.Wish | None:
    """What the other way finds."""
    asker = Asker(None, Caller(user="u", admin=True), "req", lambda *_: True)  # type: ignore[arg-type]
    try:
        return wishes.made(asker, wire, body)
    except faults.Fault:
        return None


@settings(max_examples=examples(300))
@given(plain=PLAIN, more=st.dictionaries(NAMES, ANY, max_size=2))
def test_both_find_the_same(plain: dict[str, Any], more: dict[str, Any]) -> None:
    body = {**plain, **more, "network_id": "n"}  # one that is known
    for wire in known().wires.values():
        values = glance.values(glance.table(wire), body)
        if values is not None:
            assert found(wire, body) == wishes.Wish(values, None, None, unbinds=False), body


def test_what_clients_send_is_plain() -> None:
    body = {
        "network_id": "n",
        "tenant_id": PROJECTS[0],
        "project_id": PROJECTS[1],
        "name": "eth",
        "device_id": "vm",
        "device_owner": "compute:nova",
        "mac_address": "fa:16:3e:00:00:01",
        "binding:vnic_type": "normal",
        "admin_state_up": True,
        "security_groups": [],
        "port_security_enabled": False,
    }
    for wire in known().wires.values():
        values = glance.values(glance.table(wire), body)
        assert values is not None
        assert values[wire.attribute(Role.PROJECT) or ""] == PROJECTS[0]
        assert values[wire.attribute(Role.NAME) or ""] == "eth"
