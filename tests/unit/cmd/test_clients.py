"""Whose address a request is told to be of: what a header says counts only as far as trusted proxies have passed it on."""

import pytest

from gluon.api import message
from gluon.cmd.clients import Clients
from gluon.cmd.settings import SettingsError

PROXIES = ("10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1")
LIST, RFC = "x-forwarded-for", "forwarded"


@pytest.mark.parametrize(
    ("header", "peer", "given", "address", "proxy"),
    [
        (LIST, "192.0.2.7", "", "192.0.2.7", None),
        (LIST, "192.0.2.7", "10.0.0.1", "192.0.2.7", None),  # no proxy of ours
        (LIST, "10.0.0.1", "", "10.0.0.1", None),
        (LIST, "10.0.0.1", "192.0.2.7", "192.0.2.7", "10.0.0.1"),
        (
            LIST,
            "10.0.0.1",
            "203.0.113.9, 192.0.2.7",
            "192.0.2.7",
            "10.0.0.1",
        ),  # the first is the client's own word
        (LIST, "10.0.0.1", "192.0.2.7, 10.1.1.1", "192.0.2.7", "10.0.0.1"),
        (LIST, "10.0.0.1", "10.2.2.2, 10.1.1.1", "10.2.2.2", "10.0.0.1"),
        (LIST, "10.0.0.1", "192.0.2.7:4711", "192.0.2.7", "10.0.0.1"),
        (LIST, "10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7", "10.0.0.1"),
        (LIST, "2001:db8:1::1", "2001:db8::7", "2001:db8::7", "2001:db8:1::1"),
        (LIST, "::ffff:10.0.0.1", "::ffff:192.0.2.7", "192.0.2.7", "10.0.0.1"),
        (LIST, "10.0.0.1", "192.0.2.7, unknown", "10.0.0.1", None),
        (LIST, "10.0.0.1", "192.0.2.7, \x1b[31m", "10.0.0.1", None),
        (LIST, "10.0.0.1", "1.2.3.4.5, 999.1.1.1", "10.0.0.1", None),
        (LIST, "10.0.0.1", "192.0.2.7," + "10.0.0.2," * 9000, "10.0.0.1", None),
        (RFC, "10.0.0.1", "192.0.2.7", "10.0.0.1", None),
        (RFC, "10.0.0.1", "for=192.0.2.7", "192.0.2.7", "10.0.0.1"),
        (RFC, "10.0.0.1", 'proto=https;For="[2001:db8::7]:80";by=10.0.0.1', "2001:db8::7", "10.0.0.1"),
        (RFC, "10.0.0.1", 'for=203.0.113.9, for="192.0.2.7"', "192.0.2.7", "10.0.0.1"),
        (RFC, "10.0.0.1", "for=192.0.2.7, for=10.0.0.9;proto=http", "192.0.2.7", "10.0.0.1"),
        (RFC, "10.0.0.1", 'for=192.0.2.7;x=", for=203.0.113.9"', "192.0.2.7", "10.0.0.1"),
        (RFC, "10.0.0.1", "for=192.0.2.7, for=_hidden", "10.0.0.1", None),
        (RFC, "10.0.0.1", "for=unknown", "10.0.0.1", None),
        (RFC, "10.0.0.1", 'for=203.0.113.9;x=", for="[2001:db8::7]"', "2001:db8::7", "10.0.0.1"),
        (RFC, "10.0.0.1", 'host="a;for=203.0.113.9";for=192.0.2.7', "192.0.2.7", "10.0.0.1"),
        (RFC, "10.0.0.1", 'for=192.0.2.7;host="a, for=203.0.113.9"', "192.0.2.7", "10.0.0.1"),
        (RFC, "10.0.0.1", 'for=192.0.2.7;host="a\\", for=203.0.113.9"', "192.0.2.7", "10.0.0.1"),
        (RFC, "10.0.0.1", '"' * 9000, "10.0.0.1", None),
        (LIST, "", "192.0.2.7", None, None),
    ],
)
def test_addresses(header: str, peer: str, given: str, address: str | None, proxy: str | None) -> None:
    headers = {message.PEER: peer.encode(), header.encode(): given.encode()}
    assert Clients(PROXIES, header).of(headers) == (address, proxy)


def test_the_other_header_counts_for_nothing() -> None:
    headers = {message.PEER: b"10.0.0.1", b"forwarded": b"for=192.0.2.7", b"x-forwarded-for": b"192.0.2.8"}
    assert Clients(PROXIES, LIST).of(headers).address == "192.0.2.8"
    assert Clients(PROXIES, RFC).of(headers).address == "192.0.2.7"
    assert Clients((), RFC).of(headers).address == "10.0.0.1"


@pytest.mark.parametrize("network", ["10.0.0.1/8", "proxy.example", ""])
def test_what_is_no_network(network: str) -> None:
    with pytest.raises(SettingsError, match=r"api\.proxies"):
        Clients((network,), LIST)
