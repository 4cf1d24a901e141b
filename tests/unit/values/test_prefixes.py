"""Prefixes: one network, one text; an address inside is told its network."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.values import cidr

networks = st.one_of(
    st.builds(
        lambda a, n: ipaddress.IPv4Network((a, n), strict=False), st.ip_addresses(v=4), st.integers(0, 32)
    ),
    st.builds(
        lambda a, n: ipaddress.IPv6Network((a, n), strict=False), st.ip_addresses(v=6), st.integers(0, 128)
    ),
)


@given(networks)
def test_a_prefix_has_one_text(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
    normal = cidr.parse(network.exploded.upper())
    assert cidr.parse(normal) == cidr.parse(str(network)) == normal
    assert ipaddress.ip_network(normal) == network


@given(networks, st.ip_addresses())
def test_host_bits_are_refused_with_the_network(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.version != network.version:
        return
    given_text = f"{address}/{network.prefixlen}"
    whole = ipaddress.ip_network(given_text, strict=False)
    if whole.network_address == address:
        assert ipaddress.ip_network(cidr.parse(given_text)) == whole
        return
    with pytest.raises(cidr.HostBits) as raised:
        cidr.parse(given_text)
    assert cidr.parse(raised.value.network) == raised.value.network
    assert ipaddress.ip_network(raised.value.network) == whole


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.0.0.0", "one address is 10.0.0.0/32"),
        ("2001:DB8::1", "one address is 2001:db8::1/128"),
        ("10.0.0.0/33", "from 0 to 32"),
        ("::/129", "from 0 to 128"),
        ("10.0.0.0/024", "from 0 to 32"),
        ("10.0.0.0/255.0.0.0", "from 0 to 32"),
        ("10.0.0.0/", "from 0 to 32"),
        ("10.0.0/24", "is not a prefix"),
        ("fe80::%eth0/64", "is not a prefix"),
        ("", "is not a prefix"),
        (" 10.0.0.0/8", "is not a prefix"),
        ("10.0.0.0/٨", "from 0 to 32"),
    ],
)
def test_what_is_no_prefix_is_told_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        cidr.parse(text)


@given(st.text(max_size=30))
def test_any_text_is_a_prefix_or_refused(text: str) -> None:
    try:
        normal = cidr.parse(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017
        return
    assert cidr.parse(normal) == normal
