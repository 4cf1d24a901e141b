"""The short way of plain requests and uvicorn's own way answer alike, alone and mixed on one connection."""

import json
import socket
import uuid
from collections.abc import Iterator

import pytest

from gluon.testing.product import GluonServer
from tests.api.conftest import V1, Api

CHUNKED = "Transfer-Encoding: chunked\r\n"
# Each is refused by the short way for another reason.
UNUSUAL = {
    "expect": "Expect: 100-continue\r\n",
    "close": "Connection: close\r\n",
    "chunked": CHUNKED,
}
VARYING = {"date", "x-openstack-request-id", "connection", "etag"}

Answer = tuple[int, dict[str, str], bytes]


class Line:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._data = b""

    def send(self, method: str, path: str, body: bytes = b"", more: str = "", version: str = "1.1") -> None:
        self.socket.sendall(encoded(method, path, body, more, version))

    def answer(self, method: str = "GET") -> Answer:
        """The next answer; that to a HEAD has no body."""
        head = self._until(b"\r\n\r\n").decode()
        if head.startswith("HTTP/1.1 100"):
            return self.answer(method)
        first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
        size = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        while len(self._data) < size:
            self._more()
        body, self._data = self._data[:size], self._data[size:]
        return int(first.split()[1]), headers, body

    def ended(self) -> bool:
        return self._data == b"" and self.socket.recv(1) == b""

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._data:
            self._more()
        end = self._data.index(mark) + len(mark)
        found, self._data = self._data[:end], self._data[end:]
        return found

    def _more(self) -> None:
        data = self.socket.recv(65536)
        assert data, "the server closed the connection"
        self._data += data


def encoded(method: str, path: str, body: bytes = b"", more: str = "", version: str = "1.1") -> bytes:
    head = f"{method} {path} HTTP/{version}\r\nHost: localhost\r\nContent-Type: application/json\r\n{more}"
    if CHUNKED in more:
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    elif body:
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


@pytest.fixture
def line(server: GluonServer) -> Iterator[Line]:
    made = Line(server.port)
    yield made
    made.socket.close()


def comparable(answer: Answer) -> tuple[int, dict[str, str], dict[str, object] | bytes]:
    """Without what no two answers share."""
    status, headers, body = answer
    shown: dict[str, object] | bytes = body
    if "json" in headers.get("content-type", "") and body:
        shown = {k: v for k, v in json.loads(body).items() if k not in {"request_id", "updated_at"}}
    return status, {k: v for k, v in headers.items() if k not in VARYING}, shown


@pytest.mark.parametrize("how", UNUSUAL)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "ports/{port}", b""),
        ("HEAD", "ports/{port}", b""),
        ("GET", "ports/{port}/status", b""),
        ("GET", "ports/{port}/interfaces?", b""),
        ("GET", "ports/nonsense", b""),
        ("GET", "ports?name=a", b""),
        ("PUT", "ports/{port}", b'{"name": "a"}'),
        ("PUT", "ports/{port}", b'{"name": 1, "mtu": "x"}'),
        ("POST", "ports", b"{}"),
        ("POST", "ports", b"no json"),
        ("DELETE", "ports/{none}", b""),
        ("PATCH", "ports/{port}", b"{}"),
        ("OPTIONS", "ports", b""),
        ("GET", "%70orts/{port}/", b""),
    ],
)
def test_both_ways_answer_alike(
    api: Api, server: GluonServer, method: str, path: str, body: bytes, how: str
) -> None:
    path = f"{V1}/{path}".format(port=api.port()["id"], none=uuid.uuid4())
    answers = []
    for more in ("", UNUSUAL[how]):
        line = Line(server.port)
        line.send(method, path, body, more)
        answers.append(comparable(line.answer(method)))
        line.socket.close()
    assert answers[0] == answers[1]


