"""The audit log: a line of JSON for each write that was asked for, also for those refused.

In: answered requests, from the event loop, which only puts them in a queue. Out: lines in a file or on standard output,
made and written by a thread. Invariant: what was answered is written before the process ends in good order; after a kill the
journal has what was done (`gluon audit`). No value of an object is in it, so no secret is. `docs/reference/audit.md` has the fields.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from gluon.api import lane
from gluon.cmd import settings as config
from gluon.cmd.clients import Client, Clients
from gluon.objects import codec
from gluon.spi import context
from gluon.values.text import shown

log = structlog.get_logger(__name__)

STDOUT = "-"
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PAUSE = 0.1
"""Seconds in which lines gather."""
_MOST = 200_000
"""Requests that wait for a file that takes none; more are counted as lost."""
_LONGEST = 1024
_ACTIONS = {"PUT": "update", "PATCH": "update", "DELETE": "delete"}
_ROOTS = (("gluon", "v1"), ("v2.0",), ("networking", "v2.0"))
_MADE = {"changesets": "id", "protons": "name", "ports": "id", "bindings": "host"}
"""Where something is made that is no proton's own, and the member of the answer that has its key."""
_ANY = Clients((), "x-forwarded-for")
_Told = tuple[float, lane.Answered, str, int]


