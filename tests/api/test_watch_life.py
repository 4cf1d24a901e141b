"""What a running server does to streams: status that shims report, models that come, change and go, a restart."""

import socket
import struct
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gluon
from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from tests.api.streams import Event, Refused, Stream

V = "/proton/net-l2/v2.0"
ALL = "/gluon/v1/watch"
MODEL = """
file_version: "2.0"
imports: base-2.0
info: {{name: net-shelf, version: "2.0", description: Books.}}
objects:
  Book:
    extends: BaseObject
    api: {{name: book, plural_name: books}}
    attributes:
      title: {{type: string, length: {length}}}
"""
BOOKS = "/proton/net-shelf/v2.0/books"


@pytest.fixture(scope="module")
def server() -> Iterator[GluonServer]:
    model = Path(gluon.__file__).parent / "catalog" / "net-l2"
    with GluonServer("up", "--model", str(model)) as running:
        yield running


@pytest.fixture
def project() -> str:
    return str(uuid.uuid4())


def ask(server: GluonServer, method: str, path: str, body: Any = None) -> Any:
    status, answer = server.request(method, path, body)
    assert 200 <= status < 300, answer
    return answer


def files(length: int) -> dict[str, Any]:
    return {"files": {"api.yaml": MODEL.format(length=length)}}


def test_the_status_that_a_list_shows_is_told(server: GluonServer, project: str) -> None:
    with Stream(server.port, f"{V}/ports?watch=true&project_id={project}") as watch:
        port = ask(server, "POST", f"{V}/ports", {"project_id": project, "mac_address": "fa:16:3e:00:00:01"})
        assert watch.change()["object"] == port
        bound = {"host_id": "h1", "device_id": str(uuid.uuid4())}
        ask(server, "PUT", f"{V}/ports/{port['id']}", bound)

        def up(event: Event) -> bool:
            """Not the binding itself: told late, it shows the status that came after it."""
            known = event["type"] == "MODIFIED" and event["cause"] == "status"
            return bool(known and event["object"]["status"] == "ACTIVE")

        event = watch.until(up)
    assert event["object"] == ask(server, "GET", f"{V}/ports/{port['id']}")
    with Stream(server.port, f"{V}/ports?watch=true&project_id={project}&resume={event['resume']}") as again:
        assert again.event()["type"] == "BOOKMARK"
        ask(server, "DELETE", f"{V}/ports/{port['id']}")
        assert again.until(lambda e: e["type"] == "DELETED")["key"] == port["id"]


def test_models_come_change_and_go_under_open_streams(server: GluonServer, project: str) -> None:
    with Stream(server.port, ALL) as everything, Stream(server.port, f"{V}/networks?watch=true") as networks:
        everything.event(), networks.event()
        before = server.exchange("GET", f"{V}/networks")[1]["x-gluon-resume"]
        ask(server, "POST", "/gluon/v1/protons", files(40))
        book = ask(server, "POST", BOOKS, {"project_id": project, "title": "a"})
        assert everything.until(lambda e: e.get("api") == "net-shelf")["object"] == book
        with Stream(server.port, f"{BOOKS}?watch=true") as books:
            books.event()
            ask(server, "PUT", "/gluon/v1/protons/net-shelf", files(50))
            assert _last(books)["code"] == "expired"
        assert _last(everything)["code"] == "expired"
        network = ask(server, "POST", f"{V}/networks", {"project_id": project, "name": "n"})
        assert networks.change()["object"] == network  # its model is the one it was
        with pytest.raises(Refused, match="410"):
            Stream(server.port, f"{V}/networks?watch=true&resume={before}")
        with Stream(server.port, f"{BOOKS}?watch=true") as books:
            books.event()
            ask(server, "PUT", f"{BOOKS}/{book['id']}", {"title": "b" * 45})
            assert books.change()["object"]["title"] == "b" * 45
            ask(server, "DELETE", "/gluon/v1/protons/net-shelf?force=true")
            assert _last(books)["code"] == "expired"


def _last(stream: Stream) -> Event:
    event = stream.until(lambda e: e["type"] == "ERROR")
    assert stream.line() == b""
    return event


def test_who_leaves_before_his_stream_begins_leaves_none(server: GluonServer) -> None:
    def told(name: str) -> float:
        text = server.request("GET", "/metrics")[1]
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    before = told("gluon_watchers{")
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", server.port)) as one:
            one.sendall(f"GET {V}/ports?watch=true HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # with a reset
    with Stream(server.port, f"{V}/ports?watch=true"):
        wait_until(lambda: told("gluon_watchers{") == before + 1, "the end of all other streams", limit=20)
    assert "Traceback" not in server.daemon.said(lines=1000)


def test_a_server_that_is_killed_misses_nothing_for_its_watchers(server: GluonServer, project: str) -> None:
    path = f"{V}/networks?watch=true&project_id={project}"
    with Stream(server.port, path) as watch:
        names = []
        token = watch.event()["resume"]
        for n in range(3):
            ask(server, "POST", f"{V}/networks", {"project_id": project, "name": str(n)})
        server.daemon.kill9()
        with pytest.raises(OSError):
            while True:
                event = watch.event()
                token = event["resume"]
                names += [event["object"]["name"]] if event["type"] == "ADDED" else []
    server.start()
    ask(server, "POST", f"{V}/networks", {"project_id": project, "name": "3"})
    with Stream(server.port, f"{path}&resume={token}") as watch:
        while len(names) < 4:
            event = watch.until(lambda e: e["type"] == "ADDED")
            names.append(event["object"]["name"])
    assert names == ["0", "1", "2", "3"]
