"""One server, spoken to over HTTP. Synchronous: its users are commands and scripts.

On the standard library's client: a command is over after two requests, and importing an HTTP
library took longer than both.
"""

from __future__ import annotations

import http.client
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

from gluon import errors
from gluon.objects import codec


class ClientError(errors.GluonError):
    """The server was not reached, or what came back is not ours to understand."""


class ApiError(ClientError):
    """The server refused: `status`, and `body` with its words (problem details where it gave them)."""

    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.body = body if isinstance(body, dict) else {}
        super().__init__(self.message or f"status {status}")

    @property
    def message(self) -> str:
        """The server's message, for people."""
        return str(self.body.get("detail") or self.body.get("title") or "")

    @property
    def lines(self) -> list[str]:
        """The message, each field problem and each hint, a line each."""
        problems = self.body.get("errors") or []
        if not problems:
            hint = self.body.get("hint")
            return [f"{self.message}{f' ({hint})' if hint else ''}"] if self.message else []
        return [f"{p.get('detail')}{f' ({hint})' if (hint := p.get('hint')) else ''}" for p in problems]


class Client:
    """`Client("http://127.0.0.1:2705")`; a context manager. `timeout` in seconds covers a bind."""

    def __init__(self, base: str, *, timeout: float = 60.0) -> None:
        parts = urlsplit(base)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        self._base = base

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer, None for an empty one. Raises `ApiError` or `ClientError`."""
        headers = {"accept": "application/json"}
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = codec.encode(body)
        try:
            self._connection.request(method, path, content, headers)
            answer = self._connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise ClientError(f"{self._base}: {error or type(error).__name__}") from error
        decoded = None
        if data:
            try:
                decoded = codec.decode(data)
            except ValueError:
                decoded = {"detail": data.decode(errors="replace").strip()[:500]}
        if answer.status >= 400:
            raise ApiError(answer.status, decoded)
        return decoded

    def protons(self) -> list[dict[str, Any]]:
        """The models that the server serves, described."""
        found: list[dict[str, Any]] = self.request("GET", "/gluon/v1/protons")["protons"]
        return found


def address(host: str, port: int | str) -> str:
    """The URL of a server."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def object_path(collection: str, key: str) -> str:
    """The path of one object; the key is percent-encoded."""
    return f"{collection}/{quote(key, safe='')}"
