"""What a Nova asks of an image service, answered in this process: images are names without content.

Out: `Images`: `url`, `image` (the id of one that any machine may be made of). It is no Glance: nothing of Gluon speaks with
images, and the real one would be one more server and database to start. Called by `nova`.
"""

from __future__ import annotations

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gluon.testing.servers.server import LOOPBACK

_NEW = {
    "status": "active",
    "visibility": "public",
    "container_format": "bare",
    "disk_format": "raw",
    "size": 1,
    "min_disk": 0,
    "min_ram": 0,
    "protected": False,
    "tags": [],
    "checksum": "0" * 32,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}
_SCHEMA = {
    "name": "image",
    "properties": {name: {} for name in ("id", "name", "owner", *_NEW)},
    "additionalProperties": {"type": "string"},
}


class Images:
    """`with Images() as images:`."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.image = str(self.add({"name": "machine"})["id"])
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def add(self, wanted: dict[str, Any]) -> dict[str, Any]:
        identity = str(uuid.uuid4())
        made = {**_NEW, **wanted, "id": identity, "self": f"/v2/images/{identity}", "owner": None}
        self.kept[identity] = made
        return made

    def __enter__(self) -> Images:
        images = self

        class Handler(_Handler):
            store = images

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        threading.Thread(target=self._server.serve_forever, name="images", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Handler(BaseHTTPRequestHandler):
    store: Images

    def do_GET(self) -> None:
        name = self._name()
        if self.path.split("?")[0].rstrip("/") == "/v2/schemas/image":
            self._answer(200, _SCHEMA)
        elif name in self.store.kept:
            self._answer(200, self.store.kept[name])
        elif name == "images":
            self._answer(200, {"images": list(self.store.kept.values()), "schema": "/v2/schemas/images"})
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        self._answer(201, self.store.add(json.loads(self._body() or b"{}")))

    def do_PATCH(self) -> None:
        kept = self.store.kept[self._name()]
        for change in json.loads(self._body()):
            kept[change["path"].lstrip("/")] = change.get("value")
        self._answer(200, kept)

    def do_PUT(self) -> None:
        self._body()
        self._answer(204, None)

    def do_DELETE(self) -> None:
        self._answer(204 if self.store.kept.pop(self._name(), None) else 404, None)

    def _name(self) -> str:
        return self.path.split("?")[0].rstrip("/").rsplit("/", 1)[-1]

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, status: int, body: Any) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests say what they ask."""
