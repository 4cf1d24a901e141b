"""Where a port is stuck: the first stage that is not done, in words with a cure."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gluon.arbiter import account, levels
from gluon.arbiter.bindings import Binding, State
from gluon.objects import status
from gluon.spi import store

PORT: store.Row = {
    "id": "p", "api": "net-l3vpn", "object_type": "Port", "project": "x", "host": None, "name": "web",
    "device_id": "vm", "device_owner": "compute:nova", "status": "DOWN",
}  # fmt: skip
AT = "2026-01-01T00:00:00.000000"
ANSWER = levels.Answer(vif_type="ovs", at=AT)


def binding(**more: Any) -> Binding:
    given: dict[str, Any] = {"state": State.BINDING, "controllers": ("one",), "active": True} | more
    return Binding(
        port="p", host="A", api="net-l3vpn", object_type="Port", project="x", epoch=8, since=AT, **given
    )


def told(epoch: int = 8) -> status.WantedBinding:
    return status.WantedBinding(epoch=epoch, revision=1, controllers=("one",))


def no(kind: str, reason: str, message: str) -> status.Condition:
    return status.Condition(type=kind, status="False", reason=reason, message=message)


BOUND = binding(state=State.BOUND, vif_type="ovs", answers={"one": ANSWER})
UP = dataclasses.replace(BOUND, answers={"one": levels.Answer(vif_type="ovs", up=True, at=AT)})
SAID = status.Report(observed_revision=1, conditions=(no("Plugged", "NotPlugged", "no interface has it"),))

CASES: list[tuple[dict[str, Any], str | None, str, str]] = [
    ({}, "a host was asked for", "nobody asked", "host_id"),
    ({"port": {**PORT, "host": "A"}}, "a host was asked for", "only together with a device_id", "both"),
    ({"held": [binding(state=State.UNBINDING, active=False)]}, "a host was asked for", "one clears up", ""),
    (
        {"held": [binding(controllers=(), message="no controller for this")]},
        "controllers were chosen",
        "no controller for this",
        "start a shim",
    ),
    ({"held": [binding()]}, "they were told", "not in etcd yet", "gluon status"),
    ({"held": [binding()], "wanted": told(7)}, "they were told", "not in etcd yet", "gluon status"),
    (
        {"held": [binding()], "silent": "etcd does not answer"},
        "they were told",
        "does not answer",
        "etcd back",
    ),
    ({"held": [binding()], "wanted": told()}, "they answered", "no answer from one yet", "gluon status"),
    (
        {
            "held": [
                binding(state=State.FAILED, controllers=(), reason="NoRoom", message="full", tried=("one",))
            ]
        },
        "they answered",
        "NoRoom: full",
        "",
    ),
    ({"held": [BOUND]}, "the data plane is up", "says nothing", "its log"),
    (
        {"held": [BOUND], "reports": [("one", "*", SAID)]},
        "the data plane is up",
        "no interface has it",
        "NIC",
    ),
    ({"held": [UP]}, None, "", ""),
]


@pytest.mark.parametrize(("known", "stuck", "words", "cure"), CASES)
def test_the_first_stage_that_is_not_done_says_what_it_waits_for(
    known: dict[str, Any], stuck: str | None, words: str, cure: str
) -> None:
    found = account.stages(account.Known(**{"port": PORT, **known}))
    first = next((s for s in found if s.state != account.DONE), None)
    if first is None:
        assert stuck is None
        return
    assert first.name == stuck
    assert words in first.words
    assert cure in first.cure
    after = found[found.index(first) + 1 :]
    assert {s.state for s in after} <= {account.LATER}
