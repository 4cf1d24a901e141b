"""Which networks an event is about."""

from typing import Any

from gluon.hosted import ids
from gluon.hosted.touched import Touched

PROTONS: list[dict[str, Any]] = [
    {
        "name": "net",
        "types": {
            "Vpn": {"kind": "service", "attributes": {"id": {"type": "uuid"}}},
            "Port": {"kind": "port", "attributes": {"id": {"type": "uuid"}}},
            "Binding": {
                "kind": "binding",
                "attributes": {
                    "vpn": {"type": "reference", "reference": "Vpn"},
                    "port": {"type": "reference", "reference": "Port"},
                },
            },
        },
    }
]


def event(kind: str, key: str, **more: Any) -> dict[str, Any]:
    return {"type": "MODIFIED", "api": "net", "kind": kind, "key": key, **more}


def network(key: str) -> str:
    return ids.of_service("net", "Vpn", key)


def test_a_service_is_its_network() -> None:
    assert Touched(PROTONS).by(event("Vpn", "v", object={"id": "v"})) == {network("v")}


def test_what_joins_to_a_service_names_it_before_and_after() -> None:
    states = {"object": {"vpn": "v", "port": "p"}, "old": {"vpn": "w", "port": "p"}}
    assert Touched(PROTONS).by(event("Binding", "b", **states)) == {network("v"), network("w")}


def test_what_names_no_service_is_about_none() -> None:
    touched = Touched(PROTONS)
    assert touched.by(event("Port", "p", object={"id": "p"})) == set()
    assert touched.by(event("Binding", "b", object={"vpn": None, "port": "p"})) == set()


def test_a_type_that_was_not_there_is_told() -> None:
    assert Touched(PROTONS).by(event("Wavelength", "w", object={})) is None


def test_two_versions_of_a_proton_are_one() -> None:
    older = {"name": "net", "types": {"Binding": {"kind": "binding", "attributes": {}}}}
    found = Touched([*PROTONS, older]).by(event("Binding", "b", object={"vpn": "v"}))
    assert found == {network("v")}
