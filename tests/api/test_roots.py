"""The four roots, with and without the slash and the prefix."""

import pytest

from gluon.testing.product import GluonServer


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_four_roots(server: GluonServer, slash: str) -> None:
    url = server.url
    status, root = server.request("GET", "/")
    assert status == 200
    assert root["name"] == "Gluon API"
    link = {"href": f"{url}/proton/", "rel": "self"}
    assert root["versions"] == [{"id": "proton", "status": "CURRENT", "links": [link]}]
    assert root["default_version"] == root["versions"][0]
    status, protons = server.request("GET", f"/proton{slash}")
    assert status == 200
    entry = next(p for p in protons["protons"] if p["proton_service"] == "net-l3vpn")
    assert entry["status"] == "CURRENT"
    for prefix in ("/proton", ""):
        status, proton = server.request("GET", f"{prefix}/net-l3vpn{slash}")
        assert status == 200
        assert proton["versions"][0]["version_id"] == "v1.0"
        assert proton["versions"][0]["links"] == [{"href": f"{url}/proton/net-l3vpn/v1.0", "rel": "self"}]
        status, version = server.request("GET", f"{prefix}/net-l3vpn/v1.0{slash}")
        assert status == 200
        names = [r["resource_name"] for r in version["resources"]]
        assert set(names) == {
            "ports",
            "interfaces",
            "vpns",
            "vpnbindings",
            "vpnafconfigs",
            "bgppeerings",
            "dataplanetunnels",
        }
        assert set(version["resources"][0]) == {
            "resource_name",
            "proton_service",
            "version_id",
            "status",
            "links",
        }


def test_health(server: GluonServer) -> None:
    assert server.request("GET", "/healthz") == (200, "ok\n")
    status, body = server.request("GET", "/readyz")
    assert (status, body["ready"]) == (200, True)
    assert body["checks"] == {"stopping": "", "writer": "", "models": "", "database": ""}


def test_a_prefix_free_path_reaches_the_proton(server: GluonServer) -> None:
    assert server.request("GET", "/net-l3vpn/v1.0/ports")[0] == 200
