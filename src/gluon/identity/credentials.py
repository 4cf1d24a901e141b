"""Gluon's own token of Keystone, with which it asks about those of others.

In: credentials. Out: a token, made anew before it expires, or when Keystone does not take it any more. One request
at a time, however many wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from gluon import errors
from gluon.identity import fetch
from gluon.objects import codec

log = structlog.get_logger(__name__)

_EARLY = 120.0
"""Seconds before its expiry in which a token is made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Of a user by password, with a project to be scoped to; or of an application credential by id and secret."""

    user: str = ""
    password: str = field(default="", repr=False)
    user_domain: str = "Default"
    project: str = ""
    project_domain: str = "Default"
    application_credential: str = ""
    secret: str = field(default="", repr=False)

    def body(self) -> dict[str, Any]:
        """Of `POST /auth/tokens`."""
        if self.application_credential:
            given = {"id": self.application_credential, "secret": self.secret}
            return {
                "auth": {"identity": {"methods": ["application_credential"], "application_credential": given}}
            }
        user = {"name": self.user, "domain": {"name": self.user_domain}, "password": self.password}
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": user}}}
        if self.project:
            project = {"name": self.project, "domain": {"name": self.project_domain}}
            auth["scope"] = {"project": project}
        return {"auth": auth}


def moment(text: object) -> float | None:
    """Seconds since 1970 of a time as Keystone writes it. Raises `ValueError`."""
    if text is None:
        return None
    when = datetime.fromisoformat(str(text))
    if when.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return when.timestamp()


def token_of(answer: fetch.Answer) -> Mapping[str, Any]:
    """The description of a token. Raises `Unreachable`."""
    try:
        token = codec.decode(answer.body)["token"]
    except (ValueError, KeyError, TypeError) as error:
        raise fetch.Unreachable("Keystone's answer is not one of its API v3") from error
    if not isinstance(token, dict):
        raise fetch.Unreachable("Keystone's answer is not one of its API v3")
    return token


class OwnToken:
    """`await get()`; `spent(token)` says that it was not taken. `catalog`: what Keystone sent with it. `section`: of the
    settings that the credentials are from."""

    def __init__(self, server: fetch.Server, credentials: Credentials, *, section: str = "keystone") -> None:
        self.catalog: Sequence[Mapping[str, Any]] = ()
        self._server = server
        self._credentials = credentials
        self._section = section
        self._token = ""
        self._until = 0.0
        self._lock = asyncio.Lock()
        self._complained = False

    async def get(self) -> str:
        """A token that is good for some time. Raises `Unavailable`."""
        async with self._lock:
            if not self._token or time.time() > self._until:
                await self._renew()
            return self._token

    def spent(self, token: str) -> None:
        if token == self._token:
            self._token = ""

    async def close(self) -> None:
        """Let go of the connections to Keystone; a later call makes new ones."""
        await self._server.close()

    async def _renew(self) -> None:
        answer = await self._server.ask("POST", "/auth/tokens", {}, codec.encode(self._credentials.body()))
        token = answer.headers.get(b"x-subject-token", b"")
        if answer.status != 201 or not token:
            self._complain(answer.status)
            raise errors.Unavailable("Keystone cannot be asked who this is", retry_after=5)
        told = token_of(answer)
        try:
            expires = moment(told.get("expires_at"))
        except ValueError as error:
            raise fetch.Unreachable("Keystone's answer is not one of its API v3") from error
        now = time.time()
        life = max((expires or now + 3600.0) - now, 0.0)
        self._until = now + max(life - _EARLY, life / 2)
        self._token = token.decode("latin-1")
        self.catalog = told.get("catalog") or ()
        self._complained = False

    def _complain(self, status: int) -> None:
        if not self._complained:
            log.error(
                "Keystone does not take Gluon's own credentials",
                status=status,
                hint="look at user, password, domains and project, or the application credential, "
                f"under [{self._section}]",
            )
        self._complained = True
