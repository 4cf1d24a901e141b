"""Header blocks of HTTP/2: what the standard's own examples say, and what is wrong is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.kv import hpack

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=300)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        # RFC 7541, appendices C.2.1, C.2.2, C.2.4, C.4.1 and the head of C.6.1
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", [("custom-key", "custom-header")]),
        ("040c2f73616d706c652f70617468", [(":path", "/sample/path")]),
        ("82", [(":method", "GET")]),
        (
            "828684418cf1e3c2e5f23a6ba0ab90f4ff",
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")],
        ),
        (
            "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff",
            [(":status", "302"), ("cache-control", "private"), ("date", "Mon, 21 Oct 2013 20:13:21 GMT")],
        ),
        ("20", []),
    ],
)
def test_blocks_of_the_standard(block: str, expected: list[tuple[str, str]]) -> None:
    assert list(hpack.decode(bytes.fromhex(block))) == expected


@given(st.lists(st.tuples(WORDS, WORDS), max_size=5))
def test_what_is_sent_can_be_read(headers: list[tuple[str, str]]) -> None:
    assert hpack.decode(hpack.encode(tuple(headers))) == tuple(headers)


@pytest.mark.parametrize(
    "block",
    [
        "be",  # an entry of a table that has none
        "80",
        "3fe11f",  # a table larger than we allow
        "040c2f73",  # a text that ends early
        "04",
        "ffffffffffffffffff",  # a number without end
        "00016181ff0161",  # Huffman's code ended by more than seven bits
        "0001618100",  # ... or by zeros
        "00016184fffffffc0161",
    ],
)
def test_a_block_that_is_wrong_is_refused(block: str) -> None:
    with pytest.raises(ValueError, match=r"header|headers"):
        hpack.decode(bytes.fromhex(block))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(block: bytes) -> None:
    try:
        hpack.decode(block)
    except ValueError:
        return
