"""What a careless or hostile HTTP client met once, and must not meet again."""

import json
import socket
import struct
import threading
import time
import uuid
from pathlib import Path

import pytest

from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from tests.api.conftest import V1, Api

JSON_TYPE = b"Content-Type: application/json\r\n"


class Wire:
    """One connection, spoken to in bytes."""

    def __init__(self, server: GluonServer) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, head: bytes, body: bytes = b"") -> None:
        self.socket.sendall(head.replace(b"\r\n", b"\r\nHost: localhost\r\n", 1) + b"\r\n" + body)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next whole answer: status, headers, body."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
        while len(body) < int(headers["content-length"]):
            body += self._more()
        return int(first.split()[1]), headers, body

    def closed(self) -> bool:
        """Whether the server ended the connection."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        assert data, "the server closed the connection"
        return data


def counted(body: bytes) -> bytes:
    return JSON_TYPE + b"Content-Length: %d\r\n" % len(body)


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("reset", [False, True])
def test_a_body_that_was_cut_off_is_not_acted_on(
    api: Api, server: GluonServer, framing: str, reset: bool
) -> None:
    key = str(uuid.uuid4())
    body = json.dumps(api.port_body(id=key)).encode()
    head = f"POST {V1}/ports HTTP/1.1\r\n".encode() + JSON_TYPE
    with Wire(server) as wire:
        if framing == "length":
            wire.send(head + b"Content-Length: 5000\r\n", body)
        else:
            wire.send(head + b"Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\n" % (len(body), body))
        time.sleep(0.05)  # so that head and body are read before the end
        if reset:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for _ in range(5):  # what is sent later is answered later
        assert api("GET", f"ports/{key}")[0] == 404


@pytest.mark.parametrize("path", ["/", "/proton", "/proton/net-l3vpn", V1, "/healthz", "/metrics"])
def test_head_works_where_get_does(server: GluonServer, path: str) -> None:
    status, headers, body = server.exchange("HEAD", path)
    assert (status, body) == (200, "")
    assert headers["content-type"] == server.exchange("GET", path)[1]["content-type"]
    status, headers, _ = server.exchange("POST", path, {})
    assert status == 405
    assert {"GET", "HEAD"} <= set(headers["allow"].split(", "))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/nonsense", "/proton/nonsense", "/proton/net-l3vpn/v9.9", "/a/b/c"])
def test_an_unknown_path_is_404_to_every_method(server: GluonServer, method: str, path: str) -> None:
    assert server.request(method, path)[0] == 404


def test_media_types_have_no_case(server: GluonServer) -> None:
    for accept in ("APPLICATION/JSON", "text/html, Application/*;q=0.1"):
        assert server.request("GET", f"{V1}/vpns", headers={"accept": accept})[0] == 200
    problem = {"accept": "Application/Problem+JSON"}
    assert (
        server.exchange("GET", "/nonsense", headers=problem)[1]["content-type"] == "application/problem+json"
    )


@pytest.mark.parametrize("host", ["evil@localhost", "localhost/evil", "localhost?", "localhost:x", "[::1"])
def test_a_host_header_is_a_host_and_perhaps_a_port(server: GluonServer, host: str) -> None:
    assert server.request("GET", "/", headers={"Host": host})[0] == 403


def test_a_refused_caller_may_ask_for_problem_details(server: GluonServer) -> None:
    headers = {"Host": "evil.example", "accept": "application/problem+json"}
    assert server.exchange("GET", "/", headers=headers)[1]["content-type"] == "application/problem+json"


def test_the_unknown_argument_is_named_as_it_was_meant(server: GluonServer) -> None:
    fault = server.request("GET", f"{V1}/ports?%6eame=x")[1]
    assert fault["faultstring"] == 'Unknown argument: "name"'


def test_if_match_takes_a_list(api: Api, server: GluonServer) -> None:
    path = f"{V1}/ports/{api.port()['id']}"
    etag = server.exchange("GET", path)[1]["etag"]
    assert server.request("PUT", path, {"name": "a"}, headers={"If-Match": f'"1", {etag}'})[0] == 200
    assert server.request("PUT", path, {"name": "b"}, headers={"If-Match": f'"1", {etag}'})[0] == 412
    for wrong in ("x", '"x"', etag.strip('"'), ",", "", " "):
        for method, body in (("PUT", {"name": "b"}), ("DELETE", None)):
            status, fault = server.request(method, path, body, headers={"If-Match": wrong})
            assert (status, fault["code"]) == (412, "stale"), wrong
            assert fault["detail"] == f"If-Match '{wrong.strip()}' is no ETag of this API"


def test_an_endless_head_is_refused(server: GluonServer) -> None:
    with Wire(server) as wire:
        wire.socket.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                wire.socket.sendall(b"a" * 65536)
    with Wire(server) as wire:
        wire.send(b"GET / HTTP/1.1\r\nX: " + b"a" * 16_000 + b"\r\n")
        assert wire.answer()[0] == 200


def test_an_offer_of_another_protocol_is_declined_and_the_body_kept(api: Api, server: GluonServer) -> None:
    body = json.dumps({"tenant_id": api.project, "name": "blue"}).encode()
    head = f"POST {V1}/vpns HTTP/1.1\r\n".encode()
    for offer in (
        b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n",
        b"upgrade: websocket\r\nConnection: upgrade\r\n",
    ):
        with Wire(server) as wire:
            for _ in range(2):
                wire.send(head + offer + counted(body), body)
                status, _, text = wire.answer()
                assert (status, json.loads(text)["name"]) == (201, "blue")


def test_what_is_no_http_has_a_request_id_too(server: GluonServer) -> None:
    with Wire(server) as wire:
        wire.socket.sendall(b"NONSENSE\r\n\r\n")
        status, headers, _ = wire.answer()
        assert status == 400
        assert headers["x-openstack-request-id"].startswith("req-")
        assert wire.closed()


def test_requests_in_one_go_are_answered_in_order(api: Api, server: GluonServer) -> None:
    body = json.dumps({"tenant_id": api.project}).encode()
    with Wire(server) as wire:
        post = f"POST {V1}/vpns HTTP/1.1\r\nHost: localhost\r\n".encode() + counted(body) + b"\r\n" + body
        get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        wire.socket.sendall(post + get + post + get)
        data = b""
        while data.count(b"ok\n") < 2:
            data += wire._more()
        statuses = [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]
        assert statuses == [201, 200, 201, 200]


@pytest.mark.parametrize("path", ["/healthz", f"{V1}/vpnafconfigs/none"])
def test_very_many_requests_in_one_go_are_all_answered(server: GluonServer, path: str) -> None:
    count = 4000
    with Wire(server) as wire:
        sender = threading.Thread(
            target=wire.socket.sendall,
            args=(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * count,),
        )
        sender.start()
        answered, tail = 0, b""
        while answered < count:
            data = tail + wire._more()
            answered += data.count(b"HTTP/1.1 ")
            tail = data[-8:] if not data.endswith(b"HTTP/1.1 ") else b""
        sender.join()
    assert answered == count


def test_a_nested_put_cannot_name_another_parent(api: Api) -> None:
    port, other = api.port(), api.port()
    path = f"ports/{port['id']}/interfaces/{port['id']}"
    status, fault = api("PUT", path, {"port_id": other["id"]})
    assert (status, fault["faultstring"]) == (
        400,
        f"API parent identifier(port_id): {other['id']} does not match parent key value: {port['id']}",
    )
    assert api("PUT", path, {"port_id": uuid.UUID(port["id"]).hex})[0] == 200
    assert api("GET", f"interfaces/{port['id']}")[1]["port_id"] == uuid.UUID(port["id"]).hex


def test_a_client_that_does_not_read_does_not_hold_its_connection_for_ever(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[api]\nrequest_seconds = 3\n", encoding="utf-8")  # we read 200 kB ourselves below
    with GluonServer("up", "--no-shims", "--config", str(settings)) as server:
        api = Api(server)
        for _ in range(50):
            api.port(profile=json.dumps("x" * 200_000))
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(60)
            reader.connect(("127.0.0.1", server.port))
            reader.sendall(f"GET {V1}/ports HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            wait_until(lambda: open_connections(server) == 0, "end of the connection", limit=10)
        assert api("GET", "vpns")[0] == 200


def open_connections(server: GluonServer) -> int:
    """Of the server, as the kernel knows them."""
    lines = Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]
    fields = [line.split() for line in lines]
    return sum(f[1].endswith(f":{server.port:04X}") and f[3] == "01" for f in fields)


def test_a_slow_request_does_not_hold_its_connection_for_ever(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[api]\nrequest_seconds = 0.5\n", encoding="utf-8")
    with GluonServer("up", "--no-shims", "--config", str(settings)) as server:
        for sent in (
            b"",
            b"GET / HTTP/1.1\r\n",
            f"POST {V1}/ports HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{{".encode(),
        ):
            with Wire(server) as wire:
                wire.socket.sendall(sent)
                assert wire.closed()
