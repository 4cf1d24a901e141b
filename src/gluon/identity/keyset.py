"""The public keys that an issuer signs JWTs with: a JWKS of a file or a URL (RFC 7517).

Kept for an hour, and read again when a token names a key that is not among them, but not more often than each 30
seconds. While the URL does not answer, the keys that were read last go on.
"""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from time import monotonic

import jwt
import structlog

from gluon import errors
from gluon.identity import fetch
from gluon.objects import codec
from gluon.values import url as urls

log = structlog.get_logger(__name__)

_KEPT = 3600.0
_PAUSE = 30.0
_MOST = 100
"""Keys of a set."""
_WEAK = 2048
"""Bits that an RSA key has at least."""

ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
"""The one algorithm that a key of a kind is used with, whatever a token says: by `kty` and `crv`."""


class KeysError(errors.GluonError):
    """The keys cannot be used."""


class Key:
    """A public key and its algorithm."""

    def __init__(self, kid: str | None, algorithm: str, key: jwt.PyJWK) -> None:
        self.kid = kid
        self.algorithm = algorithm
        self.key = key


class Keys:
    """`source`: a file's path, or a URL."""

    def __init__(self, source: str, *, ca_file: str = "", seconds: float = 5.0) -> None:
        """Raises `ValueError` for a URL that is none, `KeysError` for a file that cannot be used."""
        self._server: fetch.Server | None = None
        self._path = ""
        self._source = source
        self._keys: tuple[Key, ...] = ()
        self._read = self._tried = float("-inf")
        self._lock = asyncio.Lock()
        if source.startswith(("http://", "https://")):
            parts = urls.of_server(source, like="https://sso.example/keys")
            self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            self._server = fetch.Server(f"{parts.scheme}://{parts.netloc}", ca_file=ca_file, seconds=seconds)
        else:
            self._keys = _of_file(source)
            self._read = self._tried = monotonic()

    async def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The key of this name that is for this algorithm; without a name, the only one that is. Raises `Unavailable`."""
        if monotonic() > self._read + _KEPT and not (self._keys and self._lock.locked()):
            await self._renew()  # whoever comes meanwhile goes by those that are there
        found = self._among(kid, algorithm)
        if found is None:
            await self._renew()
            found = self._among(kid, algorithm)
        if found is None and not self._keys:
            raise errors.Unavailable("the keys of the issuer of JWTs cannot be read", retry_after=5)
        return found

    def _among(self, kid: str | None, algorithm: str) -> Key | None:
        fit = [k for k in self._keys if k.algorithm == algorithm and kid in (None, k.kid)]
        return fit[0] if len(fit) == 1 else None

    async def _renew(self) -> None:
        """Read them again, unless somebody has just done so."""
        async with self._lock:
            now = monotonic()
            pause = _PAUSE if self._keys else 1.0
            if now < self._tried + pause:
                return
            self._tried = now
            try:
                self._keys = await self._load()
                self._read = now
            except (errors.Unavailable, KeysError) as error:
                log.warning(
                    "keys of the issuer of JWTs cannot be read", source=self._source, reason=str(error)
                )

    async def _load(self) -> tuple[Key, ...]:
        if self._server is None:
            return await asyncio.to_thread(_of_file, self._source)
        answer = await self._server.ask("GET", self._path)
        if answer.status != 200:
            raise KeysError(f"the answer has status {answer.status}")
        return parse(answer.body, self._source)

    async def close(self) -> None:
        if self._server is not None:
            await self._server.close()


def _of_file(path: str) -> tuple[Key, ...]:
    try:
        with Path(path).open("rb") as file:
            if os.fstat(file.fileno()).st_mode & stat.S_IWOTH:
                raise KeysError(f"{path}: everybody may change it; chmod o-w {path}")
            return parse(file.read(), path)
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror}") from error


def parse(text: bytes, place: str) -> tuple[Key, ...]:
    """The keys of a JWKS that are good for signatures that are taken. Raises `KeysError`."""
    try:
        keys = codec.decode(text)["keys"]
        given = [key for key in keys if isinstance(key, dict)][:_MOST]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise KeysError(f"{place}: this is no JWKS: {{'keys': [...]}}") from error
    found = [key for one in given if (key := _key(one))]
    if not found:
        raise KeysError(f"{place}: it has no key for {', '.join(sorted(ALGORITHMS.values()))}")
    return tuple(found)


def _key(one: dict[str, object]) -> Key | None:
    kind = one.get("kty")
    algorithm = ALGORITHMS.get((str(kind), None if kind == "RSA" else str(one.get("crv"))))
    operations = one.get("key_ops", ["verify"])
    if algorithm is None or one.get("use", "sig") != "sig" or one.get("alg", algorithm) != algorithm:
        return None
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    public = {name: value for name, value in one.items() if name in {"kty", "crv", "n", "e", "x", "y", "kid"}}
    try:
        key = jwt.PyJWK(public, algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if algorithm == "RS256" and key.key.key_size < _WEAK:
        return None
    kid = one.get("kid")
    return Key(kid if isinstance(kid, str) else None, algorithm, key)
