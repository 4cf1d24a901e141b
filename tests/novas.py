"""Nova's API for events, and the part of Keystone that it needs, as they fail: a stand-in that says what a test wants.

What a real Nova makes of events is in the tests with a real one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, Any] | None
"""Status and body; None: the connection is closed without an answer."""


@dataclass
class Nova:
    """`script` has the answers to come; without one all events are taken. `taken` has what was answered with 200 or 207."""

    url: str = ""
    script: list[Answer] = field(default_factory=list)
    requests: list[list[dict[str, str]]] = field(default_factory=list)
    taken: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    """With which requests came."""
    made: int = 0
    """Tokens that were given."""
    asked: Callable[[], None] = lambda: None
    """Called for each request, before its answer."""

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[Answer, dict[str, str]]:
        if path == "/v3/auth/tokens":
            self.made += 1
            endpoints = [
                {"interface": kind, "region_id": region, "region": region, "url": f"{self.url}{way}"}
                for kind, region, way in (
                    ("internal", "one", "/in"),
                    ("public", "one", "/v2.1"),
                    ("public", "two", "/two"),
                )
            ]
            catalog = [{"type": "network", "endpoints": []}, {"type": "compute", "endpoints": endpoints}]
            token = {"expires_at": "2099-01-01T00:00:00.000000Z", "catalog": catalog}
            return (201, {"token": token}), {"x-subject-token": f"token-{self.made}"}
        assert (method, path) == ("POST", "/v2.1/os-server-external-events")
        events = json.loads(body)["events"]
        self.requests.append(events)
        self.tokens.append(headers.get("x-auth-token", ""))
        self.asked()
        said = self.script.pop(0) if self.script else (200, {"events": [{**e, "code": 200} for e in events]})
        if said is not None and said[0] in (200, 207):
            self.taken += events
        return said, {}

    def names(self, port: str) -> list[str]:
        """Of the events of a port that were taken, in order."""
        return [e["name"] for e in self.taken if e["tag"] == port]


@asynccontextmanager
async def serving() -> AsyncIterator[Nova]:
    nova = Nova()
    open_ones: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.strip().split("\r\n")
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, path, _ = first.split(" ")
                said, more = nova.answer(method, path, headers, body)
                if said is None:
                    return
                text = said[1].encode() if isinstance(said[1], str) else json.dumps(said[1]).encode()
                lines = [
                    f"HTTP/1.1 {said[0]} x",
                    f"content-length: {len(text)}",
                    *(f"{k}: {v}" for k, v in more.items()),
                ]
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + text)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            open_ones.discard(writer)
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    nova.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield nova
    finally:
        listening.close()
        for writer in list(open_ones):
            writer.close()
