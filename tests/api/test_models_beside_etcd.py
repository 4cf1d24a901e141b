"""Models are read in a process of their own, which is made while calls to etcd are under way."""

from pathlib import Path

from gluon.testing.product import GluonServer
from gluon.testing.servers.etcd import EtcdServer

MODEL = Path("src/gluon/catalog/net-l2/api.yaml").read_text(encoding="utf-8")


def test_a_child_lives_whatever_grpc_does(etcd_server: EtcdServer) -> None:
    """grpc's handlers of fork end few of such children, but they say whenever they are called."""
    with GluonServer("server", "--etcd", etcd_server.url) as server:
        for number in range(3):
            text = MODEL.replace("name: net-l2", f"name: net-l2-{number}")
            answer = server.request("POST", "/gluon/v1/protons", {"files": {"api.yaml": text}})
            assert answer[0] == 201, answer
        said = server.daemon.said(lines=1000)
    assert "serving" in said
    assert "fork" not in said
