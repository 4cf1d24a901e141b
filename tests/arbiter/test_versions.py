"""A binding is given to a shim that understands the stored version of its proton, and to no other."""

from __future__ import annotations

import msgspec
import pytest

from gluon.arbiter import assign
from gluon.objects import status

OLD = status.Registration(
    controller="old",
    instance="1",
    backend="old",
    level=1,
    hosts=("*",),
    apis={"net-l3vpn": ("1.0",)},
    vnic_types=(),
    deadline=10.0,
)
BOTH = msgspec.structs.replace(
    OLD, controller="second", apis={"net-l3vpn": ("1.0", "2.0"), "net-l2": ("2.0",)}
)


def chosen(api: str, *versions: str) -> list[str]:
    found = assign.candidates([OLD, BOTH], api=api, versions=versions, host="a", vnic_type="normal")
    return [one.controller for one in found]


@pytest.mark.parametrize(
    ("api", "version", "controllers"),
    [
        ("net-l3vpn", "1.0", ["old", "second"]),
        ("net-l3vpn", "2.0", ["second"]),
        ("net-l3vpn", "3.0", []),
        ("net-l2", "2.0", ["second"]),
        ("net-l2", "1.0", []),
    ],
)
def test_a_shim_is_asked_for_versions_that_it_understands(
    api: str, version: str, controllers: list[str]
) -> None:
    assert chosen(api, version) == controllers


def test_a_shim_is_asked_for_a_version_that_objects_can_be_shown_in() -> None:
    assert chosen("net-l3vpn", "3.0", "1.0") == ["old", "second"]
    assert chosen("net-l3vpn", "3.0", "2.0") == ["second"]


def test_who_is_there_is_named_where_nobody_understands() -> None:
    text = assign.explain([OLD], api="net-l3vpn", versions=("2.0",), host="a", vnic_type="normal")
    assert "net-l3vpn 2.0" in text
    assert "old" in text
