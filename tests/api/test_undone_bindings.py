"""Change sets that bound, moved or unbound a port are taken back, or say what of that is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api

V = "/gluon/v1/changesets"
M, N = "6d5f1c1e-0d7c-4c39-9a37-1f6f5b1b0a01", "6d5f1c1e-0d7c-4c39-9a37-1f6f5b1b0a02"


@pytest.mark.parametrize("anywhere", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("before", "change", "after", "told"),
    [
        ({}, {"host_id": "host-1", "device_id": M}, (None, None), None),
        ({"device_id": M}, {"host_id": "host-1"}, ("host-1", M), "the port was bound to no host: unbind it"),
        ({"host_id": "host-1", "device_id": M}, {"host_id": None, "device_id": None}, ("host-1", M), None),
        ({"host_id": "host-1", "device_id": M}, {"host_id": "host-2"}, ("host-1", M), None),
        ({"host_id": "host-1", "device_id": M}, {"device_id": N}, ("host-1", M), None),
    ],
)  # fmt: skip
def test_a_binding_is_taken_back_or_it_is_said_that_it_is_not(
    api_anywhere: Api, before: Any, change: Any, after: Any, told: str | None
) -> None:
    port = api_anywhere.port()
    path = f"ports/{port['id']}"
    if before:
        assert api_anywhere("PUT", path, before)[0] == 200
    another = {"op": "create", "api": "net-l3vpn", "plural": "ports", "body": api_anywhere.port_body()}
    named = {"op": "update", "api": "net-l3vpn", "plural": "ports", "key": port["id"], "body": change}
    status, done = api_anywhere.server.request("POST", V, {"changes": [named, another]})
    assert status == 201, done
    status, undone = api_anywhere.server.request("POST", f"{V}/{done['id']}/undo")
    assert status == 201, undone
    assert [n["why"] for n in undone["not_undone"]] == ([told] if told else [])
    found = api_anywhere("GET", path)[1]
    assert (found["host_id"] or None, found["device_id"] or None) == after
    assert (found["vif_type"] in {"", None, "unbound"}) == (after == (None, None)), found
