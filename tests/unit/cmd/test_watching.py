"""`gluon watch` over what happens to a server behind a balancer: nothing of it ends the watch before the server says so."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from gluon.cmd.main import cli

LINES = "application/x-ndjson"


def line(**event: Any) -> bytes:
    return json.dumps(event).encode() + b"\n"


FIRST = (200, line(type="BOOKMARK", resume="t1"))
LAST = (
    200,
    line(type="MODIFIED", resume="t2", object={}) + line(type="ERROR", code="gone", detail="the end"),
)


@pytest.fixture
def balancer() -> Iterator[tuple[list[tuple[int, bytes]], list[str], int]]:
    """Answers, one a request; what was asked for; the port."""
    answers: list[tuple[int, bytes]] = []
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, body = answers.pop(0)
            self.send_response(status)
            self.send_header("content-type", LINES if status == 200 else "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield answers, asked, serving.server_port
        serving.shutdown()
        thread.join()


def watched(port: int) -> Any:
    return CliRunner().invoke(cli, ["watch", "--port", str(port)], catch_exceptions=False)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_is_away_for_a_while(
    balancer: tuple[list[tuple[int, bytes]], list[str], int], status: int
) -> None:
    answers, asked, port = balancer
    answers += [FIRST, (status, b"<html>away"), LAST]
    done = watched(port)
    assert [json.loads(one)["type"] for one in done.stdout.splitlines()] == ["MODIFIED"]
    assert asked == ["/gluon/v1/watch", *["/gluon/v1/watch?resume=t1"] * 2]
    assert done.stderr.splitlines() == [f"gluon: status {status}: <html>away; trying again", "gluon: the end"]
    assert done.exit_code == 1


def test_a_server_that_is_not_ready_yet_is_waited_for_and_said(
    balancer: tuple[list[tuple[int, bytes]], list[str], int],
) -> None:
    answers, _, port = balancer
    answers += [(503, b'{"detail": "not yet"}'), LAST]
    done = watched(port)
    assert done.stderr.splitlines() == ["gluon: not yet; trying again", "gluon: the end"]


@pytest.mark.parametrize(
    ("body", "told"), [(b"[1]\n", "no Gluon server"), (b'{"a": 1}\n', "no Gluon server")]
)
def test_what_is_no_event(
    balancer: tuple[list[tuple[int, bytes]], list[str], int], body: bytes, told: str
) -> None:
    answers, _, port = balancer
    answers += [(200, body)]
    done = watched(port)
    assert (done.exit_code, told in done.stderr) == (1, True)
