"""A pipe by which API workers wake the publisher beside them, without a word to etcd.

In: `ring()` after each commit of a worker. Out: a call of the publisher's `notify`, which passes the
wake on through etcd if the leader lives on another host. Invariant: one byte a turn of the loop at
most, and never a wait: a full pipe wakes as well. A ring while no publisher lives stays in the pipe.
Measured at 5,000 creates a second: a put of a wake key cost the worker 8 µs of CPU a port, this 1.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress


def pipe() -> tuple[int, int]:
    """The descriptors to listen at and to ring with; neither ever blocks."""
    listening, ringing = os.pipe()
    os.set_blocking(listening, False)
    os.set_blocking(ringing, False)
    return listening, ringing


class Bell:
    """The worker's end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rings = False

    def ring(self) -> None:
        """Something was committed. Never waits, never fails."""
        if not self._rings:
            self._rings = True
            asyncio.get_running_loop().call_soon(self._ring)

    def _ring(self) -> None:
        self._rings = False
        with suppress(OSError):  # full: it rings already; or the server is ending
            os.write(self._descriptor, b"\0")


def listen(descriptor: int, notify: Callable[[], None]) -> None:
    """Call `notify` whenever a worker rings, as long as the loop runs."""

    def rung() -> None:
        with suppress(BlockingIOError):
            os.read(descriptor, 4096)
        notify()

    asyncio.get_running_loop().add_reader(descriptor, rung)
