"""One project offers ten times its rate limit: what becomes of another that makes a port now and then.

The limit is half of what the server can do, measured first; all else is as it comes: a worker and a publisher with PostgreSQL and etcd,
or all in one process (`--database sqlite`). Three projects: one alone without limit, the greedy one, and the one whose
waiting is measured, idle and beside the greedy one. Clients are processes of their own. The greedy one does not wait for answers: a
request that is due takes any of its connections that is free; what finds none, as the server holds all of them, counts as
offered and is not sent.

Clients share the processors with the server, as they never would elsewhere, so two things are taken out of what is measured, idle and
beside alike. The one that measures is first in line (real time, 1 % of a core), else what it waits for a processor itself would count
as the server's. The others get their share but never interrupt (`SCHED_BATCH`), else each answer to the greedy one stops
the server in the middle of writing them. Where the system does not let us, they are as others, and `late` shows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import msgspec
import uvloop

import gluon as package
from bench.measure import Figure, Plan, at_most, median, percentile
from bench.quiet import Rounds
from bench.site import kept_in
from gluon.testing.product import GluonServer

_TIMES = 2.0
_GREED = 10
_CONNECTIONS = 768
_CALM = 100.0
_WAITING = 48
"""Connections of the calm one: enough that a late answer holds back no request."""
_TICK = 0.001
"""Seconds between looks at what is due. A shorter sleep is none at all, and this client would be a loop that takes a core."""
_BURST = 2.5
"""Seconds after which the burst of the default settings is used up: it is measured apart."""
_QUIET = 0.001
"""Of all processors' time may be stolen from a round: of a p99 the slowest hundredth counts, and a stall delays all that come meanwhile."""
_PROJECT = "00000000-0000-4000-8000-%012d"
_PATH = "/proton/net-l2/v2.0/ports"


class Load(msgspec.Struct):
    """What a client process does: `rate` creates a second, 0 as fast as they go over so many connections; whether it measures."""

    port: int
    token: str
    rate: float
    connections: int
    seconds: float
    measures: bool = False


class Seen(msgspec.Struct):
    """Requests that were due, answers by status, the milliseconds of each that was 201 since it was due, of which the client
    itself was so late to send it."""

    statuses: dict[int, int]
    waits: list[float]
    late: list[float]
    offered: int = 0

    def at(self, share: float) -> float:
        return percentile(self.waits, share)


def run(plan: Plan) -> Sequence[Figure]:
    seconds = plan.seconds * 2
    with _server(plan.database, 0) as (port, tokens):
        capacity = max(
            _done(_start(Load(port, tokens[0], 0, 32, seconds))).statuses[201] / seconds for _ in range(2)
        )
    limit = capacity / 2
    with _server(plan.database, limit) as (port, tokens):
        for one in (rounds := Rounds(plan, most=_QUIET)):
            os.sync()  # what was written before this round is not to be written out during it
            idle = _done(_start(Load(port, tokens[1], _CALM, _WAITING, seconds, measures=True)))
            whole = seconds + _BURST + 1
            greedy = _start(Load(port, tokens[0], limit * _GREED, _CONNECTIONS, whole))
            first = _done(_start(Load(port, tokens[1], _CALM, _WAITING, _BURST, measures=True)))
            beside = _done(_start(Load(port, tokens[1], _CALM, _WAITING, seconds, measures=True)))
            told = _done(greedy)
            one |= {
                "ratio": beside.at(0.99) / idle.at(0.99),
                "idle": idle.at(0.99),
                "beside": beside.at(0.99),
                "middle idle": idle.at(0.5),
                "middle beside": beside.at(0.5),
                "late": percentile(beside.late, 0.99),
                "burst": first.at(0.99),
                "offered": told.offered / whole / limit,
                "sent": sum(told.statuses.values()) / whole / limit,
                "served": told.statuses.get(201, 0) / whole / limit,
            }
    return [
        at_most("p99 of others beside a greedy project, to idle", rounds["ratio"], "×", _TIMES),
        median("p99 of others, idle", rounds["idle"], "ms"),
        median("p99 of others, beside", rounds["beside"], "ms"),
        median("p50 of others, idle", rounds["middle idle"], "ms"),
        median("p50 of others, beside", rounds["middle beside"], "ms"),
        median("p99 of what their client was late, beside", rounds["late"], "ms"),
        median("p99 of others, in the first seconds, with its burst", rounds["burst"], "ms"),
        median("capacity", [capacity], "/s"),
        median("offered by the greedy one, to its limit", rounds["offered"], "×"),
        median("answered of that, to its limit", rounds["sent"], "×"),
        median("served of that, to its limit", rounds["served"], "×"),
        rounds.figure(),
    ]


