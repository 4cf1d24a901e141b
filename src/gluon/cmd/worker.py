"""The entry of a child process of `gluon server`: name, URL and descriptors as arguments, settings and models on input."""

from __future__ import annotations

import os
import sys

import msgspec
import structlog
import uvloop

from gluon import errors
from gluon.cmd import logs, server
from gluon.cmd import settings as config

log = structlog.get_logger(__name__)


def main() -> None:
    """`python -m gluon.cmd.worker NAME URL SOCKET BELL [again]`; only the supervisor calls it."""
    logs.configure()
    name, url, listening, bell = sys.argv[1:5]
    again = "again" in sys.argv[5:]
    settings = msgspec.json.decode(_line(), type=config.Settings)
    logs.configure(level=settings.logs.level, style=settings.logs.style)
    models = _exactly(int(_line()))
    child = server.Child(name, settings, url, (int(listening), int(bell)), models, again)
    try:
        uvloop.run(server.work(child))
    except* (errors.MigrationRefused, errors.ModelError, config.SettingsError) as refused:
        for error in refused.exceptions:
            log.error("cannot start", process=name, reason=str(error))  # noqa: TRY400 - it says it all
        sys.exit(server.HOPELESS)


def _line() -> bytes:
    """Byte by byte, so that nothing of the pipe's end is read ahead."""
    line = b""
    while not line.endswith(b"\n"):
        line += _exactly(1)
    return line


def _exactly(count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        part = os.read(0, count - len(found))
        if not part:
            raise SystemExit("the supervisor went away")
        found += part
    return bytes(found)


if __name__ == "__main__":
    main()
