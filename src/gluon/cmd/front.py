"""Where a server listens, for whom, and until when: what a supervisor needs too, which serves nothing itself.

In: settings. Out: the listening socket, its URL, the event of SIGTERM. Called by `server` and `up`. Loads no API.
"""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket

from gluon.cmd import settings as config

GRACE = 10
"""Seconds that requests under way have after SIGTERM."""
_NOAUTH = "noauth"


def known_callers(settings: config.Settings) -> bool:
    """Whether a caller has to say who he is. Raises `SettingsError` for methods that cannot be together."""
    methods = settings.identity.methods
    if not methods:
        raise config.SettingsError("[identity] methods is empty: name one, or noauth")
    if _NOAUTH in methods and len(set(methods)) > 1:
        raise config.SettingsError(
            "[identity] methods: noauth lets everyone in, so no other method can stand beside it"
        )
    return _NOAUTH not in methods


def listen(settings: config.Settings) -> socket.socket:
    """The listening socket. Raises `SettingsError` beyond loopback without authentication or `--insecure`, or if taken."""
    host, port = settings.api.host, settings.api.port
    if not (settings.api.insecure or is_loopback(host) or known_callers(settings)):
        raise config.SettingsError(
            f"--host {host}: without authentication only loopback is served: set [identity] methods; --insecure overrides"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # connections inherit it: one whose client takes nothing for so long ends
    patience = max(1, int(settings.api.request_seconds * 1000))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, min(patience, 2**31 - 1))
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise config.SettingsError(
            f"{host} port {port}: {error.strerror}; choose another with --port"
        ) from error
    listening.set_inheritable(True)
    return listening


def is_loopback(host: str) -> bool:
    """Whether what is sent to a host stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url_of(listening: socket.socket) -> str:
    """Where clients reach it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def stopping() -> asyncio.Event:
    """Set on the first SIGTERM or SIGINT of this process."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, event.set)
    return event
