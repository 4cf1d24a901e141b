"""MAC addresses, uuids and IP addresses: many forms in, one out."""

import ipaddress
import uuid as standard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.values import ip, mac, uuid

MAC = "00:1b:77:49:54:fd"


@pytest.mark.parametrize(
    "text",
    [
        MAC,
        "00:1B:77:49:54:FD",
        "0:1b:77:49:54:fd",
        "00-1b-77-49-54-fd",
        "001b:7749:54fd",
        "1b-7749-54fd",
        "001b.7749.54fd",
        "1b.7749.54fd",
        "001b77-4954fd",
        "01b77:4954fd",
        "001b774954fd",
        "01B774954fd",
    ],
)
def test_every_notation_of_a_mac_address_has_one_normal_form(text: str) -> None:
    assert mac.parse(text) == MAC


@pytest.mark.parametrize(
    "text",
    ["", "v", "00:1b:77:49:54", "00:1b:77:49:54:fd:00", "00:1b-77:49:54:fd", "00.1b.77.49.54.fd", "0g:1b:77:49:54:fd",
     "001b77.4954fd", "1:2", "00:1b:77:49:54:fd\n", " 00:1b:77:49:54:fd", "001:1b:77:49:54:fd", "0x1b774954fd"],
)  # fmt: skip
def test_what_is_no_mac_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a MAC address"):
        mac.parse(text)


@given(st.binary(min_size=6, max_size=6), st.sampled_from([":", "-", ""]), st.booleans())
def test_a_mac_address_survives_its_notation(octets: bytes, separator: str, upper: bool) -> None:
    written = octets.hex(separator) if separator else octets.hex()
    normal = mac.parse(written.upper() if upper else written)
    assert normal == octets.hex(":")
    assert mac.parse(normal) == normal


@given(st.uuids(), st.sampled_from(["{}", "{{{}}}", "urn:uuid:{}"]), st.booleans(), st.booleans())
def test_every_form_of_a_uuid_that_python_takes_is_taken(
    value: standard.UUID, form: str, dashes: bool, upper: bool
) -> None:
    text = str(value) if dashes else value.hex
    assert uuid.parse(form.format(text.upper() if upper else text)) == str(value)


@given(st.text(alphabet="0123456789abcdefABCDEF-{}_+ urn:", max_size=50))
def test_no_text_is_a_uuid_that_python_refuses(text: str) -> None:
    try:
        normal = uuid.parse(text)
    except ValueError:
        return
    assert normal == str(standard.UUID(text))


@pytest.mark.parametrize(
    "text", ["", "1", "1_345678123456781234567812345678", "+" + "1" * 31, "1" * 33, "{" * 99 + "1" * 32]
)
def test_what_is_no_uuid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a UUID"):
        uuid.parse(text)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_kept_as_it_is(address: ipaddress.IPv4Address) -> None:
    assert ip.parse_v4(str(address)) == str(address) == ip.parse(str(address))


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_has_one_normal_form(address: ipaddress.IPv6Address) -> None:
    normal = ip.parse_v6(address.exploded.upper())
    assert normal == ip.parse(str(address)) == ip.parse_v6(normal) == ip.parse_plain(normal)
    assert ipaddress.IPv6Address(normal) == address
    if address.ipv4_mapped is None:
        assert normal == str(address)


@pytest.mark.parametrize("text", ["::ffff:192.0.2.1", "::FFFF:c000:201", "0:0:0:0:0:ffff:192.0.2.1"])
def test_a_mapped_address_has_one_normal_form(text: str) -> None:
    assert ip.parse_v6(text) == "::ffff:192.0.2.1"
    assert ip.parse_v6(f"{text}%eth0") == "::ffff:192.0.2.1%eth0"


def test_a_zone_has_no_place_in_a_model() -> None:
    assert ip.parse("fe80::1%eth0") == "fe80::1%eth0"
    for parse in (ip.parse_plain, ip.parse_plain_v6):
        with pytest.raises(ValueError):
            parse("fe80::1%eth0")


@pytest.mark.parametrize(
    "text", ["", "10.0.0", "10.1", "10", "256.1.1.1", "010.1.1.1", "1.1.1.1 ", "1.1.1.1\n", "::1", "١.1.1.1"]
)
def test_a_partial_or_odd_ipv4_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an IPv4 address"):
        ip.parse_v4(text)


@pytest.mark.parametrize("text", ["", "1.1.1.1", ":::", "2001:db8::1/64", "g::"])
def test_what_is_no_ipv6_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an IPv6 address"):
        ip.parse_v6(text)


def test_an_address_of_neither_family_is_refused() -> None:
    with pytest.raises(ValueError, match="is not an IP address"):
        ip.parse("10.1")