@contextmanager
def _server(database: str, rate: float) -> Iterator[tuple[int, list[str]]]:
    """A server on this kind of database that knows two projects; the first has the rate as its limit."""
    tokens = [secrets.token_hex(16) for _ in range(2)]
    with _kept(database) as words, tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "tokens.yaml"
        bearers = [
            {"token": token, "user": f"u{n}", "project": _PROJECT % n, "roles": ["member"]}
            for n, token in enumerate(tokens)
        ]
        known.touch(mode=0o600)
        known.write_text(json.dumps({"tokens": bearers}), encoding="utf-8")
        model = Path(folder) / "model"
        model.mkdir()
        shipped = Path(package.__file__).parent / "catalog" / "net-l2" / "api.yaml"
        text = shipped.read_text(encoding="utf-8").replace("quota: 500", "quota: 100000000")
        (model / "api.yaml").write_text(text, encoding="utf-8")
        config = Path(folder) / "gluon.toml"
        config.write_text(
            f'[identity]\nmethods = ["tokens"]\n[tokens]\nfile = "{known}"\n'
            f"[limits]\nprojects = {{{_PROJECT % 0} = {rate:.1f}}}\n",
            encoding="utf-8",
        )
        with GluonServer("server", "--config", str(config), "--model", str(model), *words) as server:
            yield server.port, tokens


@contextmanager
def _kept(database: str) -> Iterator[Sequence[str]]:
    """The words for it."""
    if database == "sqlite":
        yield ()
    else:
        with kept_in(database) as (url, etcd):
            yield ("--workers", "1", "--database", url, "--etcd", etcd)


def _start(load: Load) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.fair"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    child.stdin.write(msgspec.json.encode(load))
    child.stdin.close()
    child.stdin = None
    return child


def _done(child: subprocess.Popen[bytes]) -> Seen:
    told, _ = child.communicate(timeout=120)
    return msgspec.json.decode(told, type=Seen)


class _Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _: Exception | None) -> None:
        """The server ends those that were idle for long."""
        self._client.lost(self)

    def send(self, due: float) -> None:
        self._due = due
        self._client.sending(due)
        self._transport.write(self._client.request)

    def data_received(self, data: bytes) -> None:
        """An answer comes in one piece: it is small, and written at once."""
        self._client.answered(self, int(data[9:12]), self._due)


class _Client:
    """Sends what is due, whatever has been answered."""

    def __init__(self, load: Load) -> None:
        body = b'{"name":"p"}'
        self.request = (
            f"POST {_PATH} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: {load.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        self.seen = Seen({}, [], [])
        self._load = load
        self._free: deque[_Connection] = deque()
        self._making: set[asyncio.Task[None]] = set()
        self._ended = False

    async def work(self) -> Seen:
        load = self._load
        for _ in range(load.connections):
            await self._connect()
        began = time.monotonic()
        if not load.rate:
            while self._free:
                self._free.popleft().send(began)
            await asyncio.sleep(load.seconds)
        else:
            while (now := time.monotonic()) < began + load.seconds:
                self._send_due(began, now)
                await asyncio.sleep(max(_TICK, began + self.seen.offered / load.rate - now))
        self._ended = True
        return self.seen

    def _send_due(self, began: float, now: float) -> None:
        """What finds no connection is not sent: counted only, so that the client costs the server no CPU."""
        rate = self._load.rate
        first, end = self.seen.offered, int((now - began) * rate) + 1
        for number in range(first, min(end, first + len(self._free))):
            self._free.popleft().send(began + number / rate)
        self.seen.offered = end

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._load.port)
        self._free.append(made)

    def sending(self, due: float) -> None:
        self.seen.late.append((time.monotonic() - due) * 1e3)

    def lost(self, which: _Connection) -> None:
        if self._ended:
            return
        with contextlib.suppress(ValueError):
            self._free.remove(which)
        again = asyncio.get_running_loop().create_task(self._connect())
        self._making.add(again)
        again.add_done_callback(self._making.discard)

    def answered(self, which: _Connection, status: int, due: float) -> None:
        if self._ended:
            return
        now = time.monotonic()
        self.seen.statuses[status] = self.seen.statuses.get(status, 0) + 1
        if status == 201:
            self.seen.waits.append((now - due) * 1e3)
        if self._load.rate:
            self._free.append(which)
        else:
            which.send(now)


def _stand_in_line(load: Load) -> None:
    with contextlib.suppress(PermissionError):
        if load.measures:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        else:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    _stand_in_line(given)
    # sys.stdout may be unbuffered, and then it writes only what the pipe takes
    with open(1, "wb", closefd=False) as output:
        output.write(msgspec.json.encode(uvloop.run(_Client(given).work())))
