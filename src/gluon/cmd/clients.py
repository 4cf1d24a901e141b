"""From which address a request came, also through proxies that are trusted to say so.

In: headers, with the address of the connection beside them. Out: addresses, or None. Invariant: what a header says counts as far as
trusted addresses have passed it on, and only an address is ever told. Called by the audit log and the access log.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gluon.api import message
from gluon.cmd import settings as config

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PAIRS = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))', re.ASCII).findall
_PLACE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?|([0-9A-Fa-f:.]+)").fullmatch
_MOST = 4096
"""Bytes of a header that are looked at, the last ones."""


class Client(NamedTuple):
    """`proxy`: the connection's own address, where another one asked through it."""

    address: str | None
    proxy: str | None


class Clients:
    """`proxies`: networks whose word about others counts; `header`: in which they give it."""

    def __init__(self, proxies: Sequence[str], header: str) -> None:
        """Raises `SettingsError`."""
        try:
            self._proxies = tuple(ipaddress.ip_network(one) for one in proxies)
        except ValueError as error:
            raise config.SettingsError(f"api.proxies: {error}; write networks such as 192.0.2.0/24") from None
        self._header = header.encode()
        self._hops = _forwarded if header == "forwarded" else _listed

    def of(self, headers: Mapping[bytes, bytes]) -> Client:
        peer = _address(headers.get(message.PEER, b"").decode("latin-1"))
        if peer is None:
            return Client(None, None)
        found = peer
        if self._trusted(peer):
            for hop in self._hops(headers.get(self._header, b"").decode("latin-1")):
                if hop is None:
                    break
                found = hop
                if not self._trusted(hop):
                    break
        return Client(str(found), str(peer) if found != peer else None)

    def _trusted(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _listed(text: str) -> Iterator[Address | None]:
    """The hops of `X-Forwarded-For`, the nearest first."""
    yield from map(_address, reversed(text[-_MOST:].split(",")) if text.strip() else ())


def _forwarded(text: str) -> Iterator[Address | None]:
    """The hops of `Forwarded` (RFC 7239), the nearest first; None for who is kept secret or is no address."""
    for element in _elements(text[-_MOST:]):
        named = {name.lower(): quoted or plain for name, quoted, plain in _PAIRS(element)}
        yield _address(named.get("for", ""))


def _elements(text: str) -> Iterator[str]:
    """From the end, which is the nearest proxy's: no quote that a client left open reaches into it."""
    end, quoted = len(text), False
    for at in range(len(text) - 1, -1, -1):
        if text[at] == '"' and not (quoted and text[at - 1 : at] == "\\"):
            quoted = not quoted
        elif text[at] == "," and not quoted:
            yield text[at + 1 : end]
            end = at
    yield text[:end]


def _address(text: str) -> Address | None:
    """Without a port; one of IPv4 in the form of IPv6 is that of IPv4."""
    match = _PLACE(text.strip())
    if match is None:
        return None
    try:
        found = ipaddress.ip_address(match[1] or match[2] or match[3])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
