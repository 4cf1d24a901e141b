"""A host's Open vSwitch: one bridge of ours in it, its interfaces, its flows.

    switch = Switch(db="unix:/run/openvswitch/db.sock", run_dir=Path("/run/openvswitch"), bridge="br-vpn")
    await switch.ensure_bridge(tunnel=Tunnel(name="gre-vpn"))
    async for interfaces in switch.follow_interfaces(): ...     # all of them: at once, and after each change
    async for lives in switch.follow_switch(): ...              # True at each (re)start: flows are gone then
    await switch.replace_flows(["table=0,priority=0 actions=drop"])

Invariant: a bridge or port without our mark (`external_ids:gluon-owner`) is never touched. All sockets
are files, so the caller need not be in the switch's network namespace. Everything raises `TryLater`
(`DatabaseGone`, `SwitchGone`) when a daemon does not answer, `GiveUp` when our input is refused.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gluon.backends.bgp_mpls import ovsdb
from gluon.backends.bgp_mpls.openflow import SwitchGone, connect_switch
from gluon.errors import GiveUp, TryLater

OWNER = "gluon-owner"
"""Key in `external_ids` of what is ours."""
IFACE_ID = "iface-id"

_PAUSE = 0.2  # before the next look for a daemon that is gone
_COLUMNS = {
    "Bridge": ("name", "ports", "external_ids"),
    "Port": ("interfaces",),
    "Interface": ("name", "ofport", "link_state", "external_ids"),
}
# What ovs-ofctl and ovs-vsctl say when a daemon is away, in contrast to input they do not understand.
_AWAY = re.compile(
    r"connect|refused|reset|timed out|Alarm clock|is not a bridge or a socket|End of file|Broken pipe",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """The bridge's port to all other PEs: MPLS in GRE (RFC 4023), the remote address set by flows."""

    name: str
    ofport: int = 1
    local_ip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One interface of the bridge. `ofport` is None until vswitchd has it (or -1: it could not)."""

    name: str
    ofport: int | None
    link_up: bool
    external_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def iface_id(self) -> str:
        """The port's id as the hypervisor set it, or ''."""
        return self.external_ids.get(IFACE_ID, "")

    @property
    def attached_mac(self) -> str:
        return self.external_ids.get("attached-mac", "")

    @property
    def usable(self) -> bool:
        """Plugged: vswitchd has given it a number and its link is up.

        A restart of ovsdb-server forgets link states; vswitchd writes them again within the second.
        """
        return self.ofport is not None and self.ofport > 0 and self.link_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One flow as the switch tells it: `text` is table, match and actions in the switch's own order."""

    cookie: int
    text: str


