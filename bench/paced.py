"""A client of its own process that sends requests at a given rate over a few kept-alive connections.

In: a port, or several to compare, requests, a rate. Out: an `Answer` for each, with wall clock times, so that another process
on this machine can compare. The loop is closed: a connection sends its next request when the last one
is answered and its turn has come; one that is late goes at once. Servers that are compared get each request one after the other,
those of odd numbers in reverse order, so that whatever the machine does in between meets them all alike.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec
import uvloop

LIMIT = 120.0


class Request(msgspec.Struct):
    """`body` is JSON text, empty for none."""

    method: str
    path: str
    body: str = ""


class Answer(msgspec.Struct):
    """`began` and `ended` in seconds since 1970."""

    began: float
    ended: float
    status: int
    body: str

    @property
    def milliseconds(self) -> float:
        return (self.ended - self.began) * 1e3


class Work(msgspec.Struct):
    """What the child process is told. `rate` a second; 0: as fast as the connections go."""

    ports: tuple[int, ...]
    requests: list[Request]
    rate: float
    connections: int


def send(port: int, requests: Sequence[Request], *, rate: float = 0, connections: int = 8) -> list[Answer]:
    """Send all from a child process. Raises `RuntimeError` where an answer is not 2xx."""
    return _done(Work((port,), list(requests), rate, connections))[0]


def compare(ports: Sequence[int], requests: Sequence[Request], *, rate: float) -> list[list[Answer]]:
    """Send each request to each of the ports, on a connection each; the answers of each port. Raises as `send` does."""
    return _done(Work(tuple(ports), list(requests), rate, 1))


def _done(work: Work) -> list[list[Answer]]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.paced"],
        input=msgspec.json.encode(work),
        stdout=subprocess.PIPE,
        timeout=LIMIT,
        check=True,
    )
    told = msgspec.json.decode(done.stdout, type=list[list[Answer]])
    for answer in chain.from_iterable(told):
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"status {answer.status}: {answer.body[:300]}")
    return told


def rate_of(answers: Sequence[Answer]) -> float:
    """Answers a second."""
    return len(answers) / (max(a.ended for a in answers) - min(a.began for a in answers))


async def _work(work: Work) -> list[list[Answer]]:
    turns = iter(enumerate(work.requests))
    answers: list[list[Answer]] = [[] for _ in work.ports]
    start = time.time()
    await asyncio.gather(*(_connection(work, turns, start, answers) for _ in range(work.connections)))
    return answers


async def _connection(
    work: Work, turns: Iterator[tuple[int, Request]], start: float, answers: list[list[Answer]]
) -> None:
    made = [(*await asyncio.open_connection("127.0.0.1", port), port) for port in work.ports]
    servers = list(zip(made, answers, strict=True))
    for number, request in turns:
        if work.rate:
            await asyncio.sleep(max(0.0, start + number / work.rate - time.time()))
        for (reader, writer, port), seen in servers[:: -1 if number % 2 else 1]:
            content = request.body.encode()
            head = f"{request.method} {request.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            began = time.time()
            writer.write(head.encode() + content)
            status, body = await _answer(reader)
            seen.append(Answer(began, time.time(), status, body))
    for _, writer, _ in made:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    sizes = [int(line[15:]) for line in lines if line.lower().startswith("content-length:")]
    body = await reader.readexactly(sizes[0]) if sizes else b""
    return int(lines[0].split(" ")[1]), body.decode()


def json_request(method: str, path: str, body: object) -> Request:
    return Request(method, path, json.dumps(body))


if __name__ == "__main__":
    told = msgspec.json.decode(sys.stdin.buffer.read(), type=Work)
    # sys.stdout may be unbuffered, and then it writes only what the pipe takes
    with open(1, "wb", closefd=False) as output:
        output.write(msgspec.json.encode(uvloop.run(_work(told))))
