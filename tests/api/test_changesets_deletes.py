"""Change sets that delete several objects, some of which go along with others."""

from __future__ import annotations

import itertools

import pytest

from tests.api.conftest import Api

V = "/gluon/v1/changesets"


@pytest.mark.parametrize("order", list(itertools.permutations(["ports", "vpns", "vpnbindings"])))
def test_a_port_its_network_and_what_joins_them_go_in_any_order(
    api_anywhere: Api, order: tuple[str, ...]
) -> None:
    api, port = api_anywhere, api_anywhere.port()
    vpn = api("POST", "vpns", {"tenant_id": api.project, "name": "red"})[1]
    joins = {
        "interface_id": port["id"],
        "service_id": vpn["id"],
        "ipaddress": "10.0.0.5",
        "subnet_prefix": 24,
    }
    body = {"tenant_id": api.project, "gateway": "10.0.0.1", **joins}
    assert api("POST", "vpnbindings", body)[0] == 201
    keys = {"ports": port["id"], "vpns": vpn["id"], "vpnbindings": port["id"]}
    for kinds in (order, [kind for kind in order if kind != "vpns"]):
        deletes = [{"op": "delete", "api": "net-l3vpn", "plural": n, "key": keys[n]} for n in kinds]
        status, done = api.server.request("POST", V, {"changes": deletes})
        assert status == 201, done
        status, undone = api.server.request("POST", f"{V}/{done['id']}/undo")
        assert status == 201, undone
        assert api("GET", f"vpnbindings/{port['id']}")[0] == 200


def test_of_two_deletes_of_one_object_the_second_finds_none(api_anywhere: Api) -> None:
    api, port = api_anywhere, api_anywhere.port()
    delete = {"op": "delete", "api": "net-l3vpn", "plural": "ports", "key": port["id"]}
    status, fault = api.server.request("POST", V, {"changes": [delete, delete]})
    assert (status, [one["pointer"] for one in fault["errors"]]) == (404, ["/changes/1/key"]), fault
    assert api("GET", f"ports/{port['id']}")[0] == 200
