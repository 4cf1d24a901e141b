"""An address for the network service that leads to whom a test wants: Nova keeps the endpoint that it found first."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from gluon.testing.servers.server import LOOPBACK


class Relay:
    """`with Relay() as relay: relay.turn(port)`. Who was connected before is cut off."""

    def __init__(self) -> None:
        self._listening = socket.create_server((LOOPBACK, 0))
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._target = 0
        self._held = b""
        self._may_pass = threading.Event()
        self._may_pass.set()
        self._waits = threading.Event()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._listening.getsockname()[1]}"

    def turn(self, port: int) -> None:
        """From now on connections lead to this port of loopback."""
        with self._guard:
            self._target = port
            self._cut()

    @contextmanager
    def holding(self, words: bytes) -> Iterator[threading.Event]:
        """While no request passes that has these words. The event: one waits."""
        self._held = words
        self._waits.clear()
        self._may_pass.clear()
        try:
            yield self._waits
        finally:
            self._may_pass.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="relay", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._may_pass.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._guard:
            self._cut()

    def _cut(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return  # closed
            try:
                with self._guard:
                    far = socket.create_connection((LOOPBACK, self._target), timeout=30)
                    far.settimeout(None)
                    self._open |= {near, far}
            except OSError:
                near.close()
                continue
            threading.Thread(target=self._pass, args=(near, far), name="relay", daemon=True).start()

    def _hold(self, data: bytes) -> None:
        if not self._may_pass.is_set() and self._held in data:
            self._waits.set()
            self._may_pass.wait()

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        back = threading.Thread(target=copy, args=(far, near), name="relay", daemon=True)
        back.start()
        copy(near, far, self._hold)
        back.join()
        with self._guard:
            self._open -= {near, far}
        near.close()
        far.close()


def copy(source: socket.socket, target: socket.socket, before: Callable[[bytes], object] = len) -> None:
    """Until one of them ends. `before`: sees what is passed on next."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            before(data)
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
