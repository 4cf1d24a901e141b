"""The guard that the settings ask for: `noauth`, or a gate over Keystone, a file of tokens and JWTs.

In: settings, and what the rules say of admins. Out: a `Guard` that may have to run and to be closed. Called by `node`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from gluon.api import guard, lane, pages
from gluon.cmd import front
from gluon.cmd import settings as config
from gluon.cmd.clients import Clients
from gluon.identity import gate, known
from gluon.identity.wrong import Wrong
from gluon.policy.engine import Engine

if TYPE_CHECKING:
    from gluon.identity import credentials

log = structlog.get_logger(__name__)

OPEN = ("/", "/healthz", "/readyz", "/networking", *pages.PATHS)
"""What is read without a token: which API this is, whether it works, and the page that shows it (without any data)."""
_METRICS = "/metrics"
_SECONDS = 10
"""Of a rest, after which as many wrong tokens may come at once as in so long."""


@asynccontextmanager
async def guarded(settings: config.Settings, rules: Engine) -> AsyncIterator[lane.Guard]:
    """The guard, at work. Raises `SettingsError`."""
    if not front.known_callers(settings):
        names = frozenset({settings.api.host, *settings.api.names})
        yield guard.NoAuth(names, any_host=settings.api.insecure)
        return
    ways = _ways(settings)
    wanted = settings.identity
    paths = (*OPEN, _METRICS) if wanted.open_metrics else OPEN
    made = gate.Gate(
        ways,
        rules.is_admin,
        gate.Options(
            seconds=wanted.cache_seconds,
            stale=wanted.away_seconds,
            service_roles=frozenset(wanted.service_roles),
            open=frozenset(paths) | {f"{path}/" for path in paths if path != "/"},
        ),
        _wrong(settings),
    )
    rules.changed = made.reconsider
    for way in ways:
        if hasattr(way, "changed"):
            way.changed = made.forget
    running = asyncio.create_task(made.run(), name="identity")
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await made.close()


def _ways(settings: config.Settings) -> list[known.Way]:
    """The cheapest first: a token of a file is never shown to Keystone."""
    methods = settings.identity.methods
    ways: list[known.Way] = []
    if "tokens" in methods:
        ways.append(_tokens(settings.tokens))
    if "jwt" in methods:
        ways.append(_jwts(settings))
    if "keystone" in methods:
        ways.append(_keystone(settings.keystone))
    return ways


def _wrong(settings: config.Settings) -> Wrong | None:
    """The workers of a host have equal shares."""
    rate = settings.limits.wrong_tokens / settings.api.workers
    if not rate:
        return None
    clients = Clients(settings.api.proxies, settings.api.proxy_header)
    return Wrong(rate, max(1.0, rate * _SECONDS), lambda headers: clients.of(headers).address)


def _needed(section: str, **given: str) -> None:
    for name, value in given.items():
        if not value:
            raise config.SettingsError(
                f"[{section}] {name} is missing; [identity] methods asks for it; see `gluon config sample`"
            )


def _tokens(wanted: config.Tokens) -> known.Way:
    from gluon.identity import tokens  # noqa: PLC0415 - only what is asked for is loaded

    _needed("tokens", file=wanted.file)
    try:
        return tokens.Tokens(wanted.file)
    except tokens.TokensError as error:
        raise config.SettingsError(str(error)) from error


def private(url: str) -> bool:
    """Whether nobody stands between us and a server, whose URL is one; a file has nobody there."""
    parts = urlsplit(url)
    return parts.scheme != "http" or front.is_loopback(parts.hostname or "")


def _jwts(settings: config.Settings) -> known.Way:
    wanted = settings.jwt
    _needed("jwt", issuer=wanted.issuer, audience=wanted.audience, keys=wanted.keys)
    try:
        from gluon.identity import jwts, keyset  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise config.SettingsError("[identity] methods: jwt needs PyJWT: pip install gluon[jwt]") from error
    try:
        keys = keyset.Keys(wanted.keys, ca_file=wanted.ca_file)
    except (ValueError, OSError, keyset.KeysError) as error:
        raise config.SettingsError(f"[jwt] keys: {error}") from error
    if not (settings.api.insecure or private(wanted.keys)):
        raise config.SettingsError(
            f"[jwt] keys: {wanted.keys} is read in the clear, so whoever is between could give other keys: "
            "https:// is needed beyond loopback, or --insecure"
        )
    claims = jwts.Claims(
        issuer=wanted.issuer,
        audience=wanted.audience,
        user=wanted.user_claim,
        project=wanted.project_claim,
        domain=wanted.domain_claim,
        roles=wanted.roles_claim,
        role_names=wanted.role_names,
    )
    return jwts.Jwts(keys, claims)


def credentials_of(wanted: config.Keystone) -> credentials.Credentials:
    """What Gluon is to Keystone."""
    from gluon.identity.credentials import Credentials  # noqa: PLC0415

    return Credentials(
        user=wanted.user,
        password=wanted.password,
        user_domain=wanted.user_domain,
        project=wanted.project,
        project_domain=wanted.project_domain,
        application_credential=wanted.application_credential,
        secret=wanted.secret,
    )


def _keystone(wanted: config.Keystone) -> known.Way:
    from gluon.identity import keystone  # noqa: PLC0415

    _needed("keystone", url=wanted.url)
    if wanted.application_credential:
        _needed("keystone", secret=wanted.secret)
    else:
        _needed("keystone", user=wanted.user, password=wanted.password)
    try:
        made = keystone.Keystone(
            wanted.url,
            credentials_of(wanted),
            public=wanted.public_url,
            ca_file=wanted.ca_file,
            seconds=wanted.timeout_seconds,
        )
    except (ValueError, OSError) as error:
        raise config.SettingsError(f"[keystone] {error}") from error
    if not private(wanted.url):
        log.warning(
            "Keystone is asked in the clear: who is between can read tokens and say who is who",
            url=wanted.url,
            hint="give a URL with https://",
        )
    return made
