"""SQLite's log goes into the file beside the writer, not in its commits.

In: how many rows were written. Out: the log's pages in the file, and a log that begins anew before it is large. Of SQLite itself the commit
that finds 1,000 pages copies them all, and two syncs more, while everyone waits: at some hundred commits a second one of ten. Here a
thread copies them, and the writer copies only what came meanwhile, for the log can begin anew only where nothing is left. Invariant:
a log that nobody cares for is copied by a commit, at `MOST` pages. Called by `sqlite`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable

from gluon.store.threads import Thread

MOST = 16_000
"""Pages of 4 KiB."""
_ROWS = 600
"""Rows, of a few pages each with their indexes, after which the thread has something to do."""
_ANEW = 4_000
"""Pages that a log has before it is worth the writer's time to begin anew."""
_COPY = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints:
    """`connect` is called in the thread that will use the connection."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._thread: Thread | None = None
        self._raw: sqlite3.Connection | None = None
        self._rows = 0
        self._busy = False
        self._nearly = False
        """All but the last of a long log is in the file."""

    def wrote(self, rows: int) -> None:
        """They are committed."""
        self._rows += rows
        if self._rows >= _ROWS and not self._busy:
            self._rows, self._busy = 0, True
            if self._thread is None:
                self._thread = Thread("sqlite-checkpoints")
            self._thread.begin(self._copy)

    def finish(self, raw: sqlite3.Connection) -> None:
        """Before a transaction, in the writer's thread."""
        if self._nearly:
            self._nearly = False
            raw.execute(_COPY).fetchall()

    def _copy(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # a full disk, say, which the writer will tell of
            if self._raw is None:
                self._raw = self._connect()
            _, _, copied = self._raw.execute(_COPY).fetchone()
            self._nearly = copied >= _ANEW
        self._busy = False

    def close(self) -> None:
        """Begins to end; `join` waits for it."""
        if self._thread is not None:
            self._thread.begin(self._leave)
            self._thread.stop()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _leave(self) -> None:
        if self._raw is not None:
            self._raw.close()
