"""A client of its own process that sends requests at a given rate over a few kept-alive connections.

In: a port, requests, a rate. Out: an `Answer` for each, with wall clock times, so that another process
on this machine can compare. The loop is closed: a connection sends its next request when the last one
is answered and its turn has come; one that is late goes at once.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

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

    port: int
    requests: list[Request]
    rate: float
    connections: int


def send(port: int, requests: Sequence[Request], *, rate: float = 0, connections: int = 8) -> list[Answer]:
    """Send all from a child process. Raises `RuntimeError` where an answer is not 2xx."""
    work = Work(port, list(requests), rate, connections)
    done = subprocess.run(
        [sys.executable, "-m", "bench.paced"],
        input=msgspec.json.encode(work),
        stdout=subprocess.PIPE,
        timeout=LIMIT,
        check=True,
    )
    answers = msgspec.json.decode(done.stdout, type=list[Answer])
    for answer in answers:
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"status {answer.status}: {answer.body[:300]}")
    return answers


def rate_of(answers: Sequence[Answer]) -> float:
    """Answers a second."""
    return len(answers) / (max(a.ended for a in answers) - min(a.began for a in answers))


async def _work(work: Work) -> list[Answer]:
    turns = iter(enumerate(work.requests))
    answers: list[Answer] = []
    start = time.time()
    await asyncio.gather(*(_connection(work, turns, start, answers) for _ in range(work.connections)))
    return answers


async def _connection(
    work: Work, turns: Iterator[tuple[int, Request]], start: float, answers: list[Answer]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", work.port)
    for number, request in turns:
        if work.rate:
            await asyncio.sleep(max(0.0, start + number / work.rate - time.time()))
        content = request.body.encode()
        head = f"{request.method} {request.path} HTTP/1.1\r\nHost: 127.0.0.1:{work.port}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        began = time.time()
        writer.write(head.encode() + content)
        status, body = await _answer(reader)
        answers.append(Answer(began, time.time(), status, body))
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
