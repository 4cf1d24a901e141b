"""Tokens of Keystone v3: project, domain and system scope, trusts and application credentials.

Asks `GET /v3/auth/tokens` for each token that `gate` does not know. While Keystone does not answer, only one request
at a time tries whether it does again; all others hear at once that it does not. Tokens of application credentials
with access rules are refused: Keystone answers 404 for them to who does not say that it obeys such rules.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import structlog

from gluon import errors
from gluon.identity import fetch
from gluon.identity.credentials import Credentials, OwnToken, moment, token_of
from gluon.identity.known import Known
from gluon.values import url as urls

log = structlog.get_logger(__name__)

_PAUSE = 2.0
"""Seconds after a failure in which nobody tries."""


class Keystone:
    """`public`: the URL that clients are told to get tokens at."""

    def __init__(
        self, url: str, credentials: Credentials, *, public: str = "", ca_file: str = "", seconds: float = 5.0
    ) -> None:
        """Raises `ValueError` for no URL."""
        if public:
            urls.of_server(public, like="https://keystone.example:5000")
        base = url.rstrip("/")
        self._server = fetch.Server(
            base if base.endswith("/v3") else f"{base}/v3", ca_file=ca_file, seconds=seconds
        )
        self._own = OwnToken(self._server, credentials)
        self._challenge = f'Keystone uri="{public or base.removesuffix("/v3")}"'
        self._away_until = 0.0
        self._away = ""
        self._trying = False

    @property
    def challenge(self) -> str:
        return self._challenge

    async def run(self) -> None:
        """Nothing: its own token is made when it is needed."""

    async def close(self) -> None:
        await self._server.close()

    async def known(self, token: str, *, expired: bool) -> Known | None:
        """Of a token; None if Keystone does not know it, or has revoked it. Raises `Unavailable`."""
        tries = bool(self._away)
        if tries and (self._trying or time.monotonic() < self._away_until):
            raise errors.Unavailable("Keystone does not answer, so nobody new can be let in", retry_after=2)
        self._trying = tries
        try:
            found = await self._ask(token, expired=expired)
        except fetch.Busy:
            raise
        except errors.Unavailable as error:
            self._failed(str(error))
            raise errors.Unavailable(
                "Keystone does not answer, so nobody new can be let in", retry_after=2
            ) from error
        finally:
            if tries:
                self._trying = False
        if self._away:
            log.info("Keystone answers again")
            self._away = ""
        return found

    def _failed(self, why: str) -> None:
        if not self._away:
            log.warning("Keystone does not answer; only tokens that are known are let in", reason=why)
        self._away = why or "no answer"
        self._away_until = time.monotonic() + _PAUSE

    async def _ask(self, token: str, *, expired: bool) -> Known | None:
        path = "/auth/tokens?nocatalog=1" + ("&allow_expired=1" if expired else "")
        for _ in range(2):
            own = await self._own.get()
            answer = await self._server.ask("GET", path, {"x-auth-token": own, "x-subject-token": token})
            if answer.status != 401:
                break
            self._own.spent(own)
        if answer.status == 200:
            return bearer(token_of(answer), expired=expired)
        if answer.status in {400, 404}:
            return None
        if answer.status in {401, 403}:
            log.error(
                "Keystone does not let Gluon look at tokens",
                status=answer.status,
                hint="give Gluon's user a role that may validate tokens, such as service in the project service",
            )
        raise fetch.Unreachable(f"Keystone answers {answer.status}")


def bearer(token: Mapping[str, Any], *, expired: bool = False) -> Known:
    """Whom Keystone describes. Raises `Unreachable` for a description that is none."""
    try:
        expires = moment(token.get("expires_at"))
        user, project, domain = token["user"], token.get("project") or {}, token.get("domain") or {}
        more = {
            "user_name": user.get("name"),
            "user_domain_id": (user.get("domain") or {}).get("id"),
            "domain_id": domain.get("id"),
            "project_domain_id": (project.get("domain") or {}).get("id"),
            "project_name": project.get("name"),
            "system_scope": "all" if (token.get("system") or {}).get("all") else None,
            "is_admin_project": token.get("is_admin_project", True),
        }
        return Known(
            user=user["id"],
            project=project.get("id"),
            roles=frozenset(role["name"] for role in token.get("roles") or ()),
            more={name: value for name, value in more.items() if value is not None},
            expires=expires,
            lasting=not (expired and expires is not None and expires <= time.time()),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise fetch.Unreachable("Keystone's answer is not one of its API v3") from error
