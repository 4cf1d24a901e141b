"""The backend `bgp_mpls`: what the shim engine talks to. One instance is one PE, one host.

In: the desired state, plugs, routes. Out: flows of one bridge and VPN routes of one gobgpd.
Everything that is decided is in `desired` and `report`; this file connects.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from gluon.backends.bgp_mpls import actual, config, desired, report
from gluon.backends.bgp_mpls.apply import Writer
from gluon.backends.bgp_mpls.desired import Local
from gluon.backends.bgp_mpls.following import Follower
from gluon.backends.bgp_mpls.labels import Numbers
from gluon.backends.bgp_mpls.learnt import Learnt
from gluon.backends.bgp_mpls.ovs import Switch
from gluon.backends.bgp_mpls.speaker import Speaker
from gluon.errors import GiveUp, TryLater
from gluon.particles import l3vpn
from gluon.spi import backend as spi


class BgpMplsBackend:
    """RFC 4364 with GoBGP and Open vSwitch."""

    api_version: ClassVar[int] = spi.API_VERSION
    name: ClassVar[str] = "bgp_mpls"
    apis: ClassVar[Mapping[str, tuple[str, ...]]] = {l3vpn.API: l3vpn.VERSIONS}
    vnic_types: ClassVar[tuple[str, ...]] = ("normal", "virtual")
    per_host: ClassVar[bool] = True
    deadline: ClassVar[float] = 10.0

    def __init__(self, setting: spi.Setting) -> None:
        self._host = setting.host
        self._config = config.read(setting.options)
        self._switch = Switch(
            db=self._config.ovsdb, run_dir=Path(self._config.ovs_rundir), bridge=self._config.bridge
        )
        self._speaker = Speaker(self._config.speaker)
        self._writer = Writer(self._switch, self._speaker, self._config)
        self._facts = desired.Facts(
            config=self._config,
            numbers=Numbers(self._config.labels),
            learnt=Learnt(self._config.router_id),
        )
        self._programmed: dict[str, Any] = {}
        self._computed: tuple[spi.World, int, Local] | None = None
        # What each VRF's rows were last made from: which events concern it.
        self._ports: dict[str, frozenset[str]] = {}
        self._imports: dict[str, frozenset[str]] = {}
        self._exports: dict[str, frozenset[str]] = {}
        self._follower = Follower(
            self._facts,
            self._switch,
            self._speaker,
            of_ports=self._of_ports,
            of_targets=self._of_targets,
            of_all=self._imports.keys,
        )

    async def start(self, look: spi.Look) -> None:
        await self._writer.prepare()
        self._facts.numbers.load(actual.kept_numbers(await self._switch.external_ids()))
        await self._follower.start(look)

    async def stop(self) -> None:
        await self._follower.stop()
        await self._speaker.close()

    def bind(self, world: spi.World, binding: spi.PortBinding) -> spi.Vif:
        if binding.port is None:
            raise TryLater(f"port {binding.ref.key} has not arrived yet")
        vnic_type = binding.wanted.vnic_type
        if vnic_type not in self.vnic_types:
            raise GiveUp(
                f"vnic_type {vnic_type} is not served: {', '.join(self.vnic_types)} are",
                reason="VnicTypeNotSupported",
            )
        kinds = {
            str(found.body.get("segmentation_type") or "none")
            for found in world.where(l3vpn.API, l3vpn.INTERFACE, "port_id", binding.ref.key)
        }
        if kinds and "none" not in kinds:
            raise GiveUp(
                f"segmentation_type {', '.join(sorted(kinds))} is not served: none is",
                reason="SegmentationNotSupported",
            )
        details = {
            "bridge_name": self._config.bridge,
            "port_filter": False,
            "ovs_hybrid_plug": False,
            "datapath_type": "netdev",
        }
        return spi.Vif(vif_type="ovs", details=details)

    def scopes(self, world: spi.World, ref: spi.Ref) -> frozenset[str]:
        if ref.api != l3vpn.API:
            return frozenset()
        port = l3vpn.port_of(world, l3vpn.API, ref.object_type, ref.key)
        if port is not None and world.binding(port, self._host) is None:
            return frozenset()  # most events: they are of other hosts
        services = l3vpn.services_of(world, l3vpn.API, ref.object_type, ref.key)
        if port is not None:  # a port sends into one VRF: which one may change for all of its VPNs
            services |= l3vpn.services_of(world, l3vpn.API, l3vpn.PORT, port.key)
        here = self._local(world)
        found = {vrf.table for service in services for vrf in here.of_service(service)}
        for table in tuple(found):
            found |= {other.table for other in here.vrfs.values() if _depends(other, here.vrfs[table])}
        return frozenset(map(desired.scope_of, found))

    def all_scopes(self, world: spi.World) -> frozenset[str]:
        return frozenset({desired.BRIDGE, *map(desired.scope_of, self._local(world).vrfs)})

    def members(self, world: spi.World, scope: str) -> frozenset[spi.Ref]:
        if scope == desired.BRIDGE:
            return frozenset(binding.ref for binding in world.bindings(l3vpn.API, self._host))
        table = desired.table_of(scope)
        vrf = self._local(world).vrfs.get(table) if table is not None else None
        if vrf is None:
            gone = (table.partition("/")[0],) if table is not None else ()
            return frozenset(spi.Ref(l3vpn.API, l3vpn.SERVICE, service) for service in gone)
        ports = {spi.Ref(l3vpn.API, l3vpn.PORT, attached.port) for attached in vrf.attachments}
        return frozenset({spi.Ref(l3vpn.API, l3vpn.SERVICE, vrf.service), *ports})

    def desired(self, world: spi.World, scope: str) -> spi.Rows:
        if scope == desired.BRIDGE:
            return desired.bridge_rows(self._facts)
        table = desired.table_of(scope)
        if table is None:
            return {}
        here = self._local(world)
        self._remember(scope, here.vrfs.get(table))
        return desired.vrf_rows(here, self._facts, table)

    async def actual(self) -> Mapping[str, spi.Rows]:
        routes = await self._follower.while_speaking(self._speaker.routes()) if self._facts.speaker else None
        found = await actual.read(self._switch, routes, self._config, dead=not self._facts.switch)
        self._programmed = {key: row for rows in found.values() for key, row in rows.items()}
        self._free_numbers()
        return found

    async def apply(self, delta: spi.Delta) -> None:
        await self._writer.write(delta)
        for key, row in delta.remove.items():
            if self._programmed.get(key) == row:
                del self._programmed[key]
            if isinstance(row, desired.KeptNumber) and self._facts.numbers.get(row.name) == row.number:
                self._facts.numbers.free(row.name)  # else it has another by now
        self._programmed |= {**delta.make, **delta.change}

    def status(self, world: spi.World, ref: spi.Ref) -> spi.ObjectStatus | None:
        if ref.api != l3vpn.API:
            return None
        if ref.object_type == l3vpn.SERVICE:
            return report.of_service(self._local(world), self._facts, ref.key, self._programmed)
        if ref.object_type == l3vpn.PORT and world.binding(ref, self._host) is not None:
            found = report.of_port(self._local(world), self._facts, ref.key, self._programmed)
            there = frozenset({self._host}) if ref.key in self._facts.plugs else frozenset[str]()
            return replace(found, plugged=there)
        return None

    def _free_numbers(self) -> None:
        """Those that a delta took out of the switch before it failed."""
        kept = {row.name for row in self._programmed.values() if isinstance(row, desired.KeptNumber)}
        for name in self._facts.numbers.tables - kept:
            if desired.scope_of(desired.table_of_number(name)) not in self._exports:
                self._facts.numbers.free(name)

    def _local(self, world: spi.World) -> Local:
        """Computed once for each state of the world."""
        if self._computed is None or self._computed[:2] != (world, world.version):
            self._computed = (world, world.version, desired.local(world, self._host))
        return self._computed[2]

    def _remember(self, scope: str, vrf: l3vpn.Vrf | None) -> None:
        if vrf is None:
            for kept in (self._ports, self._imports, self._exports):
                kept.pop(scope, None)
            return
        self._ports[scope] = frozenset(attached.port for attached in vrf.attachments)
        both = [vrf.targets(family) for family in l3vpn.Family]
        self._imports[scope] = frozenset(target for one in both for target in one.imported)
        self._exports[scope] = frozenset(target for one in both for target in one.exported)

    def _of_ports(self, ports: Collection[str]) -> Collection[str]:
        """The scopes of these ports, and those that import from them. A port of no VPN has status only."""
        found = {scope for scope, members in self._ports.items() if not members.isdisjoint(ports)}
        exported = frozenset[str]().union(*(self._exports[scope] for scope in found))
        return found | set(self._of_targets(exported)) | {desired.BRIDGE}

    def _of_targets(self, targets: Collection[str]) -> Collection[str]:
        return {scope for scope, imports in self._imports.items() if not imports.isdisjoint(targets)}


def _depends(vrf: l3vpn.Vrf, other: l3vpn.Vrf) -> bool:
    """Whether rows of `vrf` are made from `other` too: its routes, or its claim to an equal RD."""
    same = vrf.route_distinguisher and vrf.route_distinguisher == other.route_distinguisher
    return vrf.hears(other) or bool(same)
