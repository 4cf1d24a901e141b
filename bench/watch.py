"""From a commit to the lines that watchers get: 1,000 of them at a steady rate of writes, some of which come and go.

990 watch one of 99 projects each, 10 watch everything. A port that is made is two events, as its interface is made with it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import uvloop

from bench import paced
from bench.load import PORT, PORTS
from bench.measure import Figure, Plan, at_most, median, percentile, resident_bytes
from bench.quiet import Rounds
from bench.site import Gluon, gluon, servers

_P99 = 250.0
_RATE = 200.0
_PROJECTS = [f"7a1f7d4e-0e13-4d5c-9f24-{n:012x}" for n in range(99)]
_EACH = 10
_WIDE = 10
_RETURNS = 20
"""Watchers a second that leave and come back with their token."""
_LATE = 20.0
_EVENTS = 2
"""Of one port."""


def run(plan: Plan) -> Sequence[Figure]:
    """The clock starts at the journal's time, which is taken shortly before the commit."""
    missed: list[float] = []
    with servers() as (postgres, etcd):
        database = postgres.url(postgres.create_database(), unix=True)
        with gluon(database, etcd.url) as product:
            seconds = max(plan.seconds, 5.0)
            alone = _alone(product, seconds)
            for one in (rounds := Rounds(plan, warm=1)):
                before = product.api_cpu()
                round_ = uvloop.run(_round(product.server.port, round(_RATE * seconds)))
                used = product.api_cpu() - before
                product.settle()
                missed.append(float(round_.missed))
                one["p50"], one["p99"] = percentile(round_.lags, 0.5), percentile(round_.lags, 0.99)
                one["cpu"] = max(0.0, used - alone) * 1e6 / len(round_.lags)
                one["rate"] = paced.rate_of(round_.answers)
                one["memory"] = resident_bytes(product.server.process("worker-0")) / 1e6
    return [
        at_most("commit to line p99", rounds["p99"], "ms", _P99),
        median("commit to line p50", rounds["p50"], "ms"),
        at_most("events missed over returns, of all rounds", [sum(missed)], "", 0),
        median("API CPU an event told", rounds["cpu"], "µs"),
        median("memory of the API process", rounds["memory"], "MB"),
        median(f"writes a second (asked for {_RATE:g})", rounds["rate"], "/s"),
        rounds.figure(),
    ]


def _alone(product: Gluon, seconds: float) -> float:
    """CPU seconds of the same writes while nobody watches."""
    requests = _requests(round(_RATE * seconds))
    paced.send(product.server.port, requests[: round(_RATE)], rate=_RATE)
    before = product.api_cpu()
    paced.send(product.server.port, requests, rate=_RATE)
    product.settle()
    return product.api_cpu() - before


def _requests(count: int) -> list[paced.Request]:
    """Ports of all projects in turn."""
    return [
        paced.json_request("POST", PORTS, {**PORT, "tenant_id": _PROJECTS[n % len(_PROJECTS)]})
        for n in range(count)
    ]


class _Round:
    def __init__(self) -> None:
        self.lags: list[float] = []
        self.times: dict[bytes, float] = {}
        self.answers: list[paced.Answer] = []
        self.missed = 0


class _Watcher(asyncio.Protocol):
    """One client. Whole lines come, and the marks of chunks between them begin with no brace."""

    def __init__(self, seen: _Round, path: str, port: int) -> None:
        self._seen, self._path, self._port = seen, path, port
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.token = b""
        self.known: set[bytes] = set()
        self.ready = asyncio.Event()

    async def connect(self) -> None:
        self.ready.clear()
        self._rest = b""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        self._transport = transport
        resume = f"resume={self.token.decode()}" if self.token else ""
        join = "&" if "?" in self._path else "?"
        target = f"{self._path}{join if resume else ''}{resume}"
        transport.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode())
        async with asyncio.timeout(_LATE):
            await self.ready.wait()

    def leave(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        now = time.time()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"{"):
                self._take(line, now)

    def _take(self, line: bytes, now: float) -> None:
        self.token = _member(line, b'"resume":"', b'"')
        self.ready.set()
        if line.startswith(b'{"type":"BOOKMARK"'):
            return
        if not line.startswith(b'{"type":"ADDED"'):
            raise RuntimeError(line[:300].decode())
        name = _member(line, b'"plural":"', b'","op"')
        if name in self.known:
            return  # told again after a return inside of a unit
        self.known.add(name)
        at = _member(line, b'"at":"', b'"')
        written = self._seen.times.get(at)
        if written is None:
            written = datetime.fromisoformat(at.decode()).replace(tzinfo=UTC).timestamp()
            self._seen.times[at] = written
        self._seen.lags.append((now - written) * 1e3)


def _member(line: bytes, before: bytes, after: bytes) -> bytes:
    start = line.index(before) + len(before)
    return line[start : line.index(after, start)]


async def _round(port: int, count: int) -> _Round:
    """Watch, write, come and go; until everyone has everything."""
    seen = _Round()
    narrow = [
        _Watcher(seen, f"/gluon/v1/watch?project={project}", port)
        for project in _PROJECTS
        for _ in range(_EACH)
    ]
    wide = [_Watcher(seen, "/gluon/v1/watch", port) for _ in range(_WIDE)]
    for start in range(0, len(narrow), 50):
        await asyncio.gather(*(w.connect() for w in narrow[start : start + 50]))
    await asyncio.gather(*(w.connect() for w in wide))
    moving = asyncio.create_task(_come_and_go([*narrow, *wide]))
    seen.answers = await asyncio.to_thread(paced.send, port, _requests(count), rate=_RATE, connections=8)
    moving.cancel()
    with suppress(asyncio.CancelledError):
        await moving
    wanted = [(w, count * _EVENTS) for w in wide]
    for n, watcher in enumerate(narrow):
        wanted.append((watcher, len(range(n // _EACH, count, len(_PROJECTS))) * _EVENTS))
    with suppress(TimeoutError):
        async with asyncio.timeout(_LATE):
            while any(len(w.known) < most for w, most in wanted):  # noqa: ASYNC110 - lines come as they come
                await asyncio.sleep(0.02)
    seen.missed = sum(most - len(w.known) for w, most in wanted)
    for watcher, _ in wanted:
        watcher.leave()
    return seen


async def _come_and_go(watchers: Sequence[_Watcher]) -> None:
    while True:
        await asyncio.sleep(1 / _RETURNS)
        watcher = random.choice(watchers)
        watcher.leave()
        await asyncio.shield(watcher.connect())
