"""A watch over HTTP as a test sees it: a connection of its own, its events as they come."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

Event = dict[str, Any]
CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})


class Refused(Exception):
    """Another status than 200."""

    def __init__(self, status: int, body: Any) -> None:
        self.status, self.body = status, body
        super().__init__(f"{status} {body}")


class Stream:
    """`with Stream(port, path) as watch: watch.change()`; reads give up after `patience` seconds."""

    def __init__(
        self, port: int, path: str, headers: Mapping[str, str] | None = None, *, patience: float = 20.0
    ) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
        try:
            self._connection.request("GET", path, headers=dict(headers or {}))
            self._answer = self._connection.getresponse()
        except http.client.HTTPException as error:
            self._connection.close()
            raise ConnectionError(str(error)) from error
        except OSError:
            self._connection.close()
            raise
        self.kind = self._answer.headers["content-type"]
        if self._answer.status != 200:
            with self:
                data = self._answer.read()
            raise Refused(self._answer.status, json.loads(data) if b"{" in data[:1] else data.decode())

    def line(self) -> bytes:
        """The next line; empty at the end. Raises `OSError` for a connection that broke."""
        try:
            return self._answer.readline()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error

    def event(self) -> Event:
        """The next event. Raises `ConnectionError` at the end."""
        line = self.line()
        if not line:
            raise ConnectionError("the stream has ended")
        event: Event = json.loads(line)
        return event

    def until(self, fits: Callable[[Event], bool]) -> Event:
        while not fits(event := self.event()):
            continue
        return event

    def change(self) -> Event:
        """The next event that is a change."""
        return self.until(lambda event: event["type"] in CHANGES)

    def changes(self, count: int) -> list[Event]:
        return [self.change() for _ in range(count)]

    def close(self) -> None:
        self._answer.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Deaf:
    """A watcher that asks and never reads."""

    def __init__(self, port: int, path: str, *, buffer: int = 65536) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def rest(self) -> bytes:
        """All there is to read, to the end or to the break, and no more."""
        found = b""
        try:
            while data := self.socket.recv(1 << 20):
                found += data
        except ConnectionError:
            return found
        finally:
            self.socket.close()
        return found
