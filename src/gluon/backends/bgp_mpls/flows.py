"""OpenFlow flows as values, and the flows a PE is made of. Pure.

Texts are written as `ovs-ofctl dump-flows` prints them, so that a flow read back equals the one
that was wanted; `parse` brings the fields of a match into one order. Every flow carries a cookie
of our own with the number of its VRF (0: the bridge's fixed flows): others' flows are left alone.

    table  0  where does a packet come from: an attachment (sets reg0 to the VRF), the tunnel
    table 10  what an attachment may send: ARP and ND, ping of its gateways, packets from its own addresses
    table 11  the second half of an answer to a neighbour solicitation
    table 20  routing by VRF and destination
    table 30  MPLS label to VRF
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gluon.particles.l3vpn import Family, family_of

CLASSIFY, ADMIT, ADVERTISE, ROUTE, LABEL = 0, 10, 11, 20, 30

GATEWAY_MAC = "00:00:5e:00:01:01"
"""The MAC address of every VRF's gateway: that of a virtual router (RFC 5798)."""

MARK = 0x676C756F << 32
_MARK_BITS = 0xFFFFFFFF << 32
_ROUTE_PRIORITY = 100
_UPSTREAM = 0x10000
_ETHERTYPES = {Family.V4: "0x0800", Family.V6: "0x86dd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One flow. `match` lists its fields in sorted order; table, priority and match name it."""

    table: int
    priority: int
    match: str
    actions: str
    cookie: int

    @property
    def key(self) -> str:
        return f"flow {self.table} {self.priority} {self.match}"

    @property
    def vrf(self) -> int:
        """The number of the VRF it belongs to."""
        return self.cookie & ~_MARK_BITS

    @property
    def ours(self) -> bool:
        return self.cookie & _MARK_BITS == MARK

    def addition(self) -> str:
        """A line of `ovs-ofctl add-flows` that adds it, replacing one of the same name."""
        return f"add cookie={self.cookie:#x},{self._name()} actions={self.actions}"

    def deletion(self) -> str:
        """A line of `ovs-ofctl add-flows` that deletes it, unless its name belongs to another cookie now."""
        return f"delete_strict cookie={self.cookie:#x}/-1,{self._name()}"

    def _name(self) -> str:
        named = f"table={self.table},priority={self.priority}"
        # The switch prints fields of ICMPv6 by the names that it reads as those of ICMP.
        match = self.match.replace("icmp_type=", "icmpv6_type=") if "icmp6" in self.match else self.match
        return f"{named},{match}" if match else named


def parse(text: str, cookie: int) -> Flow:
    """A flow as `ovs-ofctl --no-names dump-flows` prints it, cookie and counters left out."""
    head, _, actions = text.partition(" actions=")
    numbers = {"table": 0, "priority": 32768}
    fields = []
    for field in head.split(","):
        name, _, value = field.partition("=")
        if name in numbers:
            numbers[name] = int(value)
        elif field:
            fields.append(field.replace("icmpv6_type=", "icmp_type="))
    return Flow(match=",".join(sorted(fields)), actions=actions, cookie=cookie, **numbers)


def _flow(vrf: int, table: int, priority: int, match: str, *actions: str) -> Flow:
    return Flow(
        table=table,
        priority=priority,
        match=",".join(sorted(match.split(","))) if match else "",
        actions=",".join(actions),
        cookie=MARK | vrf,
    )


def fixed(tunnel: int) -> Iterator[Flow]:
    """What every PE has, VRFs or not. `tunnel` is the OpenFlow port of the tunnels, 0 while unknown."""
    for table in (CLASSIFY, ADMIT, ADVERTISE, ROUTE, LABEL):
        yield _flow(0, table, 0, "", "drop")
    for unroutable in ("224.0.0.0/3", "169.254.0.0/16"):  # multicast, broadcast; RFC 3927, section 2.7
        yield _flow(0, ROUTE, 400, f"ip,nw_dst={unroutable}", "drop")
    for unroutable in ("ff00::/8", "fe80::/10"):  # multicast; RFC 4291, section 2.5.6
        yield _flow(0, ROUTE, 400, f"ipv6,ipv6_dst={unroutable}", "drop")
    yield _flow(0, ADVERTISE, 10, "icmp6,icmp_type=136", *_advertisement())
    if tunnel:
        yield _flow(0, CLASSIFY, 50, f"in_port={tunnel}", f"goto_table:{LABEL}")


def vrf_of_label(vrf: int, label: int, family: Family = Family.V4) -> Flow:
    """Packets that other PEs send under our label. in_port is cleared, as a packet may have to go
    back into the tunnel port it came from (hub and spoke)."""
    return _flow(
        vrf,
        LABEL,
        100,
        f"mpls,mpls_label={label},mpls_bos=1",
        f"pop_mpls:{_ETHERTYPES[family]}",
        f"set_field:{vrf:#x}->reg0",
        "set_field:0->in_port",
        f"resubmit(,{ROUTE})",
    )


def upstream(vrf: int) -> int:
    """Register 0 of what attachments send, where it is routed by another table than what is sent to them:
    so spokes of one VRF reach no spoke."""
    return vrf | _UPSTREAM


def attachment(
    vrf: int, port: int, mac: str, *, register: int = 0, family: Family = Family.V4
) -> Iterator[Flow]:
    """What comes from one attachment goes to `register` (0: the VRF itself); ARP and ND are proxied for all."""
    source = f"in_port={port}"
    entry = (f"set_field:{register or vrf:#x}->reg0", f"goto_table:{ADMIT}")
    if family is Family.V6:
        yield _flow(vrf, CLASSIFY, 110, f"ipv6,{source},dl_src={mac}", *entry)
        # A host that asks whether an address is taken (RFC 4862, section 5.4) must hear nothing.
        yield _flow(vrf, ADMIT, 90, f"icmp6,{source},ipv6_src=::,icmp_type=135", "drop")
        yield _flow(vrf, ADMIT, 80, f"icmp6,{source},icmp_type=135", *_turned_solicitation())
    else:
        yield _flow(vrf, CLASSIFY, 100, f"{source},dl_src={mac}", *entry)
        yield _flow(vrf, ADMIT, 80, f"arp,{source},arp_op=1", *_arp_reply())


def own_address(vrf: int, port: int, address: str, gateways: Iterable[str] = ()) -> Iterator[Flow]:
    """An attachment may send from an address of its own, and its gateways answer ping."""
    source = f"in_port={port}"
    family = family_of(address)
    if family is Family.V4:
        # A host that asks whether its own address is taken must hear nothing.
        yield _flow(vrf, ADMIT, 90, f"arp,{source},arp_tpa={address}", "drop")
    for gateway in gateways:
        if gateway == address or family_of(gateway) is not family:
            continue
        if family is Family.V4:
            match = f"icmp,{source},nw_src={address},nw_dst={gateway},icmp_type=8"
            yield _flow(vrf, ADMIT, 70, match, *_echo_reply("NXM_OF_IP_SRC", "NXM_OF_IP_DST", "0->icmp_type"))
        else:
            match = f"icmp6,{source},ipv6_src={address},ipv6_dst={gateway},icmp_type=128"
            turned = _echo_reply("NXM_NX_IPV6_SRC", "NXM_NX_IPV6_DST", "129->icmpv6_type")
            yield _flow(vrf, ADMIT, 70, match, *turned)
    yield source_prefix(vrf, port, f"{address}/{family.bits}")


def source_prefix(vrf: int, port: int, prefix: str) -> Flow:
    """An attachment may send from a prefix (RFC 2827: from no other)."""
    return _flow(vrf, ADMIT, 60, f"{_within('src', prefix)},in_port={port}", f"goto_table:{ROUTE}")


def local_route(vrf: int, prefix: str, port: int, mac: str, *, register: int = 0) -> Flow:
    """To an attachment of this host, for what `register` holds (0: the VRF itself)."""
    return _flow(
        vrf,
        ROUTE,
        _priority(prefix) + 1,
        f"{_within('dst', prefix)},reg0={register or vrf:#x}",
        "dec_ttl",
        f"set_field:{GATEWAY_MAC}->eth_src",
        f"set_field:{mac}->eth_dst",
        f"output:{port}",
    )


def remote_route(vrf: int, prefix: str, *, label: int, pe: str, tunnel: int, register: int = 0) -> Flow:
    """To another PE: its label, MPLS in GRE."""
    return _flow(
        vrf,
        ROUTE,
        _priority(prefix),
        f"{_within('dst', prefix)},reg0={register or vrf:#x}",
        "dec_ttl",
        "push_mpls:0x8847",
        f"set_field:{label}->mpls_label",
        "set_field:64->mpls_ttl",
        f"set_field:{pe}->tun_dst",
        f"output:{tunnel}",
    )


def _priority(prefix: str) -> int:
    """The longest prefix wins, then the local one."""
    return _ROUTE_PRIORITY + 2 * int(prefix.rpartition("/")[2])


def _within(way: str, prefix: str) -> str:
    """A match as the switch prints it: no field for all addresses, one address without its length."""
    network, _, length = prefix.partition("/")
    family = family_of(prefix)
    protocol, field = ("ip", f"nw_{way}") if family is Family.V4 else ("ipv6", f"ipv6_{way}")
    if length == "0":
        return protocol
    return f"{protocol},{field}={network if length == str(family.bits) else prefix}"


def _arp_reply() -> tuple[str, ...]:
    """The request turned round, with the gateway's MAC as answer."""
    return (
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
        f"set_field:{GATEWAY_MAC}->eth_src",
        "set_field:2->arp_op",
        "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]",
        f"set_field:{GATEWAY_MAC}->arp_sha",
        *_swap("NXM_OF_ARP_SPA", "NXM_OF_ARP_TPA"),
        "IN_PORT",
    )


def _turned_solicitation() -> tuple[str, ...]:
    """A neighbour solicitation turned round; what only an advertisement has is set in the next table."""
    return (
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
        f"set_field:{GATEWAY_MAC}->eth_src",
        "move:NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[]",
        "move:NXM_NX_ND_TARGET[]->NXM_NX_IPV6_SRC[]",
        "set_field:136->icmpv6_type",
        f"goto_table:{ADVERTISE}",
    )


def _advertisement() -> tuple[str, ...]:
    """Solicited, overriding (RFC 4861, section 4.4), with the gateway's MAC as answer."""
    return (
        "set_field:2->nd_options_type",
        f"set_field:{GATEWAY_MAC}->nd_tll",
        "set_field:1610612736->nd_reserved",
        "IN_PORT",
    )


def _echo_reply(source: str, destination: str, reply: str) -> tuple[str, ...]:
    return (
        *_swap(source, destination),
        *_swap("NXM_OF_ETH_SRC", "NXM_OF_ETH_DST"),
        f"set_field:{reply}",
        "IN_PORT",
    )


def _swap(one: str, other: str) -> tuple[str, ...]:
    return (f"push:{one}[]", f"push:{other}[]", f"pop:{one}[]", f"pop:{other}[]")