class Audit:
    """`revisions` is filled by who commits: the revision of each request's unit."""

    def __init__(self, target: str, clients: Clients = _ANY) -> None:
        """`target`: a path, or "-". Raises `SettingsError`."""
        self._clients = clients
        self.revisions: dict[str, int] = {}
        self.lost = 0
        self._target = target
        self._queue: deque[_Told] = deque()
        self._wake = threading.Event()
        self._awake = False
        self._ending = False
        self._file = self._open()
        self._thread = threading.Thread(target=self._work, name="audit", daemon=True)
        self._thread.start()

    def record(self, answered: lane.Answered) -> None:
        """Called for every request; returns at once."""
        if answered.method not in _WRITES:
            return
        revision = self.revisions.pop(answered.request_id, 0)
        if len(self.revisions) > 10_000:  # of units that no request made
            self.revisions.clear()
        self._queue.append((time.time(), answered, context.GLOBAL.get(), revision))
        if not self._awake:
            self._awake = True
            self._wake.set()

    def close(self) -> None:
        """Write what waits, and end."""
        self._ending = True
        self._wake.set()
        self._thread.join(10)
        if self._target != STDOUT:
            os.close(self._file)

    # -- the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._ending:
            self._wake.wait()
            if not self._ending:
                time.sleep(_PAUSE)
            self._wake.clear()
            self._awake = False
            self._flush()
        self._flush()

    def _flush(self) -> None:
        lines: list[bytes] = []
        while self._queue:
            at, answered, given, revision = self._queue.popleft()
            client = self._clients.of(answered.headers)
            lines.append(_any_line(at, answered, given, revision, client))
            if len(lines) >= 500 or not self._queue:
                self._write(lines)
                lines = []

    def _write(self, lines: Sequence[bytes]) -> None:
        """Again and again until it is written; a line is never cut."""
        while True:
            try:
                self._follow_rotation()
                if self._target == STDOUT:
                    for one in lines:
                        _all(self._file, one)
                else:
                    _all(self._file, b"".join(lines))
            except OSError as error:
                if self._ending or len(self._queue) > _MOST:
                    self.lost += len(lines)
                    log.error("audit log not written", lost=self.lost, reason=str(error))  # noqa: TRY400 - it says why
                    return
                log.warning("the audit log cannot be written, trying again", reason=str(error))
                time.sleep(1.0)
            else:
                return

    def _open(self) -> int:
        if self._target == STDOUT:
            return sys.stdout.fileno()
        try:
            return os.open(self._target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise config.SettingsError(f"audit.file {self._target}: {error.strerror}") from error

    def _follow_rotation(self) -> None:
        """A file that was moved away is begun anew."""
        if self._target == STDOUT:
            return
        try:
            there = Path(self._target).stat().st_ino == os.fstat(self._file).st_ino
        except FileNotFoundError:
            there = False
        if not there:
            try:
                fresh = self._open()
            except config.SettingsError as error:
                raise OSError(str(error)) from error
            os.close(self._file)
            self._file = fresh


def _all(file: int, data: bytes) -> None:
    """At a full disk the part that was written is taken back, so that a repeat does not double it."""
    written = os.write(file, data)
    if written == len(data):
        return
    if os.isatty(file) or not _regular(file):
        while written < len(data):
            written += os.write(file, data[written:])
        return
    os.ftruncate(file, os.fstat(file).st_size - written)
    raise OSError("the disk is full")


def _regular(file: int) -> bool:
    return stat.S_ISREG(os.fstat(file).st_mode)


def line(at: float, answered: lane.Answered, given: str, revision: int, client: Client) -> bytes:
    """One request as a line of JSON; nothing of a client's ends it, nor steers the terminal of who reads it."""
    caller = answered.caller
    action, api, kind, keys = _what(answered)
    facts: dict[str, Any] = {
        "time": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
        "request_id": answered.request_id,
        "global_request_id": given or None,
        "outcome": _outcome(answered.status),
        "status": answered.status,
        "reason": _reason(answered) if answered.status >= 400 else None,
        "client": client.address,
        "proxy": client.proxy,
        "user": caller.user if caller else None,
        "project": caller.project if caller else None,
        "roles": sorted(caller.roles) if caller else [],
        "action": action,
        "api": api,
        "type": kind,
        "keys": keys,
        "revision": revision or None,
        "method": answered.method,
        "path": "/" + "/".join(answered.path)[:_LONGEST],
        "milliseconds": round(answered.seconds * 1000, 1),
    }
    return shown(codec.encode(facts).decode()).encode() + b"\n"


def _any_line(at: float, answered: lane.Answered, given: str, revision: int, client: Client) -> bytes:
    """Whatever a request was made of, there is a line of it, and the thread lives on."""
    try:
        return line(at, answered, given, revision, client)
    except Exception as error:  # noqa: BLE001 - whatever it is, the next line is written
        why = repr(error)
        log.error("a line of the audit log is not whole", request_id=answered.request_id, reason=why)  # noqa: TRY400 - a stack says no more
        bare = answered._replace(path=(), served=None, body=None)
        return line(at, bare, given, revision, client)


def _outcome(status: int) -> str:
    if status < 400:
        return "success"
    return "denied" if status in {401, 403} else "failure"


def _reason(answered: lane.Answered) -> str | None:
    """The stable code of a refusal; Neutron's name for it where it is told in Neutron's words."""
    try:
        found = codec.decode(answered.body or b"null")
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    neutron = found.get("NeutronError")
    code = neutron.get("type") if isinstance(neutron, dict) else found.get("code")
    return None if code is None else str(code)


def _what(answered: lane.Answered) -> tuple[str, str, str | None, list[Any]]:
    """Action, proton, type and keys, by the path and, of what was made, by the answer."""
    served: Any = getattr(answered.served, "resource", answered.served)
    action = _ACTIONS.get(answered.method, "create")
    if served is None:
        action, keys = _elsewhere(answered, action)
        return action[:_LONGEST], "gluon", None, keys
    path = answered.path[1:] if answered.path[:1] == ("proton",) else answered.path
    rest = path[2:]
    plurals = {r.type.plural: r for r in served.family.values()}
    kind, keys = served, []
    for n in range(0, len(rest), 2):
        if rest[n] not in plurals:
            action = f"do {rest[n]}"
            break
        kind, keys = plurals[rest[n]], list(rest[n + 1 : n + 2])
    if answered.method == "POST" and answered.status == 201:
        keys = _made(answered.body, kind.type.key, kind.type.plural)
    return action[:_LONGEST], kind.api, kind.name, keys


def _elsewhere(answered: lane.Answered, action: str) -> tuple[str, list[Any]]:
    """Action and keys of what is no proton's: collections and keys by turns, then perhaps an action."""
    rest = answered.path
    for root in _ROOTS:
        if rest[: len(root)] == root:
            rest = rest[len(root) :]
            break
    keys: list[Any] = list(rest[1::2])
    if answered.method == "PUT" and len(rest) > 1 and len(rest) % 2:
        return f"do {rest[-1]}", keys
    if answered.method != "POST" or not rest:
        return action, keys
    if rest[-1] not in _MADE:
        return f"do {rest[-1]}", keys
    if answered.status < 400 and len(rest) == 1:
        keys = _made(_inside(answered.body, rest[0]), _MADE[rest[0]], rest[0])
    return action, keys


def _inside(body: bytes | None, plural: str) -> bytes | None:
    """What Neutron puts under the name of its kind."""
    try:
        found = codec.decode(body or b"null")
    except ValueError:
        return body
    one = found.get(plural.removesuffix("s")) if isinstance(found, dict) else None
    return codec.encode(one) if isinstance(one, dict) else body


def _made(body: bytes | None, key: str, plural: str) -> list[Any]:
    try:
        found = codec.decode(body or b"{}")
    except ValueError:
        return []
    several = found.get(plural) if key not in found else None
    return [one.get(key) for one in (several if isinstance(several, list) else [found])]
