"""Models are read in a process of their own, which is made while calls to etcd are under way."""

from pathlib import Path

from gluon.testing.product import GluonServer
from gluon.testing.servers.etcd import EtcdServer

MODEL = Path("src/gluon/catalog/net-l2/api.yaml").read_text(encoding="utf-8")


def test_a_child_lives_whatever_grpc_does(etcd_server: EtcdServer) -> None:
    with GluonServer("server", "--etcd", etcd_server.url) as server:
        for number in range(12):
            text = MODEL.replace("name: net-l2", f"name: net-l2-{number}")
            status, answer = server.request("POST", "/gluon/v1/protons", {"files": {"api.yaml": text}})
            assert status == 201, answer
