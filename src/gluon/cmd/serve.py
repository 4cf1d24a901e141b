"""Serve a node over HTTP until SIGTERM or SIGINT: not ready, finish what runs (10 s), close all."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import logging
import resource
import signal
import socket
from collections.abc import Iterator
from typing import Any

import structlog
import uvicorn

from gluon.api import lane
from gluon.cmd import identities
from gluon.cmd import settings as config
from gluon.cmd.connection import Connection
from gluon.cmd.health import Health

log = structlog.get_logger(__name__)

GRACE = 10
"""Seconds that requests under way have after SIGTERM."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: it would raise the signal again before we have closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(settings: config.Settings) -> socket.socket:
    """The listening socket. Raises `SettingsError` beyond loopback without authentication or `--insecure`, or if taken."""
    host, port = settings.api.host, settings.api.port
    if not (settings.api.insecure or _is_loopback(host) or identities.known_callers(settings)):
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


def _is_loopback(host: str) -> bool:
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


def _allow_connections() -> None:
    """As many open files as the system lets us have: its usual first limit is some 1,000 clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def serve(
    app: Any, listening: socket.socket, stop: asyncio.Event, *, settings: config.Api, health: Health
) -> None:
    """Until `stop` is set: then not ready, after `drain_seconds` no new connections, and what runs is finished."""
    # it warns of each client that does not speak HTTP
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    _allow_connections()
    server = _Server(
        uvicorn.Config(
            app,
            http=Connection.limited(settings.request_seconds),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE,
            backlog=2048,
        )
    )
    # What was loaded stays; only what requests make is worth looking at, and most of that is gone by
    # itself before a look every 20,000 objects (every 700 cost one request in twenty-five its CPU).
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    health.stopping = True
    if settings.drain_seconds:
        log.info("stopping", after=settings.drain_seconds)
        await asyncio.wait({serving}, timeout=settings.drain_seconds)
    if isinstance(app, lane.Lane):
        app.end()
    server.should_exit = True
    waiting.cancel()
    await serving
