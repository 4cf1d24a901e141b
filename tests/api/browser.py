"""Chromium without a window, as a test drives it: a page, what it asked for, what it said. Only if it is installed."""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
import socket
import struct
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gluon.testing.folders import PrivateFolder
from gluon.testing.process import Daemon, wait_until

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page of one Chromium with a folder of its own."""

    def __init__(self, folder: Path) -> None:
        assert PROGRAM is not None
        words = [
            PROGRAM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
        ]
        words += [
            "--no-first-run",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder / 'profile'}",
            "about:blank",
        ]
        self._sockets = PrivateFolder(
            "browser"
        )  # which it leaves behind, and not below `folder`, whose path may be too long
        self._daemon = Daemon(words, log=folder / "browser.log", env={"TMPDIR": str(self._sockets.path)})
        self._calls = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._daemon.start()
        wait_until(lambda: bool(self._port()), "a browser", limit=30)
        base = f"http://127.0.0.1:{self._port()}/json"
        wait_until(lambda: bool(_pages(base)), "a page", limit=30)
        self._socket = _connected(_pages(base)[0]["webSocketDebuggerUrl"])
        for part in ("Network", "Page", "Runtime", "Log"):
            self.call(f"{part}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._daemon.stop(limit=20)
        self._sockets.remove()

    def _port(self) -> str:
        found = re.search(r"DevTools listening on ws://127\.0\.0\.1:(\d+)/", self._daemon.said(lines=100))
        return found[1] if found else ""

    def look(self, width: int, height: int, scheme: str) -> None:
        """The size of the screen, and `light` or `dark`."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)  # fmt: skip
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def go(self, url: str, until: str) -> None:
        """Open a page and wait for a condition of it."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.until(until)

    def until(self, condition: str) -> None:
        wait_until(lambda: self.run(condition) is True, condition, limit=30)

    def run(self, script: str) -> Any:
        """The value of an expression."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer.get("result", {}).get("value")

    def press(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text
            )

    def asked(self) -> set[str]:
        """The URLs of all requests."""
        sent = (e["params"] for e in self.events if e["method"] == "Network.requestWillBeSent")
        return {params["request"]["url"] for params in sent}

    def complaints(self) -> list[str]:
        """Errors of scripts, refusals of the policy, and dialogs."""
        bad = {"Runtime.exceptionThrown", "Page.javascriptDialogOpening"}
        return [
            json.dumps(e["params"])
            for e in self.events
            if e["method"] in bad
            or (e["method"] == "Log.entryAdded" and e["params"]["entry"]["level"] == "error")
        ]

    def call(self, method: str, **given: Any) -> dict[str, Any]:
        self._calls += 1
        _send(self._socket, json.dumps({"id": self._calls, "method": method, "params": given}).encode())
        while True:
            told = json.loads(_receive(self._socket))
            if told.get("id") == self._calls:
                return dict(told.get("result", {}))
            self.events.append(told)


def _pages(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # of the browser itself
        return [page for page in json.load(answer) if page["type"] == "page"]


def _connected(url: str) -> socket.socket:
    """A WebSocket (RFC 6455) to a loopback address."""
    _, _, where, *path = url.split("/")
    host, port = where.split(":")
    made = socket.create_connection((host, int(port)), timeout=60)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    made.sendall(
        f"GET /{'/'.join(path)} HTTP/1.1\r\nHost: {where}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _exactly(made, 1)
    return made


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise ConnectionError("the browser went away")
        found += part
    return found


def _send(connection: socket.socket, text: bytes) -> None:
    size, mask = len(text), secrets.token_bytes(4)
    length = struct.pack("!B", 128 | size) if size < 126 else struct.pack("!BH", 254, size)
    masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(text))
    connection.sendall(b"\x81" + length + mask + masked)


def _receive(connection: socket.socket) -> bytes:
    found = b""
    while True:
        first, size = _exactly(connection, 2)
        if size == 126:
            (size,) = struct.unpack("!H", _exactly(connection, 2))
        elif size == 127:
            (size,) = struct.unpack("!Q", _exactly(connection, 8))
        found += _exactly(connection, size)
        if first & 128:
            return found
