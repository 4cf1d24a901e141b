"""VPN routes survive the translation to GoBGP's messages and back, in all forms of RD and RT."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from gluon.backends.bgp_mpls.gobgp import codec
from gluon.backends.bgp_mpls.gobgp import gobgp_pb2 as pb
from gluon.backends.bgp_mpls.routes import VpnRoute
from gluon.values.route_target import Administrator, RouteDistinguisher, RouteTarget

AS2 = st.tuples(st.just(Administrator.AS2), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF))
AS4 = st.tuples(st.just(Administrator.AS4), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFF))
IPV4 = st.tuples(st.just(Administrator.IPV4), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFF))
NUMBERS = st.one_of(AS2, AS4, IPV4)
PREFIXES = st.builds(
    lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 32),
)
PREFIXES_V6 = st.builds(
    lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
    st.integers(1 << 64, (1 << 128) - 1),
    st.integers(64, 128),
)
ROUTES = st.builds(
    VpnRoute,
    rd=NUMBERS.map(lambda parts: RouteDistinguisher(*parts)),
    prefix=st.one_of(PREFIXES, PREFIXES_V6),
    label=st.integers(0, 0xFFFFF),
    next_hop=st.ip_addresses(v=4).map(str),
    route_targets=st.frozensets(NUMBERS.map(lambda parts: RouteTarget(*parts)), max_size=4),
)


@given(route=ROUTES)
def test_route_comes_back_as_it_was(route: VpnRoute) -> None:
    assert codec.route_of(codec.path_of(route)) == route


def test_the_next_hop_of_an_ipv6_route_is_mapped() -> None:
    route = VpnRoute(
        rd=RouteDistinguisher.parse("65000:1"),
        prefix="2001:db8::5/128",
        label=16,
        next_hop="192.0.2.1",
        route_targets=frozenset(),
    )
    path = codec.path_of(route)
    reach = pb.MpReachNLRIAttribute()
    assert any(attribute.Unpack(reach) for attribute in path.pattrs)
    assert (list(reach.next_hops), path.family) == (["::ffff:192.0.2.1"], codec.VPNV6)
    assert codec.route_of(path) == route


@given(route=ROUTES)
def test_withdrawal_is_about_the_same_route(route: VpnRoute) -> None:
    withdrawal = pb.Path(nlri=codec.path_of(route).nlri, is_withdraw=True)

    assert codec.key_of(withdrawal) == route.key


def test_path_of_another_family_is_no_route() -> None:
    assert codec.route_of(pb.Path(family=pb.Family(afi=25, safi=70))) is None


def test_path_without_next_hop_is_no_route() -> None:
    route = VpnRoute(
        rd=RouteDistinguisher.parse("65000:1"),
        prefix="10.1.1.5/32",
        label=16,
        next_hop="192.0.2.1",
        route_targets=frozenset(),
    )
    path = codec.path_of(route)
    del path.pattrs[:]

    assert codec.route_of(path) is None
