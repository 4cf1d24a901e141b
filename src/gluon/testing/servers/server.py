"""The life of a private server: prepare, start on free ports, fault, stop, remove.

In: the hooks of one kind of server (`postgres`, `mariadb`, `etcd`). Out: `PrivateServer`, a context
manager. Invariant: its ports never change once it has started, so that clients may come back.
"""

from __future__ import annotations

import os
import random
import signal
import socket
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from gluon.testing.folders import PrivateFolder
from gluon.testing.process import Daemon, NotReady, wait_until

LOOPBACK = "127.0.0.1"
_TRIES = 8
_PORTS = range(20_000, 32_000)
_PARTS = 8
_given: set[int] = set()
"""Ports that this process has drawn: who had one may come back to it."""


class PrivateServer(ABC):
    """One server in a temporary folder, on loopback ports of its own."""

    kind: str
    """Short name for the folder."""
    port_count = 1
    start_limit = 60.0
    """Seconds until it has to answer."""
    stop_signal = signal.SIGTERM

    def __init__(self, *, user: str | None) -> None:
        self.user = user
        self.ports: tuple[int, ...] = ()
        self._place: PrivateFolder | None = None
        self._daemon: Daemon | None = None

    @property
    def folder(self) -> PrivateFolder:
        if self._place is None:
            raise NotReady(f"{self.kind} was not started")
        return self._place

    @property
    def daemon(self) -> Daemon:
        """The server's main process: its pid, its log."""
        if self._daemon is None:
            raise NotReady(f"{self.kind} was not started")
        return self._daemon

    @property
    def running(self) -> bool:
        return self._daemon is not None and self._daemon.running

    def start(self) -> None:
        """Start it (again) and return when it answers.

        Raises `MissingProgram`, or `NotReady` with its last words.
        """
        if self.running:
            return
        if self._place is None:
            self._place = PrivateFolder(self.kind, owner=self.user)
            try:
                self._prepare()
                self._start_first()
            except BaseException:
                self.close()
                raise
            return
        self._start_again()

    def stop(self) -> None:
        """End it in order; its data stays."""
        if self._daemon is not None:
            self._daemon.stop(signal_number=self.stop_signal)

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill9(self) -> None:
        """SIGKILL, as a crash; its data stays."""
        self.daemon.kill9()

    def pause(self) -> None:
        """SIGSTOP: it hangs without closing anything."""
        self.daemon.pause()

    def resume(self) -> None:
        """SIGCONT."""
        self.daemon.resume()

    def close(self) -> None:
        """End it and remove its folder. May be called twice."""
        self.stop()
        if self._place is not None:
            self._place.remove()
        self._place = self._daemon = None
        self.ports = ()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- what a kind of server says of itself -------------------------------------------------

    @abstractmethod
    def _prepare(self) -> None:
        """Make its data folder, once."""

    @abstractmethod
    def _command(self) -> Daemon:
        """The process to start, on `self.ports`."""

    @abstractmethod
    def _answers(self) -> bool:
        """Is it ready for clients?"""

    # -- starting -----------------------------------------------------------------------------

    def _start_first(self) -> None:
        """Somebody else may take a port between our look and the server's bind: try others."""
        for left in reversed(range(_TRIES)):
            self.ports = free_ports(self.port_count)
            try:
                self._launch()
            except NotReady:
                if left == 0 or not self._port_was_taken():
                    raise
            else:
                return

    def _start_again(self) -> None:
        """The same ports; after a kill the kernel may need a moment to give them back."""

        def launched() -> bool:
            try:
                self._launch()
            except NotReady:
                if not self._port_was_taken():
                    raise
                return False
            return True

        wait_until(launched, f"{self.kind} on its ports {self.ports}", limit=20, every=0.1)

    def _launch(self) -> None:
        self._daemon = self._command()
        self._daemon.start()
        try:
            self._daemon.wait_ready(self._answers, limit=self.start_limit)
        except BaseException:
            self._daemon.kill9()
            raise

    def _port_was_taken(self) -> bool:
        return "address already in use" in self.daemon.said(lines=200).lower()


def free_ports(count: int, address: str = LOOPBACK) -> tuple[int, ...]:
    """Ports that nobody listens on now.

    They are drawn from below the range that the kernel uses for outgoing connections, else a
    client of some other test could sit on one of them. None is given twice, and each worker of a
    test run has its own: a server that is down for a moment finds its port free.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    drawn = _PORTS[int(worker) % _PARTS :: _PARTS] if worker.isdigit() else _PORTS
    if len(_given) > len(drawn) // 2:
        _given.clear()
    found: list[int] = []
    while len(found) < count:
        port = random.choice(drawn)
        if port not in _given and _can_bind(address, port):
            _given.add(port)
            found.append(port)
    return tuple(found)


def _can_bind(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def accepts(address: str, port: int) -> bool:
    """Does a TCP connection come about?"""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False
