"""Who reaches whom: ping, and TCP with the name of the one who answered.

A command that is missing or misused is an error, never "not reachable": a negative check would pass
without a test. Equal addresses in several VPNs are told apart by the name that answers.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gluon.testing.lab.host import Host
from gluon.testing.process import ProcessFailed

NAME_PORT = 7000
_SCRIPT = str(Path(__file__).with_name("answer.py"))
# Exit status 2 of ping with one of these is an answer of the network, not a mistake of ours.
_NO_WAY = ("unreachable", "No route to host")


def ping(host: Host, address: str, *, count: int = 1, seconds: float = 1) -> bool:
    """Is one of `count` echo requests answered within `seconds`? Raises `ProcessFailed` if ping fails."""
    try:
        host.run("ping", "-n", "-q", "-c", str(count), "-i", "0.2", "-W", str(seconds), address)
    except ProcessFailed as error:
        if "status 1\n" in str(error) or any(text in str(error) for text in _NO_WAY):
            return False
        raise
    return True


class NameServer:
    """Answers TCP connections in a namespace with the host's name."""

    def __init__(self, host: Host, *, port: int = NAME_PORT) -> None:
        self.daemon = host.daemon(
            [sys.executable, "-I", "-S", _SCRIPT, "serve", host.name, str(port)], log=f"name-{port}.log"
        )

    def start(self) -> None:
        """Start it; returns when it listens."""
        self.daemon.start()
        self.daemon.wait_ready(lambda: "ready" in self.daemon.said())

    def stop(self) -> None:
        self.daemon.stop()


def ask_name(host: Host, address: str, *, port: int = NAME_PORT, seconds: float = 1) -> str:
    """The name of the host that answers TCP at `address`, '' if none does."""
    return host.run(sys.executable, "-I", "-S", _SCRIPT, "ask", address, str(port), str(seconds))
