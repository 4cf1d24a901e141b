"""A server inside the test, asked by people of every kind: who is asking stands in a header that only this guard reads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gluon.cmd import node, settings
from gluon.export import samples
from gluon.model import loader
from gluon.policy import files
from gluon.spi.policy import Caller

OWN, OTHER = samples.PROJECT, "11111111-2222-4333-8444-555555555555"


def _caller(name: str, project: str | None, *roles: str) -> Caller:
    return Caller(user=name, project=project, roles=frozenset(roles), admin="admin" in roles)


PERSONAS = {
    "admin": _caller("admin", None, "admin", "member", "reader"),
    "service": _caller("nova", OTHER, "service"),
    "member": _caller("alice", OWN, "member", "reader"),
    "reader": _caller("ron", OWN, "reader"),
    "guest": _caller("gus", OWN),
    "stranger": _caller("bob", OTHER, "member", "reader"),
    "homeless": _caller("eve", None, "member", "reader"),
}
"""All but three belong to the project that owns the objects."""


class Personas:
    """The guard."""

    open: frozenset[str] = frozenset()

    def __init__(self, others: Mapping[str, Caller]) -> None:
        self._known = {**PERSONAS, **others}

    def admit(self, method: str, headers: dict[bytes, bytes]) -> Caller:
        return self._known[headers[b"x-persona"].decode()]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any
    """JSON, else text."""


class World:
    """The server."""

    def __init__(self, running: node.Node, others: Mapping[str, Caller]) -> None:
        app: Any = running.app
        app._guard = Personas(others)
        self._app = app
        self._rules: Any = app._resources._actions._policy

    async def ask(
        self,
        who: str,
        method: str,
        target: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        raw: bytes = b"",
    ) -> Answer:
        """`raw`: a body that is no JSON."""
        path, _, query = target.partition("?")
        given = {"x-persona": who, "host": "localhost", **(headers or {})}
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
            given.setdefault("content-type", "application/json")
        given["content-length"] = str(len(data))
        scope = {
            "type": "http",
            "http_version": "1.1",
            "asgi": {"version": "3.0"},
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode("latin-1"),
            "root_path": "",
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in given.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 1),
        }
        sent: list[dict[str, Any]] = []

        received: list[dict[str, Any]] = [{"type": "http.request", "body": data, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return received.pop() if received else {"type": "http.disconnect"}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await self._app(scope, receive, send)
        text = b"".join(e.get("body", b"") for e in sent[1:])
        told = {k.decode().lower(): v.decode() for k, v in sent[0]["headers"]}
        found: Any = text.decode()
        if told.get("content-type", "").endswith("json") and "ndjson" not in told["content-type"] and text:
            found = json.loads(text)
        return Answer(sent[0]["status"], told, found)

    def replace_rules(self, text: str) -> None:
        """As if the policy file had changed."""
        self._rules.replace(files.read(text, "policy.yaml"))

    async def made(self, who: str, target: str, body: Any) -> Any:
        """A new object."""
        answer = await self.ask(who, "POST", target, body)
        assert answer.status == 201, answer
        return answer.body


@asynccontextmanager
async def world(
    folder: Path, models: Sequence[Path], policy: str = "", others: Mapping[str, Caller] | None = None
) -> AsyncIterator[World]:
    """A server of these models, with this text as its policy file; `others` ask beside the personas."""
    (folder / "policy.yaml").write_text(policy, encoding="utf-8")
    given = settings.load(
        None,
        {
            "data": {"directory": str(folder)},
            "models": {"paths": tuple(str(m) for m in models)},
            "policy": {"file": str(folder / "policy.yaml")},
        },
    )
    loaded = loader.load(models)
    async with node.open_node(given, url="http://localhost", models=loaded) as running:
        yield World(running, others or {})
