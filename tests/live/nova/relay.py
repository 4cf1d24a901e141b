"""An address for the network service that leads to whom a test wants: Nova keeps the endpoint that it found first."""

import socket
import threading
from contextlib import suppress
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

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._listening.getsockname()[1]}"

    def turn(self, port: int) -> None:
        """From now on connections lead to this port of loopback."""
        with self._guard:
            self._target = port
            self._cut()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="relay", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        back = threading.Thread(target=copy, args=(far, near), name="relay", daemon=True)
        back.start()
        copy(near, far)
        back.join()
        with self._guard:
            self._open -= {near, far}
        near.close()
        far.close()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Until one of them ends."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
