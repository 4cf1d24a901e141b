"""A way to Gluon on which answers get lost: the request arrives, and the connection ends before a word comes back."""

import socket
import threading
from contextlib import suppress
from typing import Self

_CREATES = b"POST /v2.0/ports "


class Lossy:
    """`lose`: of so many requests for a new port the answers get lost; `lost`: of how many they were."""

    def __init__(self, port: int) -> None:
        self.lose = 0
        self.lost = 0
        self._port = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

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
        """One connection; the server's answer is waited for before it is lost, so that all is done by then."""
        with client, socket.create_connection(("127.0.0.1", self._port)) as server, suppress(OSError):
            asked: list[bool] = []
            forth = threading.Thread(target=self._forth, args=(client, server, asked), daemon=True)
            forth.start()
            while data := server.recv(65536):
                if asked:
                    self.lost += 1
                    client.shutdown(socket.SHUT_RDWR)
                    server.shutdown(socket.SHUT_RDWR)
                    break
                client.sendall(data)
            forth.join()

    def _forth(self, client: socket.socket, server: socket.socket, asked: list[bool]) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                with self._lock:
                    if self.lose and data.startswith(_CREATES):
                        self.lose -= 1
                        asked.append(True)
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
