"""JSON Web Tokens of one issuer, such as an OpenID Connect provider (RFC 7519, 8725).

In: a signed token. Out: its bearer, by claims that the settings name. Only RS256, ES256 and EdDSA count, each with keys
of its own kind; issuer, audience, subject and expiry must be there. Where a key comes from is never the token's to say.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from gluon import errors
from gluon.identity import keyset
from gluon.identity.known import Known
from gluon.objects import codec

_LEEWAY = 30
"""Seconds that clocks may differ."""
_PARTS = 3
_LONGEST = 255
"""Characters of a user, a project or a domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Where things stand in a token; a dot leads into an object. `role_names`: Gluon's name of a role by the issuer's; where
    there are some, roles without one count for nothing."""

    issuer: str
    audience: str
    user: str = "sub"
    project: str = "project_id"
    domain: str = ""
    roles: str = "roles"
    role_names: Mapping[str, str] = field(default_factory=dict)


class Jwts:
    """A way of `gate`."""

    challenge = 'Bearer realm="gluon"'

    def __init__(self, keys: keyset.Keys, claims: Claims) -> None:
        self._keys = keys
        self._claims = claims

    async def run(self) -> None:
        """Nothing: keys are read when they are needed."""

    async def close(self) -> None:
        await self._keys.close()

    async def known(self, token: str, *, expired: bool) -> Known | None:
        """None for what is no JWT of our issuer. Raises `Unauthorized` for one of it that is not good."""
        unchecked = _unchecked(token)
        if unchecked is None or unchecked[1].get("iss") != self._claims.issuer:
            return None
        header = unchecked[0]
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in keyset.ALGORITHMS.values():
            raise _bad("it is not signed by RS256, ES256 or EdDSA")
        if not (kid is None or isinstance(kid, str)):
            raise _bad("kid is no text")
        key = await self._keys.find(kid, algorithm)
        if key is None:
            raise _bad("the issuer has no such key")
        try:
            return self._bearer(
                jwt.decode(
                    token,
                    key.key,
                    algorithms=[key.algorithm],
                    issuer=self._claims.issuer,
                    audience=self._claims.audience,
                    leeway=_LEEWAY,
                    options={"require": ["exp", "iss", "aud"]},
                )
            )
        except jwt.PyJWTError as error:
            raise _bad(_WHY.get(type(error), "it or its signature is not right")) from None
        except (ValueError, TypeError, RecursionError, OverflowError):
            raise _bad("it is not right") from None

    def _bearer(self, claims: Mapping[str, Any]) -> Known:
        where = self._claims
        user = _at(claims, where.user)
        project, domain = _at(claims, where.project), _at(claims, where.domain)
        if not _is_name(user):
            raise _bad(f"the claim {where.user} is no name")
        for name, value in ((where.project, project), (where.domain, domain)):
            if not (value in (None, "") or _is_name(value)):
                raise _bad(f"the claim {name} is no name")
        return Known(
            user=user,
            project=project or None,
            roles=self._roles(_at(claims, where.roles)),
            more={"domain_id": domain} if domain else {},
            expires=float(claims["exp"]) + _LEEWAY,
        )

    def _roles(self, value: object) -> frozenset[str]:
        given = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
        roles = {role for role in given if isinstance(role, str)}
        names = self._claims.role_names
        return frozenset(names[role] for role in roles if role in names) if names else frozenset(roles)


def _is_name(value: object) -> bool:
    """A name that may be stored, and stand in a line of a log."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()


def _bad(why: str) -> errors.Unauthorized:
    return errors.Unauthorized(f"the token is not valid: {why}", hint="get a new one of the issuer")


_WHY: Mapping[type[Exception], str] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.InvalidIssuedAtError: "it was issued in the future",
    jwt.InvalidAudienceError: "it is meant for another audience",
    jwt.MissingRequiredClaimError: "exp, iss or aud is missing",
}


def _unchecked(token: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Header and claims of what looks like a JWT; nothing of it is sure yet."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        return None
    header, claims = _object(parts[0]), _object(parts[1])
    return (header, claims) if header is not None and claims is not None else None


def _object(part: str) -> dict[str, Any] | None:
    try:
        found = codec.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim at a path, None where there is none; a name with dots (as a URL) counts before a way."""
    if not path:
        return None
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
