"""Finds processes that outlive the test run which started them.

Every process a test starts inherits one variable of the environment; after the last test nobody but pytest itself may
have it. Called by `tests/conftest.py` only.
"""

import contextlib
import os
import time
import uuid
from collections.abc import Iterator, MutableMapping
from pathlib import Path

RUN = "GLUON_TEST_RUN"
OWNER = "GLUON_TEST_OWNER"


def mark_this_run(environ: MutableMapping[str, str]) -> None:
    """Name the run, and its controlling process, unless this process is one of its workers."""
    if RUN not in environ:
        environ[RUN] = uuid.uuid4().hex
        environ[OWNER] = str(os.getpid())


def find(environ: MutableMapping[str, str], *, seconds: float) -> list[str]:
    """Wait until nothing of this run is left, or list what is left when the time is over."""
    if environ.get(OWNER) != str(os.getpid()):
        return []  # a pytest started by a test: the outer run looks
    limit = time.monotonic() + seconds
    while (running := list(_running(environ[RUN]))) and time.monotonic() < limit:
        time.sleep(0.05)
    return running


def _running(run: str) -> Iterator[str]:
    mark = f"{RUN}={run}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        # Processes end while we look, and those of other users are not ours to read.
        with contextlib.suppress(OSError):
            if folder.name == str(os.getpid()) or mark not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            if command and not _is_worker(folder, command):
                yield f"{folder.name}: {command[:200]}"


def _is_worker(folder: Path, command: str) -> bool:
    """Say whether this is one of pytest-xdist's own, which end after us."""
    parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
    return parent == str(os.getpid()) and "sys.stdin" in command
