"""Three instances of one shim behind cables of their own, and ports that are bound all the time: paused, cut off, and healed.

In: which instance suffers when. Out: `Told`, what the load saw: each bind, who answered it, and what was wrong. Invariant that
it watches in etcd: nobody writes an answer who does not lead at that revision, and each epoch has one set of controllers.
Needs root, for namespaces; used by a fault test and by the bench. `instances_load` is the load, a process in the core's namespace.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from gluon.objects import keys
from gluon.testing.lab import Host, Lab
from gluon.testing.process import Daemon, NotReady, wait_until
from gluon.testing.servers import EtcdServer

NAMES = ("i1", "i2", "i3")
CONTROLLER = "fake"
SHARD = "h1"
_CORE = "192.0.2.1"
_PORT = 2705  # the namespace is the core's own
_PYTHON = (sys.executable, "-m")


class Bind(msgspec.Struct, frozen=True, kw_only=True):
    """One answered bind: since when and until when (of the clock of all processes), and the instance whose reply it has."""

    began: float
    ended: float
    by: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the load saw. `failed`: binds that were refused, and then tried again; `wrong`: what must not be."""

    binds: list[Bind]
    failed: list[str]
    wrong: list[str]
    writes: int
    leaders: list[str]


@dataclass(slots=True, kw_only=True)
class _Instance:
    name: str
    daemon: Daemon
    cable: str


class Instances:
    """`with Instances() as site: site.load(1000) …; site.told()`."""

    def __init__(self) -> None:
        self.lab = Lab()
        self._etcd: EtcdServer | None = None
        self._instances: dict[str, _Instance] = {}
        self._load: Daemon | None = None

    def __enter__(self) -> Self:
        self.lab.__enter__()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._etcd is not None:
            self._etcd.stop()
        self.lab.close()

    def _start(self) -> None:
        core, hosts = self.lab.host("core"), [self.lab.host(name) for name in NAMES]
        self._middle = self.lab.segment("net", core, *hosts)
        for number, host in enumerate((core, *hosts)):
            host.address("eth0", f"192.0.2.{number + 1}/24")
        self._etcd = EtcdServer(address=_CORE, netns=core.namespace)
        self._etcd.start()
        arguments = ["--data", str(core.folder / "data"), "--etcd", self._etcd.url, "--insecure"]
        server = core.daemon(
            [*_PYTHON, "gluon.cmd.main", "server", *arguments, "--port", str(_PORT)], log="server.log"
        )
        server.start()
        for number, host in enumerate(hosts):
            self._instances[host.name] = self._instance(host, f"p{number + 1}")
        server.wait_ready(lambda: '"event": "serving"' in server.said(lines=10_000), limit=60)
        wait_until(lambda: self.leader() in NAMES, "one of three leads", limit=60)

    def _instance(self, host: Host, cable: str) -> _Instance:
        assert self._etcd is not None
        file = host.folder / "shim.toml"
        file.write_text(
            f'[shim]\nbackend = "fake"\nname = "{CONTROLLER}"\ninstance = "{host.name}"\nhosts = ["{SHARD}"]\n'
            f'[shim.options]\nbridge = "br-{host.name}"\n',
            encoding="utf-8",
        )
        daemon = host.daemon(
            [
                *_PYTHON,
                "gluon.cmd.main",
                "shim",
                "--config",
                str(file),
                "--etcd",
                self._etcd.url,
                "--insecure",
            ],
            log="shim.log",
        )
        daemon.start()
        return _Instance(name=host.name, daemon=daemon, cable=cable)

    def leader(self) -> str:
        """The instance whose key of the election is in etcd; none: empty."""
        assert self._etcd is not None
        found = self._etcd.etcdctl("get", "--print-value-only", keys.lead(CONTROLLER, SHARD)).strip()
        return str(json.loads(found)["instance"]) if found else ""

    # What befalls them.

    def pause(self, name: str) -> float:
        """SIGSTOP; returns when."""
        self._instances[name].daemon.pause()
        return time.time()

    def resume(self, name: str) -> None:
        self._instances[name].daemon.resume()

    def cut(self, name: str) -> float:
        """Nothing passes its cable, and nobody is told; returns when."""
        self._middle.ip("link", "set", self._instances[name].cable, "down")
        return time.time()

    def mend(self, name: str) -> None:
        self._middle.ip("link", "set", self._instances[name].cable, "up")

    def strike(self, hurt: Callable[[str], float], heal: Callable[[str], None]) -> tuple[str, float]:
        """Hurt the one that leads; returns which and when. On a busy machine it may have lost the lead just before."""
        while True:
            leader = self.leader()
            if leader:
                since = hurt(leader)
                if self.leader() == leader:
                    return leader, since
                heal(leader)

    # The load.

    def load(self, binds: int, *, ports: int = 24, connections: int = 6) -> None:
        """Begin to bind ports, unbind them and bind them again."""
        assert self._etcd is not None
        core = self.lab.host("core")
        self._load = core.daemon(
            [
                *_PYTHON, "gluon.testing.instances_load", str(_PORT), self._etcd.url, str(binds), str(ports),
                str(connections), str(core.folder),
            ],
            log="load.log",
        )  # fmt: skip
        self._load.start()

    @property
    def bound(self) -> int:
        """Binds that were answered so far."""
        assert self._load is not None
        if not self._load.running and not self._result.exists():
            raise NotReady(f"the load ended\n{self._load.said(lines=60)}")
        done = self.lab.host("core").folder / "done"
        return done.stat().st_size if done.exists() else 0

    def wait(self, binds: int, *, limit: float = 180) -> None:
        """Return once so many binds were answered."""
        wait_until(lambda: self.bound >= binds or self._result.exists(), f"{binds} binds", limit=limit)

    def told(self, *, limit: float = 300) -> Told:
        """What the load saw, once it is over."""
        wait_until(lambda: self.bound >= 0 and self._result.exists(), "the end of the load", limit=limit)
        return msgspec.json.decode(self._result.read_bytes(), type=Told)

    @property
    def _result(self) -> Path:
        return self.lab.host("core").folder / "told.json"

    def ended(self) -> list[str]:
        """Instances that did not live to the end."""
        return [one.name for one in self._instances.values() if not one.daemon.running]

    def logs(self) -> str:
        """The last words of all processes."""
        shims = [(i.name, i.daemon) for i in self._instances.values()]
        every = [*shims, ("load", self._load)] if self._load is not None else shims
        return "\n".join(f"-- {name}\n{daemon.said()}" for name, daemon in every if daemon is not None)


def silence(told: Told, since: float, without: str) -> float:
    """Seconds from `since` until somebody else than `without` had answered a bind."""
    answered = [b.ended for b in told.binds if b.ended > since and b.by != without]
    return min(answered, default=float("inf")) - since


def facts(told: Told) -> dict[str, Any]:
    """In figures."""
    took = sorted(b.ended - b.began for b in told.binds)
    return {
        "binds": len(took),
        "failed": len(told.failed),
        "longest": round(took[-1], 2) if took else None,
        "median ms": round(took[len(took) // 2] * 1000, 1) if took else None,
        "writes": told.writes,
        "leaders": told.leaders,
    }
