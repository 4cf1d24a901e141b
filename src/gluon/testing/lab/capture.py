"""What is on the wire: tcpdump on one device, read while it runs.

with Capture(core, "p0", "proto 47") as capture:
    ping(...)
    capture.wait_for("MPLS")
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self

from gluon.testing.lab.host import Host
from gluon.testing.process import NotReady, wait_until

_LABEL = re.compile(r"MPLS \(label (\d+)")


class Capture:
    """Packets of one device that match a filter, as tcpdump's lines."""

    def __init__(self, host: Host, device: str, expression: str = "") -> None:
        self._daemon = host.daemon(
            # -U with -l: each packet at once; -Z root: it keeps the process that dies with us
            ["tcpdump", "-l", "-U", "-n", "-e", "-v", "-Z", "root", "-i", device, *expression.split()],
            log=f"tcpdump-{device}.log",
        )

    def __enter__(self) -> Self:
        self._daemon.start()
        self._daemon.wait_ready(lambda: "listening on" in self.text())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._daemon.stop()

    def text(self) -> str:
        """All lines so far."""
        return self._daemon.said(lines=100_000)

    def labels(self) -> set[int]:
        """The MPLS labels seen so far."""
        return {int(label) for label in _LABEL.findall(self.text())}

    def wait_for(self, pattern: str, *, limit: float = 5) -> str:
        """Wait for a line that the pattern matches, and return it. Raises `NotReady` with what was seen."""
        try:
            wait_until(
                lambda: self._find(pattern) is not None, f"{pattern!r} on the wire", limit=limit, every=0.05
            )
        except NotReady as error:
            raise NotReady(f"{error}\n{self.text()}") from None
        return self._find(pattern) or ""

    def _find(self, pattern: str) -> str | None:
        return next((line for line in self.text().splitlines() if re.search(pattern, line)), None)