class Switch:
    """One bridge of a host's Open vSwitch. Making it does no I/O."""

    def __init__(
        self, *, db: str, run_dir: Path, bridge: str, owner: str = "bgp_mpls", timeout: float = 5.0
    ) -> None:
        self.db = db
        self.run_dir = run_dir
        self.bridge = bridge
        self.owner = owner
        self._timeout = timeout

    # -- bridge and ports --------------------------------------------------------------------------

    async def ensure_bridge(
        self,
        *,
        tunnel: Tunnel | None = None,
        datapath: str = "netdev",
        external_ids: Mapping[str, str] | None = None,
    ) -> None:
        """Make bridge and tunnel port if they are missing; a bridge that exists must be ours.

        `fail_mode=secure`: a switch without our flows forwards nothing instead of everything.
        """
        await self._require_ours()
        marks = {OWNER: self.owner, **(external_ids or {})}
        words = ["--may-exist", "add-br", self.bridge]
        words += ["--", "set", "Bridge", self.bridge, f"datapath_type={datapath}", "fail_mode=secure"]
        words += [f"external_ids:{_quoted(k)}={_quoted(v)}" for k, v in marks.items()]
        if tunnel is not None:
            words += ["--", "--may-exist", "add-port", self.bridge, tunnel.name]
            words += ["--", "set", "Interface", tunnel.name, "type=gre", f"ofport_request={tunnel.ofport}"]
            words += ["options:remote_ip=flow", "options:packet_type=legacy_l3"]
            words += [f"options:local_ip={tunnel.local_ip}"] if tunnel.local_ip else []
            words += [f"external_ids:{OWNER}={self.owner}"]
        await self._run("ovs-vsctl", f"--db={self.db}", f"--timeout={self._timeout:.0f}", *words)

    async def remove_bridge(self) -> None:
        """Remove our bridge with all it has; one that is not ours is refused."""
        await self._require_ours()
        await self._run(
            "ovs-vsctl",
            f"--db={self.db}",
            f"--timeout={self._timeout:.0f}",
            "--if-exists",
            "del-br",
            self.bridge,
        )

    async def interfaces(self) -> dict[str, Interface]:
        """The bridge's interfaces by name, as of now. Empty if there is no such bridge."""
        async with (
            ovsdb.connect(self.db, timeout=self._timeout) as connection,
            aclosing(connection.monitor(_COLUMNS)) as states,
        ):
            async for tables in states:
                return _interfaces(tables, self.bridge)
        return {}

    async def follow_interfaces(self) -> AsyncGenerator[dict[str, Interface], None]:
        """The bridge's interfaces by name: at once, and all again after each change.

        Never raises for an outage: it waits for ovsdb-server and goes on with what there is then.
        """
        last: dict[str, Interface] | None = None
        while True:
            try:
                async with (
                    ovsdb.connect(self.db, timeout=self._timeout) as connection,
                    aclosing(connection.monitor(_COLUMNS)) as states,
                ):
                    async for tables in states:
                        now = _interfaces(tables, self.bridge)
                        if now != last:
                            last = now
                            yield now
            except ovsdb.DatabaseGone:
                await asyncio.sleep(_PAUSE)

    async def external_ids(self) -> dict[str, str]:
        """The bridge's `external_ids`; empty if there is no such bridge."""
        rows = await self._select("external_ids")
        return dict(rows[0]["external_ids"]) if rows else {}

    async def write_external_ids(self, values: Mapping[str, str | None]) -> None:
        """Set these keys of the bridge's `external_ids` in one transaction; None removes a key."""
        new = {key: value for key, value in values.items() if value is not None}
        async with ovsdb.connect(self.db, timeout=self._timeout) as connection:
            (result,) = await connection.transact(
                {
                    "op": "mutate",
                    "table": "Bridge",
                    "where": [["name", "==", self.bridge]],
                    "mutations": [
                        ["external_ids", "delete", ovsdb.set_value(list(values))],
                        ["external_ids", "insert", ovsdb.map_value(new)],
                    ],
                }
            )
        if result.get("count") != 1:
            raise TryLater(f"there is no bridge {self.bridge}")

    # -- flows -------------------------------------------------------------------------------------

    async def dump_flows(self) -> list[Flow]:
        """All flows of the bridge, with their cookies, without counters."""
        text = await self._ofctl("--no-names", "dump-flows", self._management)
        return [flow for line in text.splitlines() if (flow := _flow(line)) is not None]

    async def replace_flows(self, flows: Iterable[str]) -> None:
        """Make these the bridge's flows, all or none; those already there stay untouched, counters too."""
        await self._ofctl(
            "--bundle", "replace-flows", self._management, "-", stdin="".join(f"{flow}\n" for flow in flows)
        )

    async def edit_flows(self, lines: Iterable[str]) -> None:
        """Add and delete single flows, all or none; the others stay. A line is a flow as `ovs-ofctl
        add-flows` reads it, `add` or `delete_strict` before it."""
        await self._ofctl(
            "--bundle", "add-flows", self._management, "-", stdin="".join(f"{x}\n" for x in lines)
        )

    async def follow_switch(self) -> AsyncGenerator[bool, None]:
        """True when vswitchd answers for this bridge (and has no flows yet if it is a restart), False when it ended.

        Alternates for ever, True first, as soon as the switch is there.
        """
        while True:
            try:
                connection = await connect_switch(Path(self._socket), timeout=self._timeout)
            except SwitchGone:
                await asyncio.sleep(_PAUSE)
                continue
            try:
                yield True
                await connection.wait_gone()
            finally:
                connection.close()
            yield False

    # -- helpers -----------------------------------------------------------------------------------

    @property
    def _socket(self) -> Path:
        return self.run_dir / f"{self.bridge}.mgmt"

    @property
    def _management(self) -> str:
        return f"unix:{self._socket}"

    async def _require_ours(self) -> None:
        rows = await self._select("external_ids")
        owner = rows[0]["external_ids"].get(OWNER) if rows else self.owner
        if owner != self.owner:
            raise GiveUp(
                f"bridge {self.bridge} exists without external_ids:{OWNER}={self.owner}: it is not ours",
                reason="ForeignBridge",
            )

    async def _select(self, *columns: str) -> list[ovsdb.Row]:
        async with ovsdb.connect(self.db, timeout=self._timeout) as connection:
            (result,) = await connection.transact(
                {
                    "op": "select",
                    "table": "Bridge",
                    "where": [["name", "==", self.bridge]],
                    "columns": list(columns),
                }
            )
        return [ovsdb.row_of(row) for row in result["rows"]]

    async def _ofctl(self, *words: str, stdin: str = "") -> str:
        return await self._run(
            "ovs-ofctl", "-O", "OpenFlow15", f"--timeout={self._timeout:.0f}", *words, stdin=stdin
        )

    async def _run(self, *argv: str, stdin: str = "") -> str:
        """Run one command. A daemon that is away is `SwitchGone`, anything else our own mistake."""
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "OVS_RUNDIR": str(self.run_dir)},
            )
        except FileNotFoundError as error:
            raise GiveUp(f"{argv[0]} is not installed", reason="MissingProgram") from error
        try:
            async with asyncio.timeout(self._timeout + 5):
                out, err = await process.communicate(stdin.encode())
        except TimeoutError as error:
            raise SwitchGone(f"{argv[0]}: no end within {self._timeout + 5:.0f} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == 0:
            return out.decode()
        said = err.decode(errors="replace").strip() or f"status {process.returncode}"
        if process.returncode is None or process.returncode < 0 or _AWAY.search(said):
            raise SwitchGone(said)
        raise GiveUp(said, reason="SwitchRefused")


def _interfaces(tables: ovsdb.Tables, bridge: str) -> dict[str, Interface]:
    """The interfaces of one bridge; a bridge's own internal port is none of them."""
    found: dict[str, Interface] = {}
    for row in tables["Bridge"].values():
        if row["name"] != bridge:
            continue
        for port in _members(row["ports"]):
            for uuid in _members(tables["Port"].get(port, {}).get("interfaces", ())):
                interface = tables["Interface"].get(uuid)
                if interface is not None and interface["name"] != bridge:
                    found[interface["name"]] = _interface(interface)
    return found


def _interface(row: ovsdb.Row) -> Interface:
    ofport = _members(row["ofport"])
    return Interface(
        name=row["name"],
        ofport=ofport[0] if ofport else None,
        link_up=row["link_state"] == "up",
        external_ids=row["external_ids"],
    )


def _members(value: Any) -> tuple[Any, ...]:
    """A set of one member is written as the member itself."""
    return value if isinstance(value, tuple) else (value,)


def _flow(line: str) -> Flow | None:
    """`cookie=0x5, duration=1s, table=0, n_packets=…, n_bytes=…, priority=1,ip actions=drop`"""
    words = line.strip()
    if "actions=" not in words:
        return None  # the reply's head line
    match, _, actions = words.partition(" actions=")
    kept: list[str] = []
    cookie = 0
    for part in match.split(","):
        name, _, value = part.strip().partition("=")
        if name == "cookie":
            cookie = int(value, 16)
        elif name not in {"duration", "n_packets", "n_bytes", "idle_age", "hard_age"}:
            kept.append(part.strip())
    return Flow(cookie=cookie, text=f"{','.join(kept)} actions={actions}")


def _quoted(value: str) -> str:
    """As ovs-vsctl reads a string, whatever is in it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
