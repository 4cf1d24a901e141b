"""Nova's API, as far as events go there: one request with a token of Gluon's user, and what the answer means.

In: events. Out: what Nova took and what it refused. The endpoint is the one that is set, or the one of Keystone's catalog. Raises
`Away` for what may pass by itself, `Refused` for a request that Nova will never take. Called by `notifier`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluon import errors
from gluon.identity import fetch
from gluon.identity.credentials import OwnToken
from gluon.nova.events import Event
from gluon.objects import codec

_PATH = "/os-server-external-events"
_NOBODY = 404
_TYPE = "compute"


class Away(errors.Unavailable):
    """Nova, Keystone, or what is between: nothing is known to be wrong with the events. `broken`: Nova failed over them."""

    def __init__(self, message: str, *, broken: bool = False) -> None:
        super().__init__(message)
        self.broken = broken


class Refused(errors.GluonError):
    """Nova does not take this request, whenever it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where Nova is: `endpoint`, or what the catalog says of this interface and region (empty: the first)."""

    endpoint: str = ""
    interface: str = "public"
    region: str = ""
    ca_file: str = ""
    seconds: float = 10.0


class Nova:
    """`await send(events)`."""

    def __init__(self, place: Place, own: OwnToken | None) -> None:
        """`own`: makes Gluon's tokens; None where Nova wants none. Raises `ValueError` for an endpoint that is no URL."""
        self._place = place
        self._own = own
        self._url = ""
        self._server: fetch.Server | None = None
        if place.endpoint:
            self._reach(place.endpoint)

    async def send(self, events: Sequence[Event]) -> Mapping[int, int]:
        """By code, of how many events Nova said so; 200 is taken. Raises `Away`, `Refused`."""
        body = codec.encode({"events": events})
        try:
            answer = await self._ask(body)
        except errors.Unavailable as error:
            raise Away(str(error)) from error
        if answer.status in {200, 207}:
            return _codes(answer, len(events))
        words = _words(answer)
        if answer.status == _NOBODY and b"itemNotFound" in answer.body:
            return {_NOBODY: len(events)}  # of none of them the server is there
        if answer.status in {400, 413}:
            raise Refused(f"Nova answers {answer.status}: {words}")
        raise Away(f"Nova answers {answer.status}: {words}", broken=answer.status == 500)

    async def _ask(self, body: bytes) -> fetch.Answer:
        """With a new token if Nova does not take the one there is."""
        token = ""
        for last in (False, True):
            token = await self._own.get() if self._own is not None else ""
            server = self._server if self._place.endpoint else await self._found()
            if server is None:
                raise Away("Keystone's catalog has no endpoint of Nova")
            answer = await server.ask("POST", _PATH, {"x-auth-token": token} if token else {}, body)
            if answer.status != 401 or last or self._own is None:
                break
            self._own.spent(token)
        return answer

    async def _found(self) -> fetch.Server | None:
        """The endpoint that came with the token."""
        catalog = self._own.catalog if self._own is not None else ()
        url = endpoint(catalog, self._place.interface, self._place.region)
        if not url:
            return None
        if url != self._url:
            await self._leave()
            try:
                self._reach(url)
            except ValueError as error:
                raise Away(f"Keystone's catalog: {error}") from error
        return self._server

    def _reach(self, url: str) -> None:
        self._server = fetch.Server(url, ca_file=self._place.ca_file, seconds=self._place.seconds, most=1)
        self._url = url

    async def close(self) -> None:
        """Let go of all connections; a later call makes new ones."""
        await self._leave()
        if self._own is not None:
            await self._own.close()

    async def _leave(self) -> None:
        if self._server is not None:
            await self._server.close()


def endpoint(catalog: Sequence[Mapping[str, Any]], interface: str, region: str) -> str:
    """The URL of Nova, empty where the catalog has none."""
    for service in catalog:
        if service.get("type") != _TYPE:
            continue
        for one in service.get("endpoints") or ():
            there = one.get("region_id") or one.get("region")
            if one.get("interface") == interface and region in ("", there):
                return str(one.get("url") or "")
    return ""


def _codes(answer: fetch.Answer, count: int) -> Mapping[int, int]:
    """What Nova said of each; where it does not say, all are taken."""
    try:
        told = codec.decode(answer.body)["events"]
        found = Counter(int(one.get("code", 200)) for one in told)
    except (ValueError, KeyError, TypeError, AttributeError):
        return {200: count}
    return found or {200: count}


def _words(answer: fetch.Answer) -> str:
    """Of its first line, a part."""
    text = answer.body.decode(errors="replace").strip()
    return text.splitlines()[0][:300] if text else "nothing"
