"""The file of a backup: gzip'd JSON lines that every database can be filled from.

    {"gluon": "backup", "format": 1, ...}            the head
    {"table": "gluon_schema", "columns": [...]}      a table, then a line with the values of each row
    [...]
    {"end": {"gluon_schema": 2, ...}, "sha256": ...} rows of each table, digest of all bytes before

Invariant: a file of this name is whole and synced to disk, and only its owner may read it (it holds secrets). Nothing of a
file counts before `verify` has read all of it. Called by `backup` and `restoring`.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gluon import errors
from gluon.objects import codec
from gluon.spi import store

FORMAT = 1
_LONGEST = 64 * 1024 * 1024
_LEVEL = 4


class BackupError(errors.GluonError):
    """The file cannot be written, or is no backup that this release can restore."""


class Writer:
    """Writes beside the wanted name, and takes it when all is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.exists():
            raise BackupError(f"{path} is there already: name another file, or remove it")
        self._part = path.with_name(path.name + ".part")
        try:
            descriptor = _claimed(self._part)
        except BlockingIOError:
            raise BackupError(
                f"{path}: another backup writes it at the moment: wait for it, or name another file"
            ) from None
        except OSError as error:
            raise BackupError(f"{path}: {error.strerror}") from error
        self._raw = os.fdopen(descriptor, "wb")
        self._zip = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, compresslevel=_LEVEL, mtime=0)
        self._digest = hashlib.sha256()
        self._counts: dict[str, int] = {}
        self._table = ""
        self._finished = False

    def head(self, facts: dict[str, Any]) -> None:
        self._line({"gluon": "backup", "format": FORMAT, **facts})

    def table(self, name: str, columns: Sequence[str]) -> None:
        self._table = name
        self._counts[name] = 0
        self._line({"table": name, "columns": columns})

    def rows(self, rows: Sequence[Sequence[store.Value]]) -> None:
        for row in rows:
            self._line(row)
        self._counts[self._table] += len(rows)

    def finish(self) -> dict[str, int]:
        """Rows of each table; the file has its name from now on."""
        self._line({"end": self._counts, "sha256": self._digest.hexdigest()})
        try:
            self._zip.close()
            self._raw.flush()
            os.fsync(self._raw.fileno())
            self._raw.close()
            os.link(self._part, self._path)  # never over a file that came meanwhile
            self._part.unlink()
            self._finished = True
            folder = os.open(self._path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except OSError as error:
            raise BackupError(f"{self._path}: {error.strerror}") from error
        return self._counts

    def abandon(self) -> None:
        """Leave nothing, whatever happened; what is finished stays."""
        with contextlib.suppress(OSError, ValueError):  # it may be full, or finished
            self._zip.close()
        with contextlib.suppress(OSError):
            self._raw.close()
        if not self._finished:  # by now another may have that name
            self._part.unlink(missing_ok=True)

    def _line(self, value: Any) -> None:
        line = codec.encode(value) + b"\n"
        self._digest.update(line)
        try:
            self._zip.write(line)
        except OSError as error:
            raise BackupError(f"{self._path}: {error.strerror}") from error


def _claimed(part: Path) -> int:
    """A new file, locked; what one that was killed has left goes. Raises `BlockingIOError` where somebody writes it."""
    with contextlib.suppress(FileNotFoundError):
        left = os.open(part, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()
        finally:
            os.close(left)
    # The mode counts from the first byte on: what is half written holds secrets too.
    made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(made, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(made)
        raise
    return made


class Reader:
    """Reads a file as often as wanted, one line at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def verify(self) -> dict[str, Any]:
        """The head of a whole file that this release knows. Raises `BackupError`."""
        digest = hashlib.sha256()
        counts: dict[str, int] = {}
        head: dict[str, Any] | None = None
        table = ""
        lines = self._lines()
        for line in lines:
            value = self._decoded(line)
            if head is None:
                head = self._known(value)
            elif isinstance(value, list):
                if not table:
                    raise self._broken("a row belongs to no table")
                counts[table] += 1
            elif isinstance(value, dict) and "table" in value:
                table = str(value["table"])
                counts[table] = 0
            elif isinstance(value, dict) and "end" in value:
                if value.get("sha256") != digest.hexdigest() or value["end"] != counts:
                    raise self._broken("it is not what was written")
                if next(lines, None) is not None:
                    raise self._broken("something follows its end")
                return {**head, "rows": counts}
            else:
                raise self._broken("a line is neither table nor row")
            digest.update(line)
        raise self._broken("its end is missing")

    def sections(self) -> Iterator[tuple[str, list[str], Iterator[tuple[list[store.Value], int]]]]:
        """Table, columns, and its rows with their sizes in bytes; each section is read before the next."""
        lines = self._lines()
        next(lines, None)
        line = next(lines, None)
        while line is not None:
            said = self._decoded(line)
            if "end" in said:
                return
            left: list[bytes] = []
            yield said["table"], said["columns"], self._rows(lines, left)
            line = left[0] if left else None

    def _rows(self, lines: Iterator[bytes], left: list[bytes]) -> Iterator[tuple[list[store.Value], int]]:
        for line in lines:
            if not line.startswith(b"["):
                left.append(line)
                return
            yield self._decoded(line), len(line)

    def _lines(self) -> Iterator[bytes]:
        try:
            with gzip.open(self._path, "rb") as file:
                while line := file.readline(_LONGEST):
                    if not line.endswith(b"\n"):
                        raise self._broken("a line is cut")
                    yield line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self._broken(str(error)) from error
        except OSError as error:
            raise BackupError(f"{self._path}: {error.strerror or error}") from error

    def _known(self, head: Any) -> dict[str, Any]:
        if (
            not isinstance(head, dict)
            or head.get("gluon") != "backup"
            or not isinstance(head.get("format"), int)
        ):
            raise BackupError(f"{self._path} is no backup of Gluon")
        if head["format"] > FORMAT:
            raise BackupError(
                f"{self._path} was made by a newer release ({head.get('release')}): restore it with that one"
            )
        return head

    def _decoded(self, line: bytes) -> Any:
        try:
            return codec.decode(line)
        except ValueError as error:
            raise self._broken("a line is no JSON") from error

    def _broken(self, why: str) -> BackupError:
        return BackupError(f"{self._path} is broken: {why}")
