"""Gluon's own processes for tests, demo and bench: started as a user would, ended by pid.

In: arguments of `gluon …`. Out: `GluonServer` (with its URL) and `GluonShim`. Both may be killed,
paused and started again; a server keeps its port.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gluon.testing.folders import PrivateFolder
from gluon.testing.process import Daemon, alive, descendants, wait_until

Answer = tuple[int, Any]


class _Product:
    """One `gluon` process in a folder of its own."""

    def __init__(self, arguments: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        self._folder = PrivateFolder("gluon")
        self.directory = self._folder.path
        self.arguments = list(arguments)
        self._env = env
        self.daemon = self._daemon()

    def _daemon(self) -> Daemon:
        return Daemon(
            [sys.executable, "-m", "gluon.cmd.main", *self.arguments],
            log=self.directory / "log",
            env={"PYTHONUNBUFFERED": "1", **(self._env or {})},
        )

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.daemon.start()

    def stop(self) -> None:
        """SIGTERM, wait, and remove its folder."""
        self.daemon.stop(limit=60)
        self._folder.remove()

    def end(self) -> None:
        """SIGTERM and wait; the folder stays, so that it can be started again."""
        self.daemon.stop(limit=60)


class GluonServer(_Product):
    """`gluon up|server …` on a free loopback port (kept over restarts)."""

    def __init__(
        self, verb: str = "server", *arguments: str, port: int = 0, env: Mapping[str, str] | None = None
    ) -> None:
        self.port = port
        self._verb = (verb, *arguments)
        super().__init__([verb, *arguments], env=env)

    def start(self) -> None:
        self.begin()
        self.daemon.wait_ready(self._answers, limit=30)

    def begin(self) -> None:
        """Start it and wait for its port only: what it needs may be away."""
        if "--data" not in self._verb and "--database" not in self._verb:
            self.arguments = [*self._verb, "--data", str(self.directory / "data")]
        else:
            self.arguments = list(self._verb)
        self.arguments += ["--port", str(self.port)]
        self.daemon = self._daemon()
        self.daemon.start()
        self.daemon.wait_ready(self._knows_its_port, limit=30)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def process(self, name: str, *, limit: float = 20) -> int:
        """The pid of a child process: `publisher`, `worker-0`, …; waits while it is being started again."""
        found: list[int] = []

        def there() -> bool:
            found[:] = [p for p in descendants(self.daemon.pid) if _is_child(p, name)]
            return bool(found)

        wait_until(there, f"process {name}", limit=limit)
        return found[0]

    def kill9_process(self, name: str) -> None:
        """SIGKILL to one child, which the server then starts again."""
        pid = self.process(name)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), f"death of {name}", limit=10)

    def _knows_its_port(self) -> bool:
        for line in self.daemon.said(lines=10_000).splitlines() if not self.port else ():
            if '"event": "serving"' in line:
                self.port = int(json.loads(line)["url"].rsplit(":", 1)[1])
        return bool(self.port)

    def _answers(self) -> bool:
        try:
            return self.request("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        """Status and decoded body (text where it is no JSON). Raises `OSError` if not reached."""
        status, _, answer = self.exchange(method, path, body, headers=headers, raw=raw)
        return status, answer

    def exchange(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> tuple[int, dict[str, str], Any]:
        """Like `request`, with the answer's headers (names in lower case)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            content = raw if raw is not None else None if body is None else json.dumps(body).encode()
            sent = {"content-type": "application/json"} if content is not None else {}
            connection.request(method, path, content, {**sent, **(headers or {})})
            answer = connection.getresponse()
            data = answer.read()
            names = {k.lower(): v for k, v in answer.getheaders()}
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
        if data and "json" in names.get("content-type", ""):
            return answer.status, names, json.loads(data)
        return answer.status, names, data.decode(errors="replace")


def _is_child(pid: int, name: str) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"gluon.cmd.worker" in words and name.encode() in words and alive(pid)


class GluonShim(_Product):
    """`gluon shim …`; ready once it has said so."""

    def __init__(self, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        super().__init__(["shim", *arguments], env=env)

    def start(self) -> None:
        self.daemon.start()
        self.daemon.wait_ready(lambda: '"event": "serving"' in self.daemon.said(lines=10_000), limit=30)
