"""The file beside a SQLite database that says which process serves it, and that keeps others out.

In: the path of the database. Out: the open file, which holds the lock until it is closed. Called by `sqlite`.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from gluon import errors


def hold(path: Path) -> IO[str]:
    """Hold `<path>.lock` as long as the store is open. A new database is its owner's to read alone: it holds secrets, and what
    is written beside it has its mode. Raises `Unavailable`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = path.with_name(path.name + ".lock")
        lock = os.fdopen(_private(name, os.O_CREAT | os.O_APPEND | os.O_RDWR), "a+", encoding="ascii")
    except OSError as error:
        raise _unwritten(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise errors.Unavailable(
            f"the database {path} is in use by process {holder or 'unknown'}: a SQLite file serves one process;"
            " use PostgreSQL or MariaDB for several"
        ) from error
    try:
        if not path.exists():
            os.close(_private(path, os.O_CREAT | os.O_WRONLY))
        os.ftruncate(lock.fileno(), 0)
        os.write(lock.fileno(), str(os.getpid()).encode())
    except OSError as error:
        lock.close()
        raise _unwritten(path, error) from error
    return lock


def _private(path: Path, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _unwritten(path: Path, error: OSError) -> errors.Unavailable:
    return errors.Unavailable(f"cannot write beside the database {path}: {error.strerror}")
