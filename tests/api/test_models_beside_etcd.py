"""Models are read in a process of their own, which is made while calls to etcd are under way."""

import threading
import uuid
from pathlib import Path

from gluon.testing.product import GluonServer
from gluon.testing.servers.etcd import EtcdServer

MODEL = Path("src/gluon/catalog/net-l2/api.yaml").read_text(encoding="utf-8")


def test_a_child_lives_whatever_grpc_does(etcd_server: EtcdServer, postgres_url: str) -> None:
    words = ("--etcd", etcd_server.url, "--database", postgres_url, "--workers", "2")
    with GluonServer("server", *words) as server:
        done = threading.Event()

        def write() -> None:
            while not done.is_set():
                server.request("POST", "/proton/net-l2/v2.0/ports", {"project_id": str(uuid.uuid4())})

        writers = [threading.Thread(target=write) for _ in range(2)]
        for writer in writers:
            writer.start()
        try:
            for number in range(10):
                text = MODEL.replace("name: net-l2", f"name: net-l2-{number}")
                answer = server.request("POST", "/gluon/v1/protons", {"files": {"api.yaml": text}})
                assert answer[0] == 201, answer
        finally:
            done.set()
            for writer in writers:
                writer.join()