@pytest.fixture(scope="session")
def network(server: GluonServer) -> str:
    """One of Neutron's face, of this session alone."""
    body = {"project_id": str(uuid.uuid4()), "name": uuid.uuid4().hex, "subnets": [{"cidr": "10.0.0.0/16"}]}
    assert server.request("POST", "/proton/net-l2/v2.0/networks", body)[0] == 201
    (found,) = server.request("GET", f"/v2.0/networks?name={body['name']}")[1]["networks"]
    return str(found["id"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "v2.0/ports", b""),
        ("HEAD", "networking/v2.0/ports/", b""),
        ("PUT", "v2.0/ports", b"{}"),
        ("DELETE", "v2.0/ports", b""),
        ("POST", "v2.0/ports", b""),
        ("POST", "v2.0/ports", b"no json"),
        ("POST", "v2.0/ports", b'{"port": {}}'),
        ("POST", "v2.0/ports", b'{"ports": []}'),
        ("POST", "v2.0/ports", b'{"port": {"network_id": "nowhere"}}'),
        ("POST", "v2.0/ports", b'{"port": {"network_id": "NETWORK", "colour": 1}}'),
        ("POST", "networking/v2.0/ports", b'{"port": {"network_id": "NETWORK", "tenant_id": "bad id"}}'),
    ],
)
def test_ports_of_neutrons_face_are_answered_alike(
    server: GluonServer, network: str, method: str, path: str, body: bytes
) -> None:
    body = body.replace(b"NETWORK", network.encode())
    answers = []
    for more in ("", UNUSUAL["expect"]):
        line = Line(server.port)
        line.send(method, f"/{path}", body, more)
        answers.append(comparable(line.answer(method)))
        line.socket.close()
    assert answers[0] == answers[1]


def test_new_ports_of_neutrons_face_are_alike(server: GluonServer, network: str) -> None:
    project = server.request("GET", f"/v2.0/networks/{network}")[1]["network"]["project_id"]
    body = {"port": {"network_id": network, "tenant_id": project}}
    answers = []
    for more in ("", UNUSUAL["expect"]):
        line = Line(server.port)
        line.send("POST", "/v2.0/ports", json.dumps(body).encode(), more)
        status, headers, text = line.answer()
        line.socket.close()
        made = json.loads(text)
        assert status == 201, text
        assert made == server.request("GET", f"/v2.0/ports/{made['port']['id']}")[1]
        answers.append(
            ({k: v for k, v in headers.items() if k not in VARYING | {"content-length"}}, [*made["port"]])
        )
    assert answers[0] == answers[1]


def test_a_deleted_object_has_no_body_and_the_connection_goes_on(api: Api, line: Line) -> None:
    path = f"{V1}/ports/{api.port()['id']}"
    line.send("DELETE", path)
    status, headers, body = line.answer()
    assert (status, body) == (204, b"")
    assert "content-length" not in headers
    line.send("GET", path)
    assert line.answer()[0] == 404


def test_plain_and_unusual_requests_in_one_go_are_answered_in_order(api: Api, line: Line) -> None:
    wanted: list[tuple[str, int]] = []
    data = b""
    for number in range(12):
        body = json.dumps({"tenant_id": api.project, "name": f"n{number}"}).encode()
        more = CHUNKED if number % 3 == 1 else ""
        data += encoded("POST", f"{V1}/vpns", body, more)
        wanted.append((f"n{number}", 201))
        if number % 4 == 2:
            data += encoded("GET", "/healthz")
            wanted.append(("", 200))
    line.socket.sendall(data)
    for name, status in wanted:
        answer = line.answer()
        assert answer[0] == status
        assert not name or json.loads(answer[2])["name"] == name


@pytest.mark.parametrize(
    "junk",
    [
        b"nonsense\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
    ],
    ids=["head", "framing", "body"],
)
@pytest.mark.parametrize("more", ["", CHUNKED], ids=["short", "long"])
def test_what_is_no_http_is_told_behind_the_answers_to_all_before(
    api: Api, server: GluonServer, junk: bytes, more: str
) -> None:
    """And whoever else makes objects at that time hears of his."""
    body = json.dumps({"tenant_id": api.project}).encode()
    request = encoded("POST", f"{V1}/vpns", body, more)
    others = [Line(server.port) for _ in range(4)]
    for _ in range(5):
        line = Line(server.port)
        line.socket.sendall(request + request + junk)
        for other in others:
            other.socket.sendall(request)
        assert [line.answer()[0] for _ in range(3)] == [201, 201, 400]
        assert line.ended()
        line.socket.close()
        assert [other.answer()[0] for other in others] == [201] * 4
    for other in others:
        other.socket.close()


@pytest.mark.parametrize("how", ["", "Connection: close\r\n"])
def test_a_target_has_no_fragment(api: Api, server: GluonServer, how: str) -> None:
    """Who leaves it out takes another object for the one that was named."""
    key = api.port()["id"]
    for target in (f"{V1}/ports/{key}#x", f"{V1}/ports?#x", "/healthz#x"):
        line = Line(server.port)
        line.send("DELETE", target, more=how)
        status, _, body = line.answer()
        assert (status, json.loads(body)["code"]) == (400, "head")
        line.socket.close()
    assert api("GET", f"ports/{key}")[0] == 200


