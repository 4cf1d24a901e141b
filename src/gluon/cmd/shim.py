"""`gluon shim`: find the backend among the installed ones, connect, follow. Loads no SQL and no API."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from importlib import metadata
from typing import Any

import structlog

from gluon.cmd import etcd, garbage
from gluon.cmd import settings as config
from gluon.errors import GiveUp
from gluon.shim import engine
from gluon.shim.settings import Pace
from gluon.spi import backend as spi
from gluon.spi.bus import Bus

log = structlog.get_logger(__name__)

GROUP = "gluon.backends"


def find_backend(name: str) -> type[spi.Backend]:
    """The class behind an entry point. Raises `SettingsError` naming what there is, or who is guilty."""
    points = {p.name: p for p in metadata.entry_points(group=GROUP)}
    point = points.get(name)
    if point is None:
        raise config.SettingsError(
            f"--backend '{name}': no such backend; installed are {', '.join(sorted(points)) or 'none'}"
        )
    guilty = point.dist.name if point.dist else point.value
    try:
        found: Any = point.load()
    except ImportError as error:
        raise config.SettingsError(
            f"backend '{name}' of {guilty} cannot be loaded: {error}; is its extra installed?"
        ) from error
    version = getattr(found, "api_version", None)
    if version != spi.API_VERSION:
        raise config.SettingsError(
            f"backend '{name}' of {guilty} is made for API version {version}, this is {spi.API_VERSION}"
        )
    backend: type[spi.Backend] = found
    return backend


def make(settings: config.Settings, bus: Bus) -> engine.Shim:
    """The shim of the settings. Raises `SettingsError`."""
    wanted = settings.shim
    if not wanted.backend or not wanted.hosts or not all(wanted.hosts):
        raise config.SettingsError("a shim needs --backend NAME and --host HOST (or '*')")
    backend = find_backend(wanted.backend)
    try:
        for host in wanted.hosts:  # making one does no I/O: wrong options are said now, not at each election
            backend(spi.Setting(controller=wanted.name, host=host, options=wanted.options))
        made = engine.Shim(
            bus,
            backend,
            hosts=wanted.hosts,
            controller=wanted.name,
            instance=wanted.instance or f"{socket.gethostname()}-{os.getpid()}",
            apis=wanted.apis,
            options=wanted.options,
            level=wanted.level,
            pace=Pace(full_scan=wanted.scan_seconds),
        )
        if too_long := made.registration.too_long():
            raise config.SettingsError(f"shim: {too_long}")
    except GiveUp as error:
        raise config.SettingsError(f"shim.options of backend '{wanted.backend}': {error}") from error
    except ValueError as error:
        raise config.SettingsError(f"shim: {error}") from error
    return made


async def run(settings: config.Settings) -> None:
    """Until SIGTERM or SIGINT."""
    if not settings.etcd.urls:
        raise config.SettingsError("a shim of its own needs --etcd URL,…; `gluon up` runs one without etcd")
    bus = etcd.connect_bus(settings)
    try:
        shim = make(settings, bus)
        loop = asyncio.get_running_loop()
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, shim.stop)
        log.info(
            "serving", controller=shim.controller, instance=shim.instance, hosts=list(settings.shim.hosts)
        )
        garbage.settle(700, 5, 3)
        await shim.run()
    finally:
        await bus.close()
