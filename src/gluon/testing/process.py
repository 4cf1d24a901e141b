"""One child process of a test, demo or bench: started, signalled and ended by its pid.

In: a command, where its words go, as whom and in which network namespace. Out: `Daemon`.
Invariant: the process dies with ours (PR_SET_PDEATHSIG) even if we are killed; only processes
started here are ever signalled. Called by the servers and by the lab.
"""

from __future__ import annotations

import os
import pwd
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gluon.errors import GluonError
from gluon.testing.programs import find_program

_POLL = 0.01
_SLOWEST = 0.1
_LEAST = 60.0
"""Seconds that every wait has: a shared machine may stand still for some, and only a wait for what never comes is that long."""
_AT_REST = frozenset("TtZX")
"""States of a thread in /proc that does not run: proc_pid_stat(5)."""
_NOT_INHERITED = ("PG", "MYSQL", "MARIADB", "ETCD", "OVS_", "FRR", "LANG", "LC_")

# We may be killed before setpriv has asked for the signal; then nothing would end the child.
_WHILE_WE_LIVE = ("/bin/sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')


class NotReady(GluonError):
    """Something did not become true within its limit; the message has the last words of its log."""


class ProcessFailed(GluonError):
    """A command ended with another status than 0; the message has what it said."""


def wait_until(
    ready: Callable[[], bool], what: str, *, limit: float = _LEAST, every: float | None = None
) -> None:
    """Wait for a condition. Raises `NotReady` after `limit` seconds, or a minute if that is longer.

    Without `every` it is asked the more seldom the longer it takes, and rests at least as long as an answer takes.
    """
    began = time.monotonic()
    end = began + max(limit, _LEAST)
    while True:
        asked = time.monotonic()
        if ready():
            return
        now = time.monotonic()
        if now > end:
            raise NotReady(f"{what}: not within {now - began:.0f} s")
        time.sleep(every or min(max(_POLL, (now - began) / 20, now - asked), _SLOWEST))


def listens(path: Path) -> bool:
    """Does a server accept connections at this unix socket? The file alone is there a moment earlier."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def run(
    argv: Sequence[str],
    *,
    user: str | None = None,
    netns: str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | bytes = "",
    limit: float = 60,
) -> str:
    """Run a command to its end and return what it printed. Raises `ProcessFailed`."""
    full = _wrapped(argv, user=user, netns=netns, pdeathsig=False)
    data = stdin.encode() if isinstance(stdin, str) else stdin
    try:
        done = subprocess.run(
            full, input=data, capture_output=True, env=_environment(env), timeout=limit, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ProcessFailed(f"{' '.join(argv)}: no end within {limit:g} s") from error
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise ProcessFailed(f"{' '.join(argv)}: status {done.returncode}\n{said}")
    return done.stdout.decode(errors="replace")


class Daemon:
    """A long-running child. May be started again after it ended; its log grows."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        user: str | None = None,
        netns: str | None = None,
        env: Mapping[str, str] | None = None,
        privileges: Sequence[str] = (),
    ) -> None:
        self.name = Path(argv[0]).name
        self.log = log
        self._argv = _wrapped(argv, user=user, netns=netns, pdeathsig=True, privileges=privileges)
        self._env = _environment(env)
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._maker = os.getpid()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise NotReady(f"{self.name} was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; returns as soon as the process exists."""
        if self.running:
            return
        self._log_start = self.log.stat().st_size if self.log.exists() else 0

        def spawn() -> subprocess.Popen[bytes]:
            with self.log.open("ab") as log:
                return subprocess.Popen(
                    self._argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._env,
                    start_new_session=True,  # ctrl-C is for us; we end our children in order
                )

        self._process = _spawner.do(spawn)

    def wait_ready(self, ready: Callable[[], bool], *, limit: float = 20) -> None:
        """Wait for `ready`; raises `NotReady` at once if the process ends before."""
        try:
            wait_until(lambda: not self.running or ready(), f"{self.name} ready", limit=limit)
        except NotReady as error:
            raise NotReady(f"{error}\n{self.said()}") from None
        if not self.running:
            raise NotReady(f"{self.name} ended with status {self.returncode}\n{self.said()}")

    @property
    def returncode(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def said(self, *, lines: int = 30) -> str:
        """The last lines it wrote since its last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def stop(self, *, signal_number: int = signal.SIGTERM, limit: float = 30) -> None:
        """Ask it to end and wait; after `limit` it is killed. No effect in a forked child."""
        if not self._ours() or not self.running:
            return
        self.resume()
        os.kill(self.pid, signal_number)
        self._reap(limit)

    def kill9(self) -> None:
        """SIGKILL to it and everything it started, as a crash of the machine's power would."""
        if not self._ours() or not self.running:
            return
        family = [self.pid, *descendants(self.pid)]
        for pid in family:
            _signal(pid, signal.SIGKILL)
        self._reap(30)
        wait_until(lambda: not any(alive(p) for p in family), f"death of {self.name}'s children", limit=10)

    def pause(self) -> None:
        """SIGSTOP to it and everything it started: it hangs but keeps its connections."""
        pause(self.pid, *descendants(self.pid))

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        for pid in (self.pid, *descendants(self.pid)):
            _signal(pid, signal.SIGCONT)

    def _ours(self) -> bool:
        return os.getpid() == self._maker

    def _reap(self, limit: float) -> None:
        assert self._process is not None
        try:
            self._process.wait(limit)
        except subprocess.TimeoutExpired:
            for pid in (self.pid, *descendants(self.pid)):
                _signal(pid, signal.SIGKILL)
            self._process.wait(30)


def descendants(pid: int) -> list[int]:
    """Children, their children and so on, as the kernel lists them."""
    found: list[int] = []
    for child in _children(pid):
        found += [child, *descendants(child)]
    return found


def _children(pid: int) -> list[int]:
    """None of a process or a thread that ends meanwhile."""
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                found += map(int, (task / "children").read_text().split())
    return found


def pause(*pids: int) -> None:
    """SIGSTOP. When this returns no thread of them runs: on another core one may go on for a moment after the signal."""
    for pid in pids:
        _signal(pid, signal.SIGSTOP)
    wait_until(lambda: all(_stopped(p) for p in pids), f"the stop of {pids}", limit=60, every=0.001)


def _stopped(pid: int) -> bool:
    """Each thread stopped, traced or dead."""
    try:
        threads = [t.read_text() for t in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:
        return not alive(pid)  # a thread that ended while we looked is looked at again
    return all(text.rsplit(")", 1)[1].split()[0] in _AT_REST for text in threads)


def alive(pid: int) -> bool:
    """A zombie counts as dead: in a small container nobody may be there to reap it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended by itself meanwhile


def _wrapped(
    argv: Sequence[str],
    *,
    user: str | None,
    netns: str | None,
    pdeathsig: bool,
    privileges: Sequence[str] = (),
) -> list[str]:
    """`ip netns exec` first (it needs root), then `setpriv`, all by exec: the pid stays one."""
    command = [find_program("ip"), "netns", "exec", netns] if netns else []
    settings = ["--pdeathsig", "KILL"] if pdeathsig else []
    if user:
        group = str(pwd.getpwnam(user).pw_gid)
        settings += ["--reuid", user, "--regid", group, "--init-groups"]
    if privileges:
        granted = ",".join(f"+{p}" for p in privileges)
        settings += ["--inh-caps", granted, "--ambient-caps", granted]
    if settings:
        command += [find_program("setpriv"), *settings, "--"]
    if pdeathsig:
        command += [*_WHILE_WE_LIVE, str(os.getpid())]
    return [*command, find_program(argv[0]), *argv[1:]]


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """Ours, without what would change a server behind the test's back."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_INHERITED)}
    return {**kept, "LC_ALL": "C.UTF-8", **(extra or {})}


class _Spawner:
    """Starts all children from one thread that never ends before the process does.

    PR_SET_PDEATHSIG speaks of the *thread* that started the child: a server started from a
    worker thread of an event loop would die with that loop.
    """

    def __init__(self) -> None:
        self._pid = 0
        self._guard = threading.Lock()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def do(self, spawn: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        answer: queue.SimpleQueue[subprocess.Popen[bytes] | Exception] = queue.SimpleQueue()

        def job() -> None:
            try:
                answer.put(spawn())
            except Exception as error:  # noqa: BLE001 - raised in the caller's thread below
                answer.put(error)

        with self._guard:
            if self._pid != os.getpid():  # first use, or we are a forked child without the thread
                self._pid = os.getpid()
                self._jobs = queue.SimpleQueue()
                threading.Thread(target=self._work, args=(self._jobs,), name="spawner", daemon=True).start()
            self._jobs.put(job)
        result = answer.get()
        if isinstance(result, Exception):
            raise result
        return result

    @staticmethod
    def _work(jobs: queue.SimpleQueue[Callable[[], None]]) -> None:
        while True:
            jobs.get()()


_spawner = _Spawner()
