"""Admits requests by their tokens: a look into a table for one that is known, a question to the ways for another.

In: headers. Out: a `Caller`, or something to await that gives it or raises `Unauthorized` or `Unavailable`.
Invariants: a token is asked for once however many requests wait; what a way said counts for `seconds`, and never over the
token's expiry; while a way is away, what it said goes on for `stale` seconds; no other header says who somebody is; who
sends many tokens that nobody knows is refused before a way is asked.
Called by `api.lane` for each request.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

import structlog

from gluon import errors
from gluon.identity.known import Known, Way, fits
from gluon.identity.wrong import Wrong
from gluon.spi.policy import Caller

log = structlog.get_logger(__name__)

MOST = 10_000
"""Tokens that are kept; those that were asked for longest ago go first."""
_WAITING = 1_000
"""Tokens that are asked for at once; more are told to come again."""
_PATIENCE = 1.0
"""Seconds that a request whose token was good before waits for it to be looked at again."""
_AGAIN = 5.0
"""Seconds between two looks at a token that was good before while its way is away."""
_NEVER = float("inf")
_K = TypeVar("_K")
_V = TypeVar("_V")
_SERVICE = ("user_id", "user_domain_id", "project_id", "project_domain_id")
"""What rules may ask of the service through which a user came, after `service_`."""

Quick = bytes | tuple[bytes | None, bytes] | None
"""The headers that say who asks, as they came: of the user, or of him and the service."""


class Entry(NamedTuple):
    """A token that was found good; times of the monotonic clock."""

    known: Known
    fresh: float
    last: float


class Admitted(NamedTuple):
    caller: Caller
    until: float


class Options(NamedTuple):
    """`seconds`: what a way said counts so long, `refused` a no; `stale`: while the way is away; `service_roles`: of
    those whose `X-Service-Token` lets an expired user's token pass."""

    seconds: float = 300.0
    refused: float = 10.0
    stale: float = 3600.0
    service_roles: frozenset[str] = frozenset({"service"})
    open: frozenset[str] = frozenset()


