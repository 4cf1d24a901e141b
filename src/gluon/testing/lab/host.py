"""A host or VM of a lab: one network namespace, with a folder and daemons of its own.

Made by `Lab.host`. Invariant: nothing here touches a device outside this namespace.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gluon.testing.process import Daemon, run

# Replies may come by another way than requests went; and no frames nobody asked for.
_SETTINGS = ("ipv4/conf/all/rp_filter=0", "ipv4/conf/default/rp_filter=0", "ipv6/conf/default/disable_ipv6=1")


class Host:
    """One network namespace."""

    def __init__(self, *, name: str, namespace: str, folder: Path, keep: Callable[[Daemon], None]) -> None:
        """`keep` is told of each daemon, to end it with the lab."""
        self.name = name
        self.namespace = namespace
        self.folder = folder
        self._keep = keep
        folder.mkdir()
        run(["ip", "netns", "add", namespace])
        self.settings(*_SETTINGS)
        self.ip("link", "set", "lo", "up")

    def __repr__(self) -> str:
        return f"Host({self.name!r}, namespace={self.namespace!r})"

    def run(
        self, *argv: str, stdin: str = "", env: Mapping[str, str] | None = None, limit: float = 60
    ) -> str:
        """Run a command in this namespace and return what it printed. Raises `ProcessFailed`."""
        return run(argv, netns=self.namespace, stdin=stdin, env=env, limit=limit)

    def ip(self, *words: str) -> str:
        """`ip` about this namespace's devices, addresses and routes."""
        return run(["ip", "-n", self.namespace, *words])

    def settings(self, *values: str) -> None:
        """Set kernel parameters, written `ipv4/ip_forward=1` (below `/proc/sys/net`)."""
        script = "".join(
            f"echo {value} > /proc/sys/net/{name}\n"
            for name, _, value in (text.partition("=") for text in values)
        )
        self.run("sh", "-ec", script)

    def daemon(
        self,
        argv: Sequence[str],
        *,
        log: str = "",
        user: str | None = None,
        env: Mapping[str, str] | None = None,
        privileges: Sequence[str] = (),
    ) -> Daemon:
        """A daemon in this namespace, not started yet; the lab ends it."""
        daemon = Daemon(
            argv,
            log=self.folder / (log or f"{Path(argv[0]).name}.log"),
            user=user,
            netns=self.namespace,
            env=env,
            privileges=privileges,
        )
        self._keep(daemon)
        return daemon

    def address(self, device: str, *addresses: str, mtu: int | None = None) -> None:
        """Give a device addresses (`192.0.2.1/24`), perhaps an MTU, and set it up. May be repeated."""
        for address in addresses:
            self.ip("address", "replace", address, "dev", device)
        if mtu is not None:
            self.ip("link", "set", device, "mtu", str(mtu))
        self.ip("link", "set", device, "up")

    def route(self, prefix: str, via: str) -> None:
        """Route a prefix (or `default`) via a gateway."""
        self.ip("route", "replace", prefix, "via", via)

    def devices(self) -> list[str]:
        return [str(link["ifname"]) for link in json.loads(self.ip("-j", "link", "show"))]

    def mac(self, device: str) -> str:
        """The device's own MAC address."""
        return str(json.loads(self.ip("-j", "link", "show", device))[0]["address"])

    def offload_off(self, device: str) -> None:
        """No TX offload: the userspace datapath forwards frames as they are, and half-made checksums
        would make TCP hang while ping works."""
        self.run("ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off")
