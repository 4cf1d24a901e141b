"""Header blocks of HTTP/2 (RFC 7541), as far as a client of one server needs them.

In: names and values, or a block as received. Out: bytes, or names and values. Invariant: no state: we tell the server that
our table has no room, so a block means the same wherever it comes, and what was read once is known. Used by `http2`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

TABLE_SIZE = 0
"""What the server is told of our table."""

_STATIC = """
:authority= :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https :status=200 :status=204 :status=206
:status=304 :status=400 :status=404 :status=500 accept-charset= accept-encoding=gzip,_deflate accept-language= accept-ranges=
accept= access-control-allow-origin= age= allow= authorization= cache-control= content-disposition= content-encoding=
content-language= content-length= content-location= content-range= content-type= cookie= date= etag= expect= expires= from=
host= if-match= if-modified-since= if-none-match= if-range= if-unmodified-since= last-modified= link= location= max-forwards=
proxy-authenticate= proxy-authorization= range= referer= refresh= retry-after= server= set-cookie= strict-transport-security=
transfer-encoding= user-agent= vary= via= www-authenticate=
"""
"""Appendix A, in its order, from 1."""
_TABLE = [
    (name, value.replace("_", " ")) for name, _, value in (one.partition("=") for one in _STATIC.split())
]

_LENGTHS = bytes.fromhex(
    "0d171c1c1c1c1c1c1c181e1c1c1e1c1c1c1c1c1c1c1c1e1c1c1c1c1c1c1c1c1c060a0a0c0d06080b0a0a080b0806060605050506060606"
    "06060607080f060c0a0d06070707070707070707070707070707070707070707070807080d130d0e060f05060506050606060507070606"
    "060506070605050607070707070f0b0e0d1c14161414161616171617171717171817181816171817171717151617161717181615141616"
    "1717151716161815161717151516151716171714161616171616171a1a1413161716191a1a1a1b1b1a181913151a1b1b1a1b1815151a1a"
    "1c1b1b1b14181415161515171616191918181a171a1b1a1a1b1b1b1b1b1c1b1b1b1b1b1a1e"
)
"""Appendix B: bits of the code of each byte, and of the end at last. The codes are canonical: they follow from that."""


def _codes() -> dict[tuple[int, int], int]:
    """Symbols by length and code."""
    found: dict[tuple[int, int], int] = {}
    code = before = 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(_LENGTHS)):
        code <<= length - before
        found[length, code] = symbol
        code, before = code + 1, length
    return found


_SYMBOLS = _codes()
_END = len(_LENGTHS) - 1
_LONGEST = max(_LENGTHS)


@lru_cache(maxsize=256)
def encode(headers: tuple[tuple[str, str], ...]) -> bytes:
    """Each as it is, by no table."""
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in headers)


@lru_cache(maxsize=256)
def decode(block: bytes) -> tuple[tuple[str, str], ...]:
    """Raises `ValueError`."""
    try:
        return tuple(_read(block))
    except IndexError:
        raise ValueError("a header block ends too early") from None


def _text(text: str) -> bytes:
    data = text.encode()
    return _integer(len(data), 7) + data


def _integer(number: int, bits: int) -> bytes:
    """With these bits of its first byte, whose other ones are 0."""
    most = (1 << bits) - 1
    if number < most:
        return bytes((number,))
    found, number = bytearray((most,)), number - most
    while number >= 128:
        found.append(number % 128 | 128)
        number //= 128
    found.append(number)
    return bytes(found)


def _read(block: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(block):
        first = block[at]
        if first & 0x80:
            index, at = _read_integer(block, at, 7)
            yield _entry(index)
        elif first & 0xE0 == 0x20:
            size, at = _read_integer(block, at, 5)
            if size > TABLE_SIZE:
                raise ValueError("the table of headers is larger than we said")
        else:
            index, at = _read_integer(block, at, 6 if first & 0x40 else 4)
            if index:
                name = _entry(index)[0]
            else:
                name, at = _read_text(block, at)
            value, at = _read_text(block, at)
            yield name, value


def _entry(index: int) -> tuple[str, str]:
    if not 0 < index <= len(_TABLE):
        raise ValueError(f"the table of headers has no entry {index}")
    return _TABLE[index - 1]


def _read_integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """And where it ends."""
    most = (1 << bits) - 1
    number = block[at] & most
    at += 1
    if number < most:
        return number, at
    shift = 0
    while shift <= 28:
        byte = block[at]
        at += 1
        number += (byte & 127) << shift
        if not byte & 128:
            return number, at
        shift += 7
    raise ValueError("a number in a header block is too large")


def _read_text(block: bytes, at: int) -> tuple[str, int]:
    short = block[at] & 0x80
    length, at = _read_integer(block, at, 7)
    data = block[at : at + length]
    if len(data) < length:
        raise ValueError("a header block ends too early")
    return (_expand(data) if short else data).decode("utf-8", "replace"), at + length


def _expand(data: bytes) -> bytes:
    """Huffman's code undone."""
    found = bytearray()
    code = length = 0
    for byte in data:
        for shift in range(7, -1, -1):
            code = code << 1 | byte >> shift & 1
            length += 1
            symbol = _SYMBOLS.get((length, code))
            if symbol is not None:
                if symbol == _END:
                    raise ValueError("a text in a header block goes on after its end")
                found.append(symbol)
                code = length = 0
            elif length >= _LONGEST:
                raise ValueError("a text in a header block has no such code")
    if length >= 8 or code != (1 << length) - 1:
        raise ValueError("a text in a header block ends wrongly")
    return bytes(found)
