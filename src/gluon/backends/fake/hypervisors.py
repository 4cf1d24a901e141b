"""Files that say what happens on the hosts of a fake world, where a hypervisor is a process of its own.

In: a folder with a folder for each host, in which a file named as a port is its VIF, and one named `refuse` makes the host refuse
bindings. Out: plugs of a `FakeNetwork`. Called by `backend`, for its option `hypervisors`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from gluon.backends.fake.actual import FakeNetwork

_PAUSE = 0.05
_REFUSE = "refuse"


class Hypervisors:
    """`host`: the only one that counts, or None for all."""

    def __init__(self, folder: Path, network: FakeNetwork, host: str | None) -> None:
        self._folder = folder
        self._network = network
        self._host = host
        self._seen: set[tuple[str, str]] = set()

    def refuses(self, host: str) -> bool:
        """Whether the host refuses bindings now."""
        return (self._folder / host / _REFUSE).exists()

    async def follow(self) -> None:
        """Tell the network of each plug and unplug, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_PAUSE)

    def look(self) -> None:
        """Tell the network what has changed since the last look."""
        there = set()
        for path in self._folder.glob(f"{self._host or '*'}/*"):
            if path.name != _REFUSE:
                there.add((path.name, path.parent.name))
        for port, host in self._seen - there:
            self._network.unplug(port, host)
        for port, host in there - self._seen:
            self._network.plug(port, host)
        self._seen = there
