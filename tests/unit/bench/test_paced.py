"""Servers that a bench compares get the same requests, by turns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench import paced


@contextmanager
def _server(name: str, seen: list[str], status: int = 200) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # its name in the library
            seen.append(name + self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(name)))
            self.end_headers()
            self.wfile.write(name.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_each_goes_to_both_in_alternate_order() -> None:
    seen: list[str] = []
    with ExitStack() as stack:
        ports = [stack.enter_context(_server(name, seen)) for name in "ab"]
        requests = [paced.Request("GET", f"/{n}") for n in range(4)]
        first, second = paced.compare(ports, requests, rate=500)
    assert seen == ["a/0", "b/0", "b/1", "a/1", "a/2", "b/2", "b/3", "a/3"]
    assert [answer.body for answer in first] == ["a"] * 4
    assert [answer.body for answer in second] == ["b"] * 4
    assert all(answer.milliseconds > 0 for answer in (*first, *second))


def test_an_answer_that_is_none_ends_it() -> None:
    with _server("a", []) as good, _server("b", [], 503) as bad, pytest.raises(RuntimeError, match="503"):
        paced.compare([good, bad], [paced.Request("GET", "/")], rate=0)
