"""`noauth`: everyone who reaches the loopback address is the admin, but no web page may be the one.

`Host` must name this server and `Origin`, where a browser sends it, the same; writes want
`application/json` (checked with the body), which a page cannot send across origins unasked.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from gluon import errors
from gluon.spi import policy

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._~-]+))(?::[0-9]{0,5})?").fullmatch

ADMIN = policy.Caller(user="admin", project=None, roles=frozenset({"admin"}), admin=True)


class NoAuth:
    """Admits every caller as admin. `hosts`: further names under which the server is reached; `any_host`:
    do not check (`--insecure`)."""

    def __init__(self, hosts: frozenset[str] = frozenset(), *, any_host: bool = False) -> None:
        self._hosts = {"localhost", *(name.lower() for name in hosts)}
        self._any = any_host
        self._good: set[bytes] = set()
        self.open: frozenset[str] = frozenset()
        """None: who may come from where is looked at on every path."""

    def admit(self, method: str, headers: dict[bytes, bytes]) -> policy.Caller:
        if self._any:
            return ADMIN
        host = headers.get(b"host", b"")
        if host not in self._good:
            text = host.decode("latin-1")
            match = _HOST(text)
            self._check("Host", (match[1] or match[2]).lower() if match else "", text)
            if len(self._good) < 1024:
                self._good.add(host)
        origin = headers.get(b"origin")
        if origin is not None:
            text = origin.decode("latin-1")
            self._check("Origin", _host_of(text), text)
        return ADMIN

    def _check(self, header: str, name: str, given: str) -> None:
        if name in self._hosts or _is_loopback(name):
            return
        raise errors.Forbidden(
            f"{header} '{given[:255]}' is not this server",
            code="foreign_origin",
            hint="without authentication only local clients are served; see --insecure",
        )


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
