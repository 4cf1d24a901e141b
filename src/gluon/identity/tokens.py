"""Tokens of a file: for a laboratory, a script, or a small installation without Keystone.

In: a YAML file that nobody else may read, looked at each second. Out: the bearers of its tokens, which are kept as
SHA-256 only. A file that cannot be used changes nothing and is logged; at the start it is an error.

    tokens:
      - sha256: 9f86d081884c7d65…      # or token: the text itself
        user: alice
        project: 5c7f…
        roles: [member]
        expires: 2027-01-01T00:00:00Z  # may be left out
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
import yaml

from gluon import errors
from gluon.identity.known import Known, fits
from gluon.values import once

log = structlog.get_logger(__name__)

_LOOK = 1.0
"""Seconds between two looks at the file."""
_LARGEST = 16 * 1024 * 1024
_SHORTEST = 16
"""Characters of a token: less can be guessed."""
_DIGEST = re.compile(r"[0-9a-f]{64}").fullmatch
_TEXTS = ("user_domain_id", "domain_id", "project_domain_id", "user_name", "project_name")
_MEMBERS = {"token", "sha256", "user", "project", "roles", "expires", "system_scope", *_TEXTS}


class TokensError(errors.GluonError):
    """The file cannot be used; the message names it, the place and the cure, and no token."""


Stamp = tuple[int, int, int, int]


class Tokens:
    """`changed`: called after other tokens were read."""

    challenge = 'Bearer realm="gluon"'

    def __init__(self, path: str) -> None:
        """Raises `TokensError`."""
        self._path = Path(path)
        self.changed: Callable[[], None] = _nobody
        self._stamp: Stamp | None
        self._stamp, self._bearers = _read(self._path)

    async def known(self, token: str, *, expired: bool) -> Known | None:
        """Its bearer. An expired one is none, whoever sends it."""
        return self._bearers.get(hashlib.sha256(token.encode()).hexdigest())

    async def run(self) -> None:
        """Look whether the file has changed, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK)
            self.look()

    def look(self) -> None:
        """Read the file if it is another than the one that was read, or tried, last."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._stamp, self._bearers = _read(self._path)
        except TokensError as error:
            log.error("the file of tokens cannot be used; those read before go on", reason=str(error))  # noqa: TRY400
            return
        log.info("tokens read", file=str(self._path), tokens=len(self._bearers))
        self.changed()

    async def close(self) -> None:
        """Nothing is held."""


def _nobody() -> None:
    """Nobody wants to know."""


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _stamp_of(found)


def _stamp_of(found: os.stat_result) -> Stamp:
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode


def _read(path: Path) -> tuple[Stamp, dict[str, Known]]:
    """The bearers by the digest of their tokens. Raises `TokensError`."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise TokensError(f"{path}: this is no file")
            if found.st_mode & stat.S_IRWXO:
                raise TokensError(f"{path}: others may read or change it; chmod o= {path}")
            text = file.read(_LARGEST + 1)
    except OSError as error:
        raise TokensError(f"{path}: {error.strerror}") from error
    if len(text) > _LARGEST:
        raise TokensError(f"{path}: more than {_LARGEST} bytes")
    try:
        document = yaml.load(text, Loader=once.Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        why = "a key is given twice" if isinstance(error, once.Twice) else "this is no YAML"
        raise TokensError(f"{path}{line}: {why}") from None  # the error quotes the file
    entries = document.get("tokens") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(document) != 1:
        raise TokensError(f"{path}: write `tokens:` and a list of tokens")
    bearers: dict[str, Known] = {}
    for number, entry in enumerate(entries, 1):
        place = f"{path}: token {number}"
        digest, bearer = _bearer(place, entry)
        if digest in bearers:
            raise TokensError(f"{place} stands there twice")
        bearers[digest] = bearer
    return _stamp_of(found), bearers


def _bearer(place: str, entry: object) -> tuple[str, Known]:
    if not isinstance(entry, dict):
        raise TokensError(f"{place}: is no mapping")
    if entry.keys() - _MEMBERS:  # not named: it may be a token that stands in the wrong place
        raise TokensError(f"{place}: what may stand there is {', '.join(sorted(_MEMBERS))}")
    user, project = _text(place, entry, "user"), _text(place, entry, "project")
    roles = entry.get("roles", [])
    if not user:
        raise TokensError(f"{place}: user is missing")
    if not isinstance(roles, list) or not all(isinstance(role, str) and role for role in roles):
        raise TokensError(f"{place}: roles is no list of names")
    more = {name: text for name in _TEXTS if (text := _text(place, entry, name))}
    if scope := _text(place, entry, "system_scope"):
        if scope != "all" or project:
            raise TokensError(f"{place}: system_scope is all, and goes without a project")
        more["system_scope"] = scope
    return _digest(place, entry), Known(
        user=user, project=project, roles=frozenset(roles), more=more, expires=_expiry(place, entry)
    )


def _digest(place: str, entry: Mapping[str, Any]) -> str:
    token, digest = entry.get("token"), entry.get("sha256")
    if (token is None) == (digest is None):
        raise TokensError(f"{place}: give token or sha256")
    if digest is not None:
        if not isinstance(digest, str) or not _DIGEST(digest.lower()):
            raise TokensError(
                f"{place}: sha256 is no SHA-256 in 64 hexadecimal digits (printf %s TOKEN | sha256sum)"
            )
        return digest.lower()
    if (
        not isinstance(token, str)
        or not token.isascii()
        or not fits(token.encode())
        or len(token) < _SHORTEST
    ):
        raise TokensError(
            f"{place}: a token is printable ASCII without blanks, {_SHORTEST} characters at least"
        )
    return hashlib.sha256(token.encode()).hexdigest()


def _text(place: str, entry: Mapping[str, Any], name: str) -> str | None:
    value = entry.get(name)
    if value is not None and (not isinstance(value, str) or not value):
        raise TokensError(f"{place}: {name} is no text; put it in quotes")
    return value


def _expiry(place: str, entry: Mapping[str, Any]) -> float | None:
    value = entry.get("expires")
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise TokensError(f"{place}: expires is no time such as 2027-01-01T00:00:00Z") from None
    if not isinstance(value, datetime):
        raise TokensError(f"{place}: expires is no time such as 2027-01-01T00:00:00Z")
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
