"""The file of rules of a running server: read at its start, and again whenever it changes.

In: a path, the engine that holds all rules. Invariant: what cannot be used changes nothing; it is told in the log, in
`gluon status` and as a metric. Called by `protons`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from gluon.cmd import settings as config
from gluon.policy import files
from gluon.policy.engine import Engine
from gluon.policy.rulebook import PolicyError, Source

log = structlog.get_logger(__name__)

_SHOWN = 20


def read(path: str) -> Mapping[str, Source]:
    """Raises `PolicyError`, or `SettingsError` for a file that cannot be read."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & stat.S_IWOTH:
                raise config.SettingsError(f"policy file {path}: everybody may change it; chmod o-w {path}")
            text = file.read()
    except OSError as error:
        raise config.SettingsError(f"policy file {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise config.SettingsError(f"policy file {path}: it is no text in UTF-8") from error
    return files.read(text, path)


class PolicyFile:
    """Keeps an engine at what a file says."""

    def __init__(self, rules: Engine, path: str) -> None:
        self._rules, self._path = rules, path
        self._seen: object = None
        self._error = ""
        self._read_at = ""
        self._count = 0
        self._told: tuple[str, ...] = ()

    def load(self) -> None:
        """At the start. Raises `SettingsError`: nobody is served by rules that somebody meant otherwise."""
        if self._path:
            self._seen = self._mark()
            try:
                self._take()
            except PolicyError as error:
                raise config.SettingsError(f"policy file {self._path} cannot be used:\n{error}") from error
        self._tell()

    def look(self) -> None:
        """Take the file where it has changed; log what is odd with the rules now."""
        mark = self._mark() if self._path else None
        if mark != self._seen:
            self._seen = mark
            try:
                self._take()
            except (PolicyError, config.SettingsError) as error:
                self._error = str(error)
                log.error("the policy file cannot be used, the rules before it stay", reason=self._error)  # noqa: TRY400 - it says it all
            else:
                log.info("policy file read", file=self._path, rules=self._count)
        self._tell()

    def facts(self) -> dict[str, Any]:
        """How it stands, for operators."""
        problems = self._rules.problems
        return {
            "file": self._path,
            "rules": self._count,
            "read_at": self._read_at,
            "error": self._error,
            "problems": list(problems[:_SHOWN]),
            "more": max(0, len(problems) - _SHOWN),
        }

    @property
    def broken(self) -> bool:
        """Whether the file says what is not used."""
        return bool(self._error)

    def _take(self) -> None:
        found = read(self._path)
        self._rules.replace(found)
        self._error, self._count = "", len(found)
        self._read_at = datetime.now(UTC).isoformat(timespec="seconds")

    def _mark(self) -> object:
        """Another value for another file; None for none."""
        try:
            found = Path(self._path).stat()
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def _tell(self) -> None:
        problems = self._rules.problems
        for problem in problems:
            if problem not in self._told:
                log.warning("policy", problem=problem)
        self._told = problems
