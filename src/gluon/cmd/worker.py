"""The entry of a child process of `gluon server`: name, URL and descriptors as arguments, settings on input."""

from __future__ import annotations

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
    settings = msgspec.json.decode(_first_line(), type=config.Settings)
    try:
        uvloop.run(server.work(name, settings, url, (int(listening), int(bell)), again=again))
    except* (errors.MigrationRefused, errors.ModelError, config.SettingsError) as refused:
        for error in refused.exceptions:
            log.error("cannot start", process=name, reason=str(error))  # noqa: TRY400 - it says it all
        sys.exit(server.HOPELESS)


def _first_line() -> bytes:
    """Unbuffered, so that nothing of the pipe's end is read ahead."""
    line = bytearray()
    with open(0, "rb", buffering=0, closefd=False) as stream:
        while not line.endswith(b"\n"):
            byte = stream.read(1)
            if not byte:
                raise SystemExit("the supervisor went away")
            line += byte
    return bytes(line)


if __name__ == "__main__":
    main()
