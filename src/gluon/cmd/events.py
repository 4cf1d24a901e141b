"""The notifier of Nova that the settings ask for. Called by `node`.

In: settings, the database, the models that are served. Out: a `Notifier` and what closes its connections, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from gluon.arbiter import uses
from gluon.cmd import identities
from gluon.cmd import settings as config
from gluon.identity import credentials, fetch
from gluon.nova import client, notifier
from gluon.proton import registry
from gluon.publisher import leader
from gluon.spi import store

log = structlog.get_logger(__name__)


def made(
    settings: config.Settings, database: store.Store, known: Callable[[], registry.Registry]
) -> notifier.Notifier | None:
    """Raises `SettingsError`."""
    wanted = settings.nova
    if not wanted.enabled:
        return None
    place = client.Place(
        endpoint=wanted.endpoint,
        interface=wanted.interface,
        region=wanted.region,
        ca_file=wanted.ca_file,
        seconds=wanted.timeout_seconds,
    )
    try:
        api = client.Nova(place, _own(settings))
    except (ValueError, OSError) as error:
        raise config.SettingsError(f"[nova] {error}") from error
    for clear in (wanted.auth_url or settings.keystone.url, wanted.endpoint):
        if clear and not identities.private(clear):
            log.warning(
                "Nova is told of ports in the clear: who is between can read the password or the token",
                url=clear,
                hint="give a URL with https://",
            )
    return notifier.Notifier(database, uses.Uses(database, known), api)


def duties(telling: notifier.Notifier | None) -> Sequence[leader.Duty]:
    """What the leader does for it."""
    return () if telling is None else (leader.Duty(name="nova", run=telling.run),)


def both(watching: Callable[[], None], telling: notifier.Notifier | None) -> Callable[[], None]:
    """Who hears that this process has committed something."""
    if telling is None:
        return watching

    def committed() -> None:
        watching()
        telling.notify()

    return committed


def _own(settings: config.Settings) -> credentials.OwnToken | None:
    """What makes Gluon's tokens for Nova; None where Nova is asked without."""
    wanted, keystone = settings.nova, settings.keystone
    url = wanted.auth_url or keystone.url
    if not url:
        if wanted.endpoint and not wanted.user:
            return None
        raise config.SettingsError("[nova] auth_url is missing; see `gluon config sample`")
    if wanted.user:
        given = credentials.Credentials(
            user=wanted.user,
            password=_password(wanted),
            user_domain=wanted.user_domain,
            project=wanted.project,
            project_domain=wanted.project_domain,
        )
    elif keystone.user or keystone.application_credential:
        given = identities.credentials_of(keystone)
    else:
        raise config.SettingsError(
            "[nova] user is missing, and [keystone] has none; see `gluon config sample`"
        )
    base = url.rstrip("/")
    server = fetch.Server(
        base if base.endswith("/v3") else f"{base}/v3",
        ca_file=wanted.ca_file or keystone.ca_file,
        seconds=wanted.timeout_seconds,
    )
    return credentials.OwnToken(server, given, section="nova" if wanted.user else "keystone")


def _password(wanted: config.Nova) -> str:
    if not wanted.password_file:
        if not wanted.password:
            raise config.SettingsError("[nova] password is missing; see `gluon config sample`")
        return wanted.password
    try:
        lines = Path(wanted.password_file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise config.SettingsError(f"[nova] password_file {wanted.password_file}: {error}") from error
    if not lines or not lines[0]:
        raise config.SettingsError(f"[nova] password_file {wanted.password_file} is empty")
    return lines[0]
