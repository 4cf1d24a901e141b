"""`gluon server`: one process with everything, or a supervisor of API workers and a publisher.

SQLite belongs to one process, so it is served by one. PostgreSQL and MariaDB take any number of
workers on one listening socket beside a process of its own for publishing, which they wake by a
pipe; one that ends is started again, also where a file of rules or tokens has become unusable,
for as long as others serve. Workers end with their supervisor, whose pipe they hold.
Only who serves loads what serving takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import structlog

from gluon import errors
from gluon.cmd import bell, front, garbage, handover
from gluon.cmd import settings as config

if TYPE_CHECKING:
    from gluon.cmd.node import Node

log = structlog.get_logger(__name__)

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_STEADY = 3.0
"""Seconds after which a process counts as well started: one that is killed then comes back at once."""

PUBLISHER = "publisher"
HOPELESS = 78
"""Exit status of a child that cannot start until somebody changes something (EX_CONFIG of sysexits.h)."""


def shared(settings: config.Settings) -> bool:
    """Whether several processes may serve this database."""
    return not config.database_url(settings).startswith("sqlite:")


def check(settings: config.Settings) -> None:
    """Raises `SettingsError` for workers that cannot be."""
    if settings.api.workers < 1:
        raise config.SettingsError(f"--workers {settings.api.workers}: at least 1 is needed")
    if settings.api.workers > 1 and not (shared(settings) and settings.etcd.urls):
        raise config.SettingsError(
            f"--workers {settings.api.workers}: more than one needs --database postgresql://… or mysql://… "
            "and --etcd, as SQLite and the bus inside a process belong to one process"
        )


async def run(settings: config.Settings) -> None:
    """Until SIGTERM."""
    check(settings)
    stop = front.stopping()
    listening = front.listen(settings)
    url = front.url_of(listening)
    if settings.api.workers == 1 and not (shared(settings) and settings.etcd.urls):
        with garbage.paused():
            from gluon.cmd import node, serve
        async with node.open_node(settings, url=url) as running:
            _announce(url, running)
            await serve.serve(running.app, listening, stop, settings=settings.api, health=running.health)
        return
    await _supervise(settings, handover.packed(handover.load_models(settings)), listening, url, stop)


def _announce(url: str, running: Node) -> None:
    protons = ", ".join(f"{m.name} {m.version}" for m in running.models)
    log.info("serving", url=url, protons=protons)


@dataclass(frozen=True, slots=True)
class Child:
    """What a child process is started with: its name, and the descriptors that it inherits."""

    name: str
    settings: config.Settings
    url: str
    descriptors: tuple[int, int]
    """The listening socket; and the bell's end, to listen at or to ring with."""
    models: bytes = b""
    """The models of the files, packed."""
    again: bool = False
    """It served before: other models in the files since then are no reason to stop."""

    @property
    def works(self) -> bool:
        """Whether it answers requests."""
        return self.name != PUBLISHER


async def _supervise(
    settings: config.Settings, models: bytes, listening: socket.socket, url: str, stop: asyncio.Event
) -> None:
    """Binds under way need the publisher, so that ends last."""
    done = asyncio.Event()
    serving: dict[str, float] = {}
    rung, ringing = bell.pipe()
    async with asyncio.TaskGroup() as group:
        publisher = Child(PUBLISHER, settings, url, (listening.fileno(), rung), models)
        publishing = group.create_task(_keep(publisher, done, serving))
        workers = [
            group.create_task(
                _keep(
                    Child(f"worker-{n}", settings, url, (listening.fileno(), ringing), models),
                    stop,
                    serving,
                )
            )
            for n in range(settings.api.workers)
        ]
        await asyncio.wait(workers)
        done.set()
        await asyncio.wait({publishing})


async def _keep(child: Child, stop: asyncio.Event, serving: dict[str, float]) -> None:
    """One child process, started again whenever it ends. `serving`: since when each worker lives. Raises `GluonError` if starting it
    again is no use: it has never served, or no worker is left that does while a file is repaired."""
    loop = asyncio.get_running_loop()
    pause = _FIRST_PAUSE
    while not stop.is_set():
        began = loop.time()
        if child.works:
            serving[child.name] = began
        status = await _live(child, stop)
        serving.pop(child.name, None)
        if stop.is_set():
            return
        others = any(loop.time() - since > _STEADY for since in serving.values())
        if status == HOPELESS and not (child.again and others):
            raise errors.GluonError(f"{child.name} cannot start")
        log.warning("process ended", name=child.name, status=status)
        steady = loop.time() - began > _STEADY
        pause = _FIRST_PAUSE if steady else min(pause * 2, _LONGEST_PAUSE)
        child = dataclasses.replace(child, again=child.again or steady)
        try:
            async with asyncio.timeout(pause):
                await stop.wait()
        except TimeoutError:
            continue


async def _live(child: Child, stop: asyncio.Event) -> int | None:
    """The life of one child process: its exit status, None if there was no process at all."""
    try:
        process = await _start(child)
    except (OSError, RuntimeError):  # no memory, no processes left, or killed before it ran
        log.exception("process not started", name=child.name)
        return None
    return await _until_ended(process, stop, drain=child.settings.api.drain_seconds)


async def _start(child: Child) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gluon.cmd.worker",
        child.name,
        child.url,
        *map(str, child.descriptors),
        *(("again",) if child.again else ()),
        stdin=asyncio.subprocess.PIPE,
        pass_fds=child.descriptors,
    )
    if process.stdin is None:
        raise RuntimeError("a child was started without the pipe that was asked for")
    # Killed just now, it has no pipe any more; its end is noticed as any other.
    with contextlib.suppress(OSError, RuntimeError):
        process.stdin.write(msgspec.json.encode(child.settings) + b"\n")
        process.stdin.write(b"%d\n" % len(child.models) + child.models)
    log.info("process started", name=child.name, pid=process.pid)
    return process


async def _until_ended(child: asyncio.subprocess.Process, stop: asyncio.Event, *, drain: float) -> int:
    """Its exit status; after `stop` it is asked to end, and made to."""
    ended = asyncio.create_task(child.wait())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            child.send_signal(signal.SIGTERM)
            await asyncio.wait({ended}, timeout=drain + front.GRACE + 5)
    finally:
        stopped.cancel()
        if not ended.done():
            child.kill()
    return await ended


def names(settings: config.Settings) -> list[str]:
    """Of all children of a supervisor."""
    return [PUBLISHER, *(f"worker-{n}" for n in range(settings.api.workers))]


async def work(child: Child) -> None:
    """The life of one child: until SIGTERM, or until the supervisor is gone (end of our input)."""
    with garbage.paused():
        from gluon.cmd import node, serve
    name, settings, descriptors = child.name, child.settings, child.descriptors
    stop = front.stopping()
    publishes = not child.works
    process = f"{socket.gethostname()}-{name}-{os.getpid()}"
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _input_ended, stop)
    listening = socket.socket(fileno=descriptors[0])
    if publishes:
        listening.close()
    wake = None if publishes else bell.Bell(descriptors[1]).ring
    models = handover.unpacked(child.models)
    async with node.open_node(
        settings,
        url=child.url,
        process=process,
        lead=publishes,
        wake=wake,
        again=child.again,
        models=models,
        name=name,
        siblings=(os.getppid(), names(settings)),
    ) as running:
        _announce(child.url, running)
        if publishes:
            bell.listen(descriptors[1], running.publisher.notify)
            await stop.wait()
        else:
            await serve.serve(running.app, listening, stop, settings=settings.api, health=running.health)


def _input_ended(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()
