"""How a server is reached: directly, or by the proxy that the environment names, as curl and requests read it.

In: a URL, the environment (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, in small letters, or else in large ones). Out: a
connection that is not open yet. Invariant: this machine itself is never reached by a proxy. Called by `http` and `login`.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import ssl
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

_PORTS = {"http": 80, "https": 443}
_ALL = "*"


class NoProxy(ValueError):
    """The environment names a proxy that cannot be one."""


class Way(NamedTuple):
    """`prefix` stands before each path, `headers` go with each request; `proxy` for people, empty where there is none."""

    connection: http.client.HTTPConnection
    prefix: str = ""
    headers: Mapping[str, str] = {}
    proxy: str = ""


def way(
    url: SplitResult, environment: Mapping[str, str], *, timeout: float, context: ssl.SSLContext | None = None
) -> Way:
    """To the server of a URL with a host. Raises `ValueError`, `NoProxy`."""
    host, port = url.hostname or "", url.port
    said = proxy_of(url, environment)
    if not said:
        if url.scheme == "https":
            return Way(http.client.HTTPSConnection(host, port, timeout=timeout, context=context))
        return Way(http.client.HTTPConnection(host, port, timeout=timeout))
    proxy = _parsed(said)
    there = proxy.hostname or "", proxy.port or _PORTS["http"]
    own = _credentials(proxy)
    shown = f"{proxy.hostname}:{there[1]}"
    if url.scheme == "http":
        return Way(http.client.HTTPConnection(*there, timeout=timeout), f"http://{url.netloc}", own, shown)
    tunnel = http.client.HTTPSConnection(*there, timeout=timeout, context=context)
    tunnel.set_tunnel(host, port or _PORTS["https"], headers=dict(own))
    return Way(tunnel, proxy=shown)


def proxy_of(url: SplitResult, environment: Mapping[str, str]) -> str:
    """The proxy that is named for a URL, empty where it is reached directly."""
    found = _said(environment, f"{url.scheme}_proxy") or _said(environment, "all_proxy")
    if not found:
        return ""
    host, port = (url.hostname or "").rstrip("."), url.port or _PORTS.get(url.scheme)
    if _here(host):
        return ""
    beside = (one.strip().lower() for one in _said(environment, "no_proxy").split(","))
    return "" if any(_covers(one, host, port) for one in beside if one) else found


def _said(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, environment.get(name.upper(), "")).strip()


def _here(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or host.endswith(".localhost") or (address is not None and address.is_loopback)


def _covers(one: str, host: str, port: int | None) -> bool:
    """Whether an entry of `no_proxy` is this server's: a name, with those below it; an address; a network; `*`."""
    if one == _ALL:
        return True
    address = _address(host)
    if address is not None:
        try:
            return address in ipaddress.ip_network(one.strip("[]"), strict=False)
        except ValueError:
            pass
    name, colon, number = one.rpartition(":")
    if colon and number.isdecimal():
        if port != int(number):
            return False
        one = name
    one = one.strip("[]").lstrip(".")
    return host == one or host.endswith(f".{one}")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _parsed(said: str) -> SplitResult:
    proxy = urlsplit(said if "://" in said else f"http://{said}")
    if proxy.scheme != "http" or not proxy.hostname:
        raise NoProxy("the environment names a proxy that is none for us: only http://HOST:PORT will do")
    return proxy


def _credentials(proxy: SplitResult) -> Mapping[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"proxy-authorization": f"Basic {base64.b64encode(pair).decode()}"}
