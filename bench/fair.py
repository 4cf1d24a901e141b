"""One project offers ten times its rate limit: what becomes of another that makes a port now and then.

The limit is half of what the server can do, measured first. Three projects: one alone without limit, the greedy one, and
the one whose waiting is measured, idle and beside the greedy one. Clients are processes of their own.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvloop

import gluon as package
from bench.measure import Figure, Plan, at_most, median
from gluon.testing.product import GluonServer

_TIMES = 2.0
_GREED = 10
_CONNECTIONS = 64
_CALM = 40.0
_PROJECT = "00000000-0000-4000-8000-%012d"
_PATH = "/proton/net-l2/v2.0/ports"


class Load(msgspec.Struct):
    """What a client process does: `rate` creates a second over so many connections, 0 as fast as they go."""

    port: int
    token: str
    rate: float
    connections: int
    seconds: float


class Seen(msgspec.Struct):
    """Answers by status, and the milliseconds of each that was 201."""

    statuses: dict[int, int]
    waits: list[float]

    @property
    def p99(self) -> float:
        return sorted(self.waits)[int(len(self.waits) * 0.99)]


def run(plan: Plan) -> Sequence[Figure]:
    rounds: dict[str, list[float]] = {}
    seconds = plan.seconds * 2
    with _server(0) as (port, tokens):
        capacity = max(
            _done(_start(Load(port, tokens[0], 0, 32, seconds))).statuses[201] / seconds for _ in range(2)
        )
    limit = capacity / 2
    with _server(limit) as (port, tokens):
        for _ in range(plan.rounds):
            idle = _done(_start(Load(port, tokens[1], _CALM, 4, seconds)))
            greedy = _start(Load(port, tokens[0], limit * _GREED, _CONNECTIONS, seconds + 1))
            time.sleep(0.5)
            beside = _done(_start(Load(port, tokens[1], _CALM, 4, seconds)))
            told = _done(greedy)
            for name, value in (
                ("ratio", beside.p99 / idle.p99),
                ("idle", idle.p99),
                ("beside", beside.p99),
                ("offered", sum(told.statuses.values()) / (seconds + 1) / limit),
                ("served", told.statuses.get(201, 0) / (seconds + 1) / limit),
            ):
                rounds.setdefault(name, []).append(value)
    return [
        at_most("p99 of others beside a greedy project, to idle", rounds["ratio"], "×", _TIMES),
        median("p99 of others, idle", rounds["idle"], "ms"),
        median("p99 of others, beside", rounds["beside"], "ms"),
        median("capacity", [capacity], "/s"),
        median("offered by the greedy one, to its limit", rounds["offered"], "×"),
        median("served of that, to its limit", rounds["served"], "×"),
    ]


@contextmanager
def _server(rate: float) -> Iterator[tuple[int, list[str]]]:
    """A server on SQLite that knows two projects; the first has the rate as its limit."""
    tokens = [secrets.token_hex(16) for _ in range(2)]
    with tempfile.TemporaryDirectory() as folder:
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
            f"[limits]\nburst = {max(rate / 20, 1):.1f}\nprojects = {{{_PROJECT % 0} = {rate:.1f}}}\n",
            encoding="utf-8",
        )
        with GluonServer("server", "--config", str(config), "--model", str(model)) as server:
            yield server.port, tokens


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


async def _work(load: Load) -> Seen:
    seen = Seen({}, [])
    end = time.monotonic() + load.seconds
    await asyncio.gather(*(_connection(load, seen, n, end) for n in range(load.connections)))
    return seen


async def _connection(load: Load, seen: Seen, number: int, end: float) -> None:
    body = b'{"name":"p"}'
    request = (
        f"POST {_PATH} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: {load.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    pause = load.connections / load.rate if load.rate else 0.0
    turn = time.monotonic() + pause * number / load.connections
    while (now := time.monotonic()) < end:
        if pause and turn > now:
            await asyncio.sleep(turn - now)
        turn = max(turn + pause, now - 1)
        began = time.monotonic()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        size = head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0]
        await reader.readexactly(int(size))
        status = int(head[9:12])
        seen.statuses[status] = seen.statuses.get(status, 0) + 1
        if status == 201:
            seen.waits.append((time.monotonic() - began) * 1e3)
    writer.close()


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_work(given))))