class Gate:
    """`is_admin`: what the rules say of a caller. `open`: paths that anybody may read. `wrong`: a limit of tokens that
    nobody knows."""

    def __init__(
        self,
        ways: Sequence[Way],
        is_admin: Callable[[Caller], bool],
        options: Options,
        wrong: Wrong | None = None,
    ) -> None:
        self._wrong = wrong
        self._ways = tuple(ways)
        self._is_admin = is_admin
        self._options = options
        self.open = options.open
        self._challenge = ", ".join(dict.fromkeys(way.challenge for way in ways))
        self._quick: dict[Quick, Admitted] = {}
        self._entries: dict[bytes, Entry] = {}
        self._refused: dict[bytes, float] = {}
        self._asked: dict[bytes, asyncio.Task[Entry | errors.GluonError]] = {}
        self.news = asyncio.Event()
        """Set once what was said before may be wrong; another event stands here then."""

    def admit(self, method: str, headers: dict[bytes, bytes]) -> Caller | Awaitable[Caller]:
        quick = _quick(headers)
        found = self._quick.get(quick)
        if found is not None and found.until > time.monotonic():
            return found.caller
        return self._admit(quick, headers)

    def forget(self) -> None:
        """Ask for every token again: a file of tokens changed. What was asked for before is kept where nobody looks."""
        self._quick, self._entries, self._refused = {}, {}, {}
        self._tell()

    def reconsider(self) -> None:
        """Other rules say who is an admin; whose tokens are whose stays known."""
        self._quick.clear()
        self._tell()

    def until(self, headers: dict[bytes, bytes]) -> float:
        """When somebody who was just admitted is to be looked at again, by the monotonic clock."""
        found = self._quick.get(_quick(headers))
        return found.until if found is not None else 0.0

    def _tell(self) -> None:
        self.news.set()
        self.news = asyncio.Event()

    async def run(self) -> None:
        """What the ways do beside requests."""
        await asyncio.gather(*(way.run() for way in self._ways))

    async def close(self) -> None:
        for task in self._asked.values():
            task.cancel()
        for way in self._ways:
            await way.close()

    async def _admit(self, quick: Quick, headers: dict[bytes, bytes]) -> Caller:
        admitted, token = self._quick, self._token(headers)
        given = headers.get(b"x-service-token")
        if given is None:
            entry = await self._entry(token, headers, expired=False)
            caller, until = entry.known.caller({}), entry.fresh
        else:
            service = await self._entry(self._fitting(given, "X-Service-Token"), headers, expired=False)
            trusted = not self._options.service_roles.isdisjoint(service.known.roles)
            entry = await self._entry(token, headers, expired=trusted)
            caller = entry.known.caller(_of_service(service.known))
            until = min(entry.fresh, service.fresh)
        if self._is_admin(caller):
            caller = Caller(
                user=caller.user, project=caller.project, roles=caller.roles, admin=True, more=caller.more
            )
        _put(admitted, quick, Admitted(caller, until))
        return caller

    def _token(self, headers: dict[bytes, bytes]) -> str:
        given = headers.get(b"x-auth-token")
        if given:
            return self._fitting(given, "X-Auth-Token")
        kind, _, given = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() == b"bearer" and given:
            return self._fitting(given, "Authorization")
        raise self._unauthorized("no token is given", "send one as X-Auth-Token, or as Authorization: Bearer")

    def _fitting(self, given: bytes, header: str) -> str:
        given = given.strip(b" \t")  # blanks around are none of a header's value
        if not fits(given):
            raise self._unauthorized(
                f"{header} holds no token", "a token is printable ASCII and not longer than 16 KiB"
            )
        return given.decode("ascii")

    def _unauthorized(self, text: str, hint: str) -> errors.Unauthorized:
        return errors.Unauthorized(text, hint=hint, challenge=self._challenge)

    async def _entry(self, token: str, headers: dict[bytes, bytes], *, expired: bool) -> Entry:
        """Of a good token. Raises `Unauthorized`, `TooMany` or `Unavailable`."""
        digest = hashlib.sha256(token.encode()).digest() + (b"x" if expired else b"")
        now, entries = time.monotonic(), self._entries
        entry = entries.get(digest)
        if entry is not None and entry.fresh > now:
            return entry
        if self._refused.get(digest, 0.0) > now:
            raise self._not_known()
        task = self._asked.get(digest)
        if task is None:
            if len(self._asked) >= _WAITING:
                raise errors.Unavailable("too many new tokens at once", retry_after=2)
            ticket = self._wrong.take(headers, now) if self._wrong is not None and entry is None else ""
            task = asyncio.create_task(self._ask(digest, token, ticket, expired=expired))
            self._asked[digest] = task
        if entry is not None and entry.last > now:
            await asyncio.wait((task,), timeout=min(_PATIENCE, entry.last - now))
            if not task.done():
                soon = time.monotonic() + _PATIENCE
                return _put(entries, digest, entry._replace(fresh=min(soon, entry.last)))
        found = await asyncio.shield(task)
        if isinstance(found, Entry):
            return found
        if isinstance(found, errors.Unavailable):
            raise errors.Unavailable(str(found), retry_after=found.retry_after)
        if isinstance(found, errors.Unauthorized):
            raise self._unauthorized(str(found), found.hint)
        raise self._not_known()

    def _not_known(self) -> errors.Unauthorized:
        return self._unauthorized(
            "the token is not valid", "get a new one; it may have expired or been revoked"
        )

    async def _ask(
        self, digest: bytes, token: str, ticket: str, *, expired: bool
    ) -> Entry | errors.GluonError:
        """What the ways say. Never raises: nobody may be waiting any more."""
        found = await self._told(digest, token, expired=expired)
        if self._wrong is not None and ticket and not isinstance(found, errors.Unauthorized):
            self._wrong.give_back(ticket)
        return found

    async def _told(self, digest: bytes, token: str, *, expired: bool) -> Entry | errors.GluonError:
        entries, refused = self._entries, self._refused
        try:
            known = await self._known(token, expired=expired)
            return self._kept(entries, digest, known) or self._refuse(entries, refused, digest)
        except errors.Unavailable as error:
            entry, now = entries.get(digest), time.monotonic()
            if entry is None or entry.last <= now:
                return error
            return _put(entries, digest, entry._replace(fresh=min(now + _AGAIN, entry.last)))
        except errors.Unauthorized as error:
            self._refuse(entries, refused, digest)
            return error
        except Exception as error:
            log.exception("a token could not be looked at", reason=type(error).__name__)
            return errors.Unavailable("who asks could not be found out", retry_after=2)
        finally:
            self._asked.pop(digest, None)

    async def _known(self, token: str, *, expired: bool) -> Known | None:
        """Of the first way that knows it. One that is away is only said to be if no other knows the token."""
        away: errors.Unavailable | None = None
        for way in self._ways:
            try:
                known = await way.known(token, expired=expired)
            except errors.Unavailable as error:
                away = error
            else:
                if known is not None:
                    return known
        if away is not None:
            raise away
        return None

    def _kept(self, entries: dict[bytes, Entry], digest: bytes, known: Known | None) -> Entry | None:
        """None for a token that is not known, or over."""
        now, left = time.monotonic(), _NEVER
        if known is not None and known.expires is not None and known.lasting:
            left = known.expires - time.time()
        if known is None or left <= 0:
            return None
        fresh = now + min(self._options.seconds, left)
        last = now + min(self._options.stale, left) if known.lasting else fresh
        return _put(entries, digest, Entry(known, fresh, max(fresh, last)))

    def _refuse(
        self, entries: dict[bytes, Entry], refused: dict[bytes, float], digest: bytes
    ) -> errors.Unauthorized:
        entries.pop(digest, None)
        _put(refused, digest, time.monotonic() + self._options.refused)
        return self._not_known()


def _quick(headers: dict[bytes, bytes]) -> Quick:
    quick = headers.get(b"x-auth-token") or headers.get(b"authorization")
    return (quick, headers[b"x-service-token"]) if b"x-service-token" in headers else quick


def _of_service(service: Known) -> dict[str, object]:
    facts = {"user_id": service.user, "project_id": service.project, **service.more}
    return {
        "service_roles": sorted(service.roles),
        **{f"service_{name}": facts.get(name) for name in _SERVICE},
    }


def _put(table: dict[_K, _V], key: _K, value: _V) -> _V:
    """Keep it as the newest, within bounds."""
    table.pop(key, None)
    while len(table) >= MOST:
        del table[next(iter(table))]
    table[key] = value
    return value
