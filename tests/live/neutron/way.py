"""A way to Gluon on which something becomes of some answers: the request arrives, and its answer gets lost or waits.

In: Gluon's port. Out: `Lossy`, `Holding`, each with a `url`. Which requests are meant is told by how they begin.
"""

import queue
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from gluon.testing.process import wait_until


class _Way(ABC):
    """Connections are carried as they are, one of each side."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @abstractmethod
    def _is_meant(self, request: bytes) -> bool:
        """Whether something becomes of its answer."""

    @abstractmethod
    def _passes(self) -> bool:
        """Whether that is passed on. It is here, so all is done by now."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self._port)) as server:
            asked: list[bool] = []
            forth = threading.Thread(target=self._forth, args=(client, server, asked), daemon=True)
            forth.start()
            while data := server.recv(65536):
                if asked:
                    asked.pop()
                    if not self._passes():
                        server.shutdown(socket.SHUT_RDWR)
                        break
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)
            forth.join()

    def _forth(self, client: socket.socket, server: socket.socket, asked: list[bool]) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self._is_meant(data):
                    asked.append(True)
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)


class Lossy(_Way):
    """`lose`: of so many requests for a new port the answers get lost; `lost`: of how many they were."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.lose = 0
        self.lost = 0

    def _is_meant(self, request: bytes) -> bool:
        with self._lock:
            meant = bool(self.lose) and request.startswith(b"POST /v2.0/ports ")
            self.lose -= meant
        return meant

    def _passes(self) -> bool:
        self.lost += 1
        return False


class Holding(_Way):
    """Answers to who looks at several ports wait `while way.holds()`, one after the other: only the thread asks for them that keeps
    Neutron's rows. `turn()` lets one go, and comes back when the next one waits."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._holds = False
        self._waiting: queue.SimpleQueue[threading.Event] = queue.SimpleQueue()
        self._held: threading.Event | None = None

    @contextmanager
    def holds(self) -> Iterator[None]:
        self._holds = True
        try:
            yield
        finally:
            self._holds = False
            self._let_go()
            while not self._waiting.empty():
                self._waiting.get().set()

    def turn(self) -> None:
        self._let_go()
        wait_until(lambda: not self._waiting.empty(), "a look at ports", limit=120)
        self._held = self._waiting.get()

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.set()
            self._held = None

    def _is_meant(self, request: bytes) -> bool:
        return self._holds and request.startswith(b"GET /v2.0/ports?")

    def _passes(self) -> bool:
        goes = threading.Event()
        self._waiting.put(goes)
        while self._holds and not goes.wait(0.1):
            pass
        return True
