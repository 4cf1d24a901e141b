"""Private temporary folders of servers and labs, removed even when their maker crashed.

In: a kind ("pg", "lab"). Out: `PrivateFolder`, short enough for unix sockets (107 bytes) and
reachable for an unprivileged user. Invariant: a folder whose maker lives holds a locked file
`.alive`; any later maker removes folders whose lock is free.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import tempfile
from pathlib import Path

_PREFIX = "gluon-"
_LONGEST_BASE = 50  # leaves room for "/gluon-pg-xxxxxxxx/.s.PGSQL.12345" and the like


class PrivateFolder:
    """A folder of this process. `owner` gets it, so that a server run as that user can write."""

    def __init__(self, kind: str, *, owner: str | None = None, base: Path | None = None) -> None:
        base = base or _base()
        _sweep(base)
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}-", dir=base))
        self._maker = os.getpid()
        self._lock: int | None = _lock(self.path)
        if owner is not None:
            self.give(self.path, owner)

    @staticmethod
    def give(path: Path, owner: str) -> None:
        """Make `owner` the owner of one file or folder."""
        user = pwd.getpwnam(owner)
        os.chown(path, user.pw_uid, user.pw_gid)

    def remove(self) -> None:
        """Remove the folder; a forked child does nothing. May be called twice."""
        if os.getpid() != self._maker or self._lock is None:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
        self._lock = None


def unprivileged_user(*candidates: str) -> str | None:
    """Whom to run a server as: the first candidate that exists if we are root, else None (us)."""
    if os.geteuid() != 0:
        return None
    for name in (*candidates, "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    msg = f"none of the users {', '.join(candidates)}, nobody exists on this machine"
    raise LookupError(msg)


def _base() -> Path:
    for text in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp inside it
        base = Path(text)
        if len(text) <= _LONGEST_BASE and base.is_dir() and _open_to_all(base):
            return base
    return Path(tempfile.gettempdir())


def _open_to_all(folder: Path) -> bool:
    return all(p.stat().st_mode & 0o001 for p in (folder.resolve(), *folder.resolve().parents))


def _lock(folder: Path) -> int:
    """Lock first, rename after: nobody ever sees an unlocked `.alive` of a living maker."""
    young = folder / ".young"
    lock = os.open(young, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    young.rename(folder / ".alive")
    return lock


def _sweep(base: Path) -> None:
    """Remove our folders whose maker is gone (killed before it could clean up)."""
    for alive in base.glob(f"{_PREFIX}*/.alive"):
        try:
            if alive.stat().st_uid != os.geteuid():
                continue
            lock = os.open(alive, os.O_RDWR)
        except OSError:
            continue  # somebody else removed it meanwhile
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(alive.parent, ignore_errors=True)
        finally:
            os.close(lock)
