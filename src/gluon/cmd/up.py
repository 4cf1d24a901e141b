"""`gluon up`: API, publisher and the fake backend in one process, for a person who wants to look."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import msgspec
import structlog

from gluon.cmd import front, node, samples, serve, shim
from gluon.cmd import settings as config
from gluon.publisher import supervise

log = structlog.get_logger(__name__)

_FAKE = config.Shim(backend="fake", hosts=("*",), options={"explain": True})


async def run(settings: config.Settings, *, shims: bool, ports: int = 0) -> None:
    """Until SIGTERM. `ports`: so many to try it with."""
    samples.check(ports)
    if settings.api.workers > 1:
        raise config.SettingsError("gluon up is one process; --workers belongs to gluon server")
    stop = front.stopping()
    listening = front.listen(settings)
    url = front.url_of(listening)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(node.open_node(settings, url=url))
        if shims:
            wanted = settings if settings.shim.backend else msgspec.structs.replace(settings, shim=_FAKE)
            shim.make(wanted, running.bus)  # does nothing yet: wrong settings are said now
            following = asyncio.create_task(
                supervise.supervise(
                    "shim", lambda: shim.make(wanted, running.bus).run(), running.publisher.stats
                )
            )
            stack.push_async_callback(_end, following)
        log.info(
            "serving",
            url=url,
            protons=", ".join(f"{m.name} {m.version}" for m in running.models),
            database=config.database_url(settings).split("://", 1)[0],
            try_this=f"curl {url}/proton/",
            in_a_browser=f"{url}/docs",
        )
        if ports:
            print(await samples.make(running, ports, url), flush=True)
        await serve.serve(running.app, listening, stop, settings=settings.api, health=running.health)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
