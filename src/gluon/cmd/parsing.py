"""Models that came over HTTP, read in a process of their own: requests go on, and no text can take more than its share.

In: texts of files by name. Out: the models, or every problem of the texts. The process has a limit of time and of memory,
and ends with its answer. Called by `administer`.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Mapping, Sequence

import msgspec

from gluon import errors
from gluon.cmd import handover
from gluon.model import loader
from gluon.model.types import Model

SECONDS = 30
MEMORY = 1024 * 1024 * 1024
_ONE = asyncio.Semaphore(1)
"""One at a time: an admin who sends many does not take all processors."""


class _Problem(msgspec.Struct):
    """`errors.ModelProblem` as it is handed over."""

    file: str
    line: int
    column: int
    message: str
    hint: str


async def parse(texts: Mapping[str, str], *, seconds: float = SECONDS) -> Sequence[Model]:
    """Raises `ModelError`; `Invalid` for a model that is too much work."""
    async with _ONE:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gluon.cmd.parsing",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(seconds):
                answer, _ = await process.communicate(msgspec.json.encode(texts))
        except TimeoutError:
            answer = b""
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if answer[:1] == b"M":
        return await asyncio.to_thread(handover.unpacked, answer[1:])
    if answer[:1] == b"P":
        found = msgspec.json.decode(answer[1:], type=list[_Problem])
        raise errors.ModelError([errors.ModelProblem(**msgspec.structs.asdict(p)) for p in found])
    message = f"reading the model takes more than {seconds:g} s or {MEMORY >> 20} MiB"
    hint = "load it in parts, or from a file at the start"
    raise errors.Invalid([errors.FieldProblem(pointer="/files", code="model", message=message, hint=hint)])


def answer(texts: Mapping[str, str]) -> bytes:
    """What the process says."""
    try:
        return b"M" + handover.packed(loader.load_texts(texts))
    except errors.ModelError as error:
        told = [_Problem(p.file, p.line, p.column, p.message, p.hint) for p in error.problems]
        return b"P" + msgspec.json.encode(told)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    texts = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str])
    sys.stdout.buffer.write(answer(texts))


if __name__ == "__main__":
    main()
