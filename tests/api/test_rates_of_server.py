"""What a project asks for counts against its rate whatever way a server takes for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gluon.testing.product import GluonServer

BURST = 4
WAYS = ("list", "create", "ports", "port", "change", "protons", "missing")
ADMIN = "the-word-of-the-chief"


def project(way: str) -> str:
    return f"00000000-0000-4000-8000-{WAYS.index(way):012}"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GluonServer]:
    """A project for each way."""
    folder = tmp_path_factory.mktemp("limited")
    members = [
        {"token": f"the-word-of-one-{w}", "user": w, "project": project(w), "roles": ["member"]} for w in WAYS
    ]
    tokens = folder / "tokens"
    tokens.touch(mode=0o600)
    tokens.write_text(
        json.dumps({"tokens": [*members, {"token": ADMIN, "user": "chief", "roles": ["admin"]}]})
    )
    config = folder / "gluon.toml"
    config.write_text(
        f'[identity]\nmethods = ["tokens"]\n[tokens]\nfile = "{tokens}"\n[limits]\nrate = 0.01\nburst = {BURST}\n'
    )
    with GluonServer("up", "--no-shims", "--config", str(config)) as server:
        yield server


def asked(server: GluonServer, way: str, who: str, network: str) -> tuple[int, Any]:
    """One request of the way, by the member of a project."""
    made = {"port": {"network_id": network}}
    requests: dict[str, tuple[str, str, Any]] = {
        "list": ("GET", "/proton/net-l2/v2.0/networks", None),
        "create": ("POST", "/proton/net-l2/v2.0/networks", {"name": "n"}),
        "ports": ("GET", "/v2.0/ports", None),
        "port": ("POST", "/v2.0/ports", made),
        "change": ("POST", "/gluon/v1/changesets", {"changes": []}),
        "protons": ("GET", "/gluon/v1/protons", None),
        "missing": ("GET", "/no/such/path", None),
    }
    method, path, body = requests[way]
    return server.request(method, path, body, headers={"X-Auth-Token": f"the-word-of-one-{who}"})


@pytest.mark.parametrize("way", WAYS)
def test_each_way_counts_and_none_is_free(limited: GluonServer, way: str) -> None:
    body = {"name": way, "project_id": project(way), "subnets": [{"cidr": "10.0.0.0/24"}]}
    token = {"X-Auth-Token": ADMIN}
    assert limited.request("POST", "/proton/net-l2/v2.0/networks", body, headers=token)[0] == 201
    found = limited.request("GET", f"/v2.0/networks?name={way}", headers=token)[1]["networks"]
    network = found[0]["id"]
    made = {"port": {"network_id": network, "tenant_id": project(way)}}
    assert limited.request("POST", "/v2.0/ports", made, headers=token)[0] == 201
    statuses = [asked(limited, way, way, network)[0] for _ in range(BURST)]
    assert 429 not in statuses
    if way in ("create", "port"):
        assert statuses == [201] * BURST
    for other in WAYS:
        status, told = asked(limited, other, way, network)
        assert status == 429, other
        assert ("NeutronError" in told) == (other in ("ports", "port"))
