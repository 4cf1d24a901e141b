"""Models are read in a process of their own, which is made while calls to etcd are under way."""

from pathlib import Path

from gluon.testing.product import GluonServer
from gluon.testing.servers.etcd import EtcdServer

MODEL = Path("src/gluon/catalog/net-l2/api.yaml").read_text(encoding="utf-8")


def test_a_child_lives_beside_the_connection_to_etcd(etcd_server: EtcdServer) -> None:
    """gRPC's own client had handlers of fork that ended some of such children."""
    with GluonServer("server", "--etcd", etcd_server.url) as server:
        for number in range(3):
            text = MODEL.replace("name: net-l2", f"name: net-l2-{number}")
            answer = server.request("POST", "/gluon/v1/protons", {"files": {"api.yaml": text}})
            assert answer[0] == 201, answer
        said = server.daemon.said(lines=1000)
    assert "serving" in said
    assert "fork" not in said
