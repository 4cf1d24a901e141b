"""One server, spoken to over HTTP. Synchronous: its users are commands and scripts.

On the standard library's client: a command is over after two requests, and importing an HTTP
library took longer than both.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from gluon import errors
from gluon.client import proxies
from gluon.objects import codec

_ELSEWHERE, _REFUSED = 300, 400
_NOWHERE = (404, 405)
"""What any web server says of our paths: a wrong address would read as a missing object."""
_OURS, _MARK = {"code", "NeutronError"}, "x-openstack-request-id"
_LINES = "application/x-ndjson"
_OTHER = "this is no Gluon server, or one of another version"


class ClientError(errors.GluonError):
    """The server was not reached, or what came back is not ours to understand."""


class ApiError(ClientError):
    """The server refused: `status`, and `body` with its words (problem details where it gave them)."""

    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.body = body if isinstance(body, dict) else {}
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The server's message, for people."""
        return str(self.body.get("detail") or self.body.get("title") or f"status {self.status}")

    @property
    def problems(self) -> list[dict[str, Any]]:
        """Of single fields."""
        given = self.body.get("errors")
        return [p for p in given if isinstance(p, dict)] if isinstance(given, list) else []

    @property
    def lines(self) -> list[str]:
        """The message, each field problem and each hint, a line each."""
        told = self.problems or [{"detail": self.message, "hint": self.body.get("hint")}]
        return [f"{p.get('detail')}{f' ({hint})' if (hint := p.get('hint')) else ''}" for p in told]


class Login(Protocol):
    """How a token is come by: `client.login`. `given`: one that is sent as it is."""

    given: str

    def get(self) -> str: ...


class Client:
    """`Client("http://127.0.0.1:2705")`; a context manager. `timeout` in seconds covers a bind."""

    def __init__(
        self,
        base: str,
        *,
        timeout: float = 60.0,
        login: Login | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`login`: asked for a token when the server asks for one; `environment`: may name a proxy. Raises `ClientError` for what is no
        address; nothing is sent yet."""
        self._login = login
        self._token = login.given if login is not None else ""
        if "@" in base:
            raise ClientError(
                "what has an @ in it is no address of a server: names and passwords are no part of one"
            )
        try:
            parts = urlsplit(base)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("it is like http://gluon.example:2705")
            if parts.path not in ("", "/") or parts.query or parts.fragment:
                raise ValueError("nothing stands behind its port")
            self._way = proxies.way(parts, environment or {}, timeout=timeout)
        except proxies.NoProxy as error:
            raise ClientError(f"{base}: {error}") from error
        except (ValueError, http.client.InvalidURL) as error:
            raise ClientError(f"{base} is no address of a server: {error}") from error
        self._connection = self._way.connection
        self._base = f"{base} by the proxy {self._way.proxy}" if self._way.proxy else base

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def close(self) -> None:
        """The next request opens a connection again."""
        self._connection.close()

    def request(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The decoded answer, None for an empty one. Raises `ApiError` or `ClientError`."""
        sent = {"accept": "application/json", **(headers or {})}
        content = None
        if body is not None:
            sent["content-type"] = "application/json"
            content = _encoded(body)
        try:
            answer = self._answer(method, path, content, sent)
            data = answer.read()
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self._connection.close()
            raise ClientError(f"{self._base}: {error or type(error).__name__}") from error
        self._refuse(answer, data)
        try:
            return codec.decode(data) if data else None
        except (ValueError, RecursionError):
            raise self._other() from None

    def lines(self, path: str, *, headers: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """The events of a watch as they come, until the server ends it. Raises as `request` does, also in its midst."""
        try:
            answer = self._answer("GET", path, None, {"accept": _LINES, **(headers or {})})
            self._refuse(answer, b"" if answer.status < _ELSEWHERE else answer.read())
            if answer.headers.get_content_type() != _LINES:
                raise self._other()
            while line := answer.readline():
                event = codec.decode(line)
                if not isinstance(event, dict) or "type" not in event:
                    raise self._other()
                yield event
        except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
            raise ClientError(f"{self._base}: {error or type(error).__name__}") from error
        finally:
            self._connection.close()

    def _answer(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        """The answer; where the server asks who this is, the one to the request with a new token."""
        for last in (False, True):
            if self._token:
                headers["x-auth-token"] = self._token
            self._connection.request(
                method, f"{self._way.prefix}{path}", content, {**headers, **self._way.headers}
            )
            answer = self._connection.getresponse()
            if last or answer.status != 401 or self._login is None or self._login.given:
                break
            answer.read()
            self._token = self._login.get()
        return answer

    def protons(self) -> list[dict[str, Any]]:
        """The models that the server serves, described."""
        found: list[dict[str, Any]] = self.facts("/gluon/v1/protons", "protons")["protons"]
        return found

    def facts(self, path: str, *members: str, method: str = "GET", body: Any = None) -> dict[str, Any]:
        """What a Gluon server says: an object with these members. Raises as `request` does."""
        answer = self.request(method, path, body)
        if not isinstance(answer, dict) or not all(member in answer for member in members):
            raise self._other()
        return answer

    def _refuse(self, answer: http.client.HTTPResponse, data: bytes) -> None:
        """What is no success. Raises `ApiError`, or `ClientError` for one that leads elsewhere, where nothing is sent."""
        if answer.status >= _REFUSED:
            told = _refusal(answer.status, data)
            if answer.status in _NOWHERE and not (told.keys() & _OURS or answer.getheader(_MARK)):
                raise ClientError(f"{self._base}: status {answer.status}, {_OTHER}")
            raise ApiError(answer.status, told)
        if answer.status >= _ELSEWHERE:
            place = answer.getheader("location") or "nowhere"
            raise ClientError(
                f"{self._base}: status {answer.status} leads to {place}: name the server itself"
            )

    def _other(self) -> ClientError:
        return ClientError(f"{self._base}: {_OTHER}")


def _refusal(status: int, data: bytes) -> dict[str, Any]:
    """The words of a server, or of what stands before it."""
    try:
        told = codec.decode(data) if data else None
        return told if isinstance(told, dict) else {}
    except (ValueError, RecursionError):
        return {"detail": f"status {status}: {' '.join(data.decode(errors='replace').split())[:500]}"}


def _encoded(body: Any) -> bytes:
    try:
        return codec.encode(body)
    except UnicodeEncodeError as error:
        raise ClientError("an argument is no text in UTF-8") from error


def address(host: str, port: int | str) -> str:
    """The URL of a server."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def object_path(collection: str, key: str) -> str:
    """The path of one object; the key is percent-encoded. An empty one would mean all of them."""
    if not key:
        raise ClientError("a key is not empty")
    try:
        return f"{collection}/{quote(key, safe='')}"
    except UnicodeEncodeError as error:
        raise ClientError("the key is no text in UTF-8") from error


def query(pairs: Iterable[tuple[str, str]]) -> str:
    """Arguments, as they stand behind a path; empty where there are none."""
    try:
        text = urlencode(list(pairs))
    except UnicodeEncodeError as error:
        raise ClientError("an argument is no text in UTF-8") from error
    return f"?{text}" if text else ""
