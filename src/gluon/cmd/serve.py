"""Serve a node over HTTP until SIGTERM or SIGINT: not ready, finish what runs (10 s), close all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import Iterator
from typing import Any

import structlog
import uvicorn

from gluon.api import lane
from gluon.cmd import garbage
from gluon.cmd import settings as config
from gluon.cmd.connection import Connection
from gluon.cmd.front import GRACE
from gluon.cmd.health import Health

log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: it would raise the signal again before we have closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


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
    garbage.settle(20_000, 20, 50)
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
