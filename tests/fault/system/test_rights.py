"""Servers and shims with no more rights in etcd than `docs/running.md` gives them."""

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from gluon.testing.fixtures import require_programs
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer, GluonShim
from gluon.testing.servers import EtcdServer

_PORTS = "/proton/net-l3vpn/v1.0/ports"
_PORT = {
    "tenant_id": str(uuid.uuid4()),
    "mac_address": "fa:16:3e:00:00:01",
    "admin_state_up": True,
    "status": "ACTIVE",
    "vnic_type": "normal",
    "mtu": 1500,
    "vlan_transparency": False,
}
_PASSWORD = "not-a-secret"
_ROLES = re.compile(r"^```sh\n(etcdctl role add gluon-server\n.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def guarded() -> Iterator[EtcdServer]:
    """An etcd with the documented roles and a user of each."""
    require_programs("etcd", "etcdctl")
    with EtcdServer(auth=True) as server:
        (block,) = _ROLES.findall(Path("docs/running.md").read_text(encoding="utf-8"))
        told = {
            "ETCDCTL_API": "3",
            "ETCDCTL_ENDPOINTS": server.url,
            "ETCDCTL_USER": f"root:{server.password}",
        }
        subprocess.run(
            ["bash", "-e", "-c", block], env={**os.environ, **told}, check=True, stdout=subprocess.DEVNULL
        )
        for role in ("gluon-server", "shim-c"):
            server.etcdctl("user", "add", f"{role}:{_PASSWORD}")
            server.etcdctl("user", "grant-role", role, role)
        yield server


def _settings(folder: Path, user: str, etcd: EtcdServer) -> str:
    path = folder / f"{user}.toml"
    path.write_text(f'[etcd]\nurls = ["{etcd.url}"]\nuser = "{user}"\n', encoding="utf-8")
    return str(path)


def test_the_documented_rights_are_enough(guarded: EtcdServer, tmp_path: Path) -> None:
    env = {"GLUON_ETCD_PASSWORD": _PASSWORD}
    with GluonServer("server", "--config", _settings(tmp_path, "gluon-server", guarded), env=env) as server:
        wanted = ("--backend", "fake", "--host", "A", "--name", "c", "--api", "net-l3vpn")
        shim = GluonShim(*wanted, "--config", _settings(tmp_path, "shim-c", guarded), env=env)
        with shim:
            status, port = server.request("POST", _PORTS, _PORT)
            assert status == 201, port
            status, bound = server.request(
                "PUT", f"{_PORTS}/{port['id']}", {"host_id": "A", "device_id": str(uuid.uuid4())}
            )
            assert (status, bound.get("vif_type")) == (200, "ovs"), bound
            assert server.request("DELETE", "/gluon/v1/hosts/A")[0] == 409
            assert server.request("POST", "/gluon/v1/resync", {})[0] == 202
            wait_until(lambda: not server.request("GET", "/gluon/v1/status")[1]["resync_wanted"], "a resync")
        wait_until(lambda: bool(server.request("GET", "/gluon/v1/status")[1]["away"]), "the host is away")
        assert server.request("DELETE", "/gluon/v1/hosts/A")[1]["code"] == "in_use"
        assert server.request("DELETE", "/gluon/v1/hosts/A?force=true")[0] == 200
        wait_until(lambda: server.request("GET", "/gluon/v1/hosts")[1]["hosts"] == [], "it is forgotten")
        for one in (server, shim):
            assert "permission denied" not in one.daemon.said(lines=10_000)
