"""The lab: namespaces as hosts, cables between them, one teardown for all.

    with Lab() as lab:
        a, b = lab.host("a"), lab.host("b")
        lab.cable(a, "eth0", b, "eth0")

Invariant: leaving the context (by an exception, ctrl-C or SIGTERM too) ends every daemon, namespace and
folder; a forked child never does. What a killed lab left is removed by the next one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from gluon.testing.folders import PrivateFolder
from gluon.testing.lab.host import Host
from gluon.testing.lab.needs import LabUnavailable, unmet_needs
from gluon.testing.process import Daemon, ProcessFailed, run

# Short, for unix sockets and database folders; in memory; and where `ip netns` keeps its names.
_BASE = Path("/run")
_KIND = "lab"


class Lab:
    """Hosts, their cables and daemons. Names are this lab's own, so labs never clash."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._hosts: dict[str, Host] = {}
        self._daemons: list[Daemon] = []
        self._place: PrivateFolder | None = None
        self._sigterm: object = None

    def __enter__(self) -> Self:
        """Raises `LabUnavailable`, in one line, if this machine cannot hold namespaces."""
        if why := unmet_needs():
            raise LabUnavailable(why)
        self._place = PrivateFolder(_KIND, base=_BASE)
        self._place.path.chmod(0o755)  # daemons that drop root live here too
        _sweep_namespaces()
        if threading.current_thread() is threading.main_thread():
            self._catch_sigterm()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        assert self._place is not None, "the lab is not open"
        return self._place.path

    @property
    def hosts(self) -> Mapping[str, Host]:
        return self._hosts

    def host(self, name: str) -> Host:
        """A new namespace, or the one of that name."""
        if name not in self._hosts:
            self._hosts[name] = Host(
                name=name,
                namespace=f"{self.folder.name}-{name}",
                folder=self.folder / name,
                keep=self._daemons.append,
            )
        return self._hosts[name]

    def remove(self, host: Host) -> None:
        """Remove a namespace with its devices; its daemons have to be stopped before."""
        del self._hosts[host.name]
        run(["ip", "netns", "delete", host.namespace])

    def cable(self, a: Host, device_a: str, b: Host, device_b: str) -> None:
        """A veth cable between two hosts, both ends up and without TX offload."""
        run(
            [
                *("ip", "link", "add", device_a, "netns", a.namespace, "type", "veth"),
                *("peer", "name", device_b, "netns", b.namespace),
            ]
        )
        for host, device in ((a, device_a), (b, device_b)):
            host.offload_off(device)
            host.ip("link", "set", device, "up")

    def segment(self, name: str, *hosts: Host, device: str = "eth0") -> Host:
        """One Ethernet segment: a namespace with a kernel bridge, a cable to `device` of each host."""
        middle = self.host(name)
        middle.ip("link", "add", "br0", "type", "bridge")
        middle.ip("link", "set", "br0", "up")
        for number, host in enumerate(hosts):
            self.cable(host, device, middle, f"p{number}")
            middle.ip("link", "set", f"p{number}", "master", "br0")
        return middle

    def close(self) -> None:
        """End and remove everything. May be called twice; in a forked child it does nothing."""
        if os.getpid() != self._owner or self._place is None:
            return
        for daemon in reversed(self._daemons):
            daemon.kill9()  # nothing of it is wanted any more, and it is quick
        for host in list(self._hosts.values()):
            with contextlib.suppress(ProcessFailed):  # somebody removed the namespace already
                self.remove(host)
        self._place.remove()
        self._place = None
        self._daemons.clear()
        self._hosts.clear()
        if callable(self._sigterm) or isinstance(self._sigterm, int):
            signal.signal(signal.SIGTERM, self._sigterm)
            self._sigterm = None

    def _catch_sigterm(self) -> None:
        """Only where SIGTERM would end us without a teardown."""
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return

        def leave(number: int, frame: FrameType | None) -> None:
            if os.getpid() != self._owner:  # a forked child has our handler, but the lab is not its
                os._exit(128 + number)
            sys.exit(128 + number)

        self._sigterm = signal.signal(signal.SIGTERM, leave)


def _sweep_namespaces() -> None:
    """Delete namespaces of labs whose folder is gone: their maker was killed."""
    for line in run(["ip", "netns", "list"]).splitlines():
        namespace = line.split()[0]
        kind, _, rest = namespace.partition(f"gluon-{_KIND}-")
        folder = f"gluon-{_KIND}-{rest[:8]}"  # mkdtemp's eight characters
        if kind == "" and rest[8:9] == "-" and not (_BASE / folder).exists():
            with contextlib.suppress(ProcessFailed):  # another lab sweeps too
                run(["ip", "netns", "delete", namespace])
