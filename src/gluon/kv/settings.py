"""Where etcd is and how to speak to it. In: text of the command line or a file; no I/O.

`EtcdSettings.parse` is the one place that understands URLs; the password never shows in a repr.
Called by `connect` and by the mains that check their settings early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gluon.errors import BusError

_DEFAULT_PORT = 2379


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One endpoint. `target` is `host:port`, an IPv6 host in brackets."""

    target: str
    tls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdSettings:
    """`timeout` is of one call, `progress` how often a silent watch is asked whether it lives.

    `ca_file` empty with https means the authorities of this machine; `cert_file` and `key_file`
    make it mutual TLS. `max_ops` must not be above etcd's `--max-txn-ops`.
    """

    addresses: tuple[Address, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    timeout: float = 5.0
    progress: float = 10.0
    max_ops: int = 128

    @property
    def names(self) -> str:
        """The endpoints as a person wants to read them in a message."""
        return ", ".join(address.target for address in self.addresses)


def parse_address(url: str) -> Address:
    """`http://host:port`, `https://host:port` or `host:port`. Raises `BusError`."""
    text = url.strip()
    if "@" in text:
        raise BusError(
            "what has an @ in it is no address of etcd: names and passwords are settings of their own"
        )
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BusError(f"{url!r} is no address of etcd: {error}") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise BusError(f"{url!r} is no address of etcd: write http://host:port or https://host:port")
    if parts.path.strip("/") or parts.query:
        raise BusError(f"{url!r} is no address of etcd: only scheme, host and port belong there")
    bracketed = f"[{host}]" if ":" in host else host
    return Address(target=f"{bracketed}:{port or _DEFAULT_PORT}", tls=parts.scheme == "https")


def parse_addresses(urls: Sequence[str]) -> tuple[Address, ...]:
    """Every URL may itself be a list with commas. Raises `BusError` if one is wrong or none given."""
    addresses = tuple(parse_address(part) for url in urls for part in url.split(",") if part.strip())
    if not addresses:
        raise BusError("no address of etcd is given")
    return tuple(dict.fromkeys(addresses))
