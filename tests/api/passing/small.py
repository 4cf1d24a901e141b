"""A small HTTP server in the place of Neutron: lists with its pages and links, and answers that fail as they are told to."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

Body = dict[str, Any]
PAGE = frozenset({"limit", "marker", "page_reverse", "sort_key", "sort_dir", "fields"})


@dataclass
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Small:
    """`rows` by collection. `heard`: all that came. `odd`: the whole answer, where a test wants another one."""

    url: str = ""
    rows: dict[str, list[Body]] = field(default_factory=lambda: {"ports": [], "networks": [], "subnets": []})
    heard: list[Request] = field(default_factory=list)
    odd: Callable[[Request], bytes] | None = None
    most: int = 0
    closes: bool = False
    writes: Callable[[Callable[[bytes], None]], None] | None = None
    """Is given what says more."""

    def reset(self) -> None:
        self.heard.clear()
        self.odd, self.most, self.closes, self.writes = None, 0, False, None
        for rows in self.rows.values():
            rows.clear()

    def add(self, kind: str, **more: Any) -> Body:
        body = {"id": str(uuid.uuid4()), "name": "", "status": "ACTIVE", **more}
        self.rows[kind].append(body)
        return body

    def answer(self, request: Request) -> bytes:
        if self.odd is not None:
            return self.odd(request)
        path, _, query = request.target.partition("?")
        _, _, kind, *rest = [*path.split("/"), "", ""]
        if kind not in self.rows:
            return said(200, {"heard": request.target})
        if rest and rest[0]:
            found = next((row for row in self.rows[kind] if row["id"] == rest[0]), None)
            return said(404, _missing(rest[0])) if found is None else said(200, {kind[:-1]: found})
        if request.method == "POST":
            return said(201, {kind[:-1]: json.loads(request.body)[kind[:-1]]})
        return self._list(kind, path, parse_qsl(query, keep_blank_values=True))

    def _list(self, kind: str, path: str, pairs: list[tuple[str, str]]) -> bytes:
        asked = dict(pairs)
        filters: dict[str, list[str]] = {}
        for name, value in pairs:
            if name not in PAGE:
                filters.setdefault(name, []).append(value)
        if "no_such" in filters:
            return said(400, {"NeutronError": {"type": "HTTPBadRequest", "message": "no_such", "detail": ""}})
        rows = [row for row in self.rows[kind] if all(str(row.get(n)) in v for n, v in filters.items())]
        keys = [
            (n, w == "desc")
            for n, w in zip(all_of(pairs, "sort_key"), all_of(pairs, "sort_dir"), strict=True)
        ]
        reverse = asked.get("page_reverse", "").lower() == "true"
        for name, descending in reversed([*keys, ("id", False)]):
            rows.sort(key=lambda row, name=name: rank(row.get(name)), reverse=descending != reverse)  # type: ignore[misc]
        limit = int(asked.get("limit", 0))
        limit = min(self.most, limit or self.most) if self.most else limit
        if limit and "marker" in asked:
            place = next((n for n, row in enumerate(rows) if row["id"] == asked["marker"]), None)
            if place is None:
                return said(404, _missing(asked["marker"]))
            rows = rows[place + 1 :]
        rows = rows[: limit or None]
        if limit and reverse:
            rows.reverse()
        fields = all_of(pairs, "fields")
        shown = [{n: row.get(n) for n in fields or row} for row in rows]
        body: Body = {kind: shown}
        if limit and (links := _links(path, pairs, rows, limit, reverse=reverse)):
            body[f"{kind}_links"] = links
        return said(200, body)


def all_of(pairs: list[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in pairs if key == name]


def rank(value: Any) -> tuple[bool, Any]:
    """As MariaDB has it."""
    return (value is not None, value.upper() if isinstance(value, str) else value or 0)


def _links(
    path: str, pairs: list[tuple[str, str]], rows: list[Body], limit: int, *, reverse: bool
) -> list[Body]:
    left = [pair for pair in pairs if pair[0] not in ("marker", "page_reverse")]
    found = []
    if len(rows) >= limit or reverse:
        marks = [("marker", rows[-1]["id"])] if rows else []
        found.append({"rel": "next", "href": f"http://x{path}?{urlencode([*left, *marks])}"})
    if len(rows) >= limit or not reverse:
        marks = [("marker", rows[0]["id"])] if rows else []
        back = urlencode([*left, *marks, ("page_reverse", "True")])
        found.append({"rel": "previous", "href": f"http://x{path}?{back}"})
    return found


def said(status: int, body: Any, *more: str) -> bytes:
    text = json.dumps(body).encode()
    head = [
        f"HTTP/1.1 {status} Said",
        "Content-Type: application/json",
        f"Content-Length: {len(text)}",
        *more,
    ]
    return "\r\n".join([*head, "", ""]).encode() + text


def _missing(id: str) -> Body:
    return {"NeutronError": {"type": "NotFound", "message": f"small has no {id}", "detail": ""}}


@asynccontextmanager
async def small() -> AsyncIterator[Small]:
    found = Small()
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.split("\r\n")[:-2]
                headers = [(n, v) for n, _, v in (line.partition(": ") for line in lines)]
                body = await reader.readexactly(int(dict(headers).get("content-length", "0")))
                method, target, _ = first.split(" ")
                request = Request(method, target, headers, body)
                found.heard.append(request)
                answer = found.answer(request)
                writer.write(answer)
                await writer.drain()
                if found.writes is not None:
                    found.writes(writer.write)
                if found.closes:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()