def test_a_body_may_come_in_pieces(api: Api, line: Line) -> None:
    whole = encoded("POST", f"{V1}/vpns", json.dumps({"tenant_id": api.project, "name": "blue"}).encode())
    for start in range(0, len(whole), 7):
        line.socket.sendall(whole[start : start + 7])
    status, _, body = line.answer()
    assert (status, json.loads(body)["name"]) == (201, "blue")


@pytest.mark.parametrize("size", [1000, 64 * 1024, 64 * 1024 + 1, 200_000])
def test_bodies_around_the_limit_of_the_short_way(api: Api, line: Line, size: int) -> None:
    body = json.dumps({"tenant_id": api.project}).encode().ljust(size)
    for _ in range(2):
        line.send("POST", f"{V1}/vpns", body)
        assert line.answer()[0] == 201


def test_a_body_that_is_too_large_is_refused(api: Api, line: Line) -> None:
    line.send("POST", f"{V1}/vpns", json.dumps({"tenant_id": api.project}).encode().ljust(300_000))
    assert line.answer()[0] == 413


def test_an_old_client_gets_its_answer_and_the_end(api: Api, line: Line) -> None:
    line.send("GET", f"{V1}/ports/{api.port()['id']}", version="1.0")
    assert line.answer()[0] == 200
    assert line.ended()


def test_a_client_that_asks_for_the_end_gets_it(api: Api, line: Line) -> None:
    line.send("GET", f"{V1}/ports/{api.port()['id']}", more="Connection: close\r\n")
    status, headers, _ = line.answer()
    assert (status, headers["connection"]) == (200, "close")
    assert line.ended()


def test_an_absolute_target_is_served(api: Api, line: Line) -> None:
    line.send("GET", f"http://localhost{V1}/ports/{api.port()['id']}")
    assert line.answer()[0] == 200


def test_every_answer_has_the_date_and_a_request_id_of_its_own(api: Api, line: Line) -> None:
    seen = set()
    for path in (f"{V1}/ports/{api.port()['id']}", f"{V1}/ports/{uuid.uuid4()}"):
        line.send("GET", path)
        _, headers, _ = line.answer()
        assert headers["date"].endswith("GMT")
        seen.add(headers["x-openstack-request-id"])
    assert len(seen) == 2


def test_the_same_head_again_with_another_body(api: Api, line: Line) -> None:
    """The second is not taken apart; the third differs in its head, the fourth comes in pieces, two more at once."""
    names = ["a1", "b2", "c33", "d4", "e5", "f6"]
    bodies = [json.dumps(api.port_body(name=name)).encode() for name in names]
    requests = [encoded("POST", f"{V1}/ports", body) for body in bodies]
    made = []
    for request in requests[:3]:
        line.socket.sendall(request)
        made.append(line.answer())
    line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for n in range(0, len(requests[3]), 40):
        line.socket.sendall(requests[3][n : n + 40])
    made.append(line.answer())
    line.socket.sendall(requests[4] + requests[5])
    made += [line.answer(), line.answer()]
    assert [(status, json.loads(body)["name"]) for status, _, body in made] == [(201, name) for name in names]


def test_the_same_head_with_what_is_no_body_of_it(api: Api, server: GluonServer) -> None:
    """A body that is shorter than the head says is waited for; what follows one belongs to the next."""
    line = Line(server.port)
    for _ in range(2):
        line.send("POST", f"{V1}/ports", json.dumps(api.port_body(name="a")).encode())
        assert line.answer()[0] == 201
    whole = encoded("POST", f"{V1}/ports", json.dumps(api.port_body(name="b")).encode())
    line.socket.sendall(whole[:-3])
    line.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        line.answer()
    line.socket.settimeout(60)
    line.socket.sendall(whole[-3:])
    assert json.loads(line.answer()[2])["name"] == "b"
    for data in (whole + b"\r\n", whole + whole[:20], whole[20:], whole):
        line.socket.sendall(data)
        assert line.answer()[0] == 201
    line.socket.close()


def test_refusals_of_a_create_are_the_same_both_ways(api: Api, server: GluonServer) -> None:
    """What is begun without a task, what is found wrong before, and what goes the long way from the beginning."""
    taken = json.dumps(api.port_body(id=api.port()["id"])).encode()
    said = []
    for body in (taken, b'{"nope": 1}', b"[1]", b"{", b""):
        line, ways = Line(server.port), []
        for more in ("", "", "Connection: close\r\n"):
            line.send("POST", f"{V1}/ports", body, more)
            ways.append(comparable(line.answer()))
        line.socket.close()
        assert all(way == ways[0] for way in ways)
        said.append(ways[0][0])
    assert said == [409, 400, 400, 400, 400]
