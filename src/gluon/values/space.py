"""Spaces: ordered sets of values as ranges of integers, with the text form of each value.

In: the type's codec and ranges as text (`low-high`, one value, a prefix). Out: membership, the place of
a value in the order of the ranges and the value at a place, in logarithmic time of the number of
ranges and never of values: a /8 or an IPv6 /64 costs what a /24 does. Pure. Called by pools, and by
checks of models.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

from gluon.values import ip, mac, route_target

Interval = tuple[int, int]
"""The lowest and the highest number, both included."""

_SIGNED = re.compile(r"\s*(-?[0-9.]+)\s*(?:-\s*(-?[0-9.]+)\s*)?").fullmatch
_DIGITS = re.compile(r"[0-9]{1,40}").fullmatch
_SHOWN = 4
_V6 = 1 << 32
"""Where IPv6 begins among the numbers of addresses; IPv4 is below."""


class Part(NamedTuple):
    """Some values of a space: ranges of their positions. `name`: what they are, for whom it is told."""

    name: str
    ranges: tuple[Interval, ...]

    def has(self, position: int) -> bool:
        return any(low <= position <= high for low, high in self.ranges)


class Codec(Protocol):
    """Values of one type as integers."""

    @property
    def name(self) -> str:
        """Two codecs of one name give every number the same value."""

    def number(self, value: object) -> int:
        """The number of a value in any form that the type takes. Raises `ValueError`."""

    def value(self, number: int) -> int | str:
        """The value as an attribute of the type holds it."""

    def interval(self, text: str, *, usable: bool) -> Interval:
        """The range that a text names; `usable`: without the network's own addresses. Raises `ValueError`."""


def _ends(text: str, codec: Codec) -> Interval:
    """`low-high`, or one value."""
    low, dash, high = text.partition("-")
    first = codec.number(low.strip())
    return first, codec.number(high.strip()) if dash else first


class Numbers:
    """Integers from `low` to `high`, or texts made of them by a template. `parse` reads other text forms."""

    def __init__(
        self,
        low: int = -(1 << 63),
        high: int = (1 << 63) - 1,
        *,
        template: str | None = None,
        parse: Callable[[str], int] | None = None,
    ) -> None:
        if template is not None and template.count("{}") != 1:
            raise ValueError(f"the template {template!r} must hold {{}} once, in place of the number")
        self._low, self._high, self._parse = low, high, parse
        self._template = template
        self._before, self._after = template.split("{}") if template is not None else ("", "")
        self.name = "numbers" if template is None else f"numbers {template}"

    def number(self, value: object) -> int:
        if self._template is None:
            return self._plain(value)
        text = str(value)
        digits = text[len(self._before) : len(text) - len(self._after)]
        if not _DIGITS(digits) or self.value(int(digits)) != text:
            raise ValueError(f"{text!r} is not made of the template {self._template!r}")
        return int(digits)

    def _plain(self, value: object) -> int:
        if isinstance(value, str):
            if _DIGITS(value.removeprefix("-")):
                value = int(value)
            elif self._parse is not None:
                value = self._parse(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{value!r} is not an integer")  # noqa: TRY004  # callers know one error
        if not self._low <= value <= self._high:
            raise ValueError(f"{value} is not from {self._low} to {self._high}")
        return value

    def value(self, number: int) -> int | str:
        return number if self._template is None else f"{self._before}{number}{self._after}"

    def interval(self, text: str, *, usable: bool) -> Interval:
        match = _SIGNED(text)
        if match is None:
            raise ValueError(f"{text!r} is not a range such as 100-199")
        low = self._plain(match[1])
        if self._template is not None and low < 0:
            raise ValueError(f"{text!r}: a template takes no negative number")
        return low, self._plain(match[2]) if match[2] else low


class Addresses:
    """IP addresses of one family, or of both."""

    def __init__(self, family: int | None = None) -> None:
        self._family = family
        self.name = "addresses"

    def number(self, value: object) -> int:
        text = ip.parse(str(value))
        version = 6 if ":" in text else 4
        if self._family not in (None, version):
            raise ValueError(f"{text} is not an IPv{self._family} address")
        if version == 4:
            return int(ipaddress.IPv4Address(text))
        if "%" in text:
            raise ValueError(f"{text} has a zone")
        return int(ipaddress.IPv6Address(text)) + _V6

    def value(self, number: int) -> str:
        if number < _V6:
            return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        text = str(ipaddress.IPv6Address(number - _V6))
        return ip.parse_v6(text) if text.startswith("::ffff:") else text

    def interval(self, text: str, *, usable: bool) -> Interval:
        if "/" not in text:
            low, high = _ends(text, self)
            if (low < _V6) != (high < _V6):
                raise ValueError(f"{text!r} begins in one family and ends in the other")
            return low, high
        head, _, length = text.strip().partition("/")
        first = self.number(head)
        bits = 32 if first < _V6 else 128
        if not length.isascii() or not length.isdecimal() or int(length) > bits:
            raise ValueError(f"{text!r} is not a prefix: the length is from 0 to {bits}")
        size = 1 << (bits - int(length))
        if (first if bits == 32 else first - _V6) % size:
            raise ValueError(f"{text!r} has host bits set")
        last = first + size - 1
        if usable and size > 2:
            return first + 1, last - 1 if bits == 32 else last
        return first, last


class Macs:
    """MAC addresses; a prefix is an address with a length: `fa:16:3e:00:00:00/24`."""

    name = "macs"

    def number(self, value: object) -> int:
        return int(mac.parse(str(value)).replace(":", ""), 16)

    def value(self, number: int) -> str:
        return number.to_bytes(6).hex(":")

    def interval(self, text: str, *, usable: bool) -> Interval:
        if "/" not in text:
            return _ends(text, self) if ":" in text or "." in text else (self.number(text),) * 2
        head, _, length = text.strip().partition("/")
        first = self.number(head)
        if not length.isascii() or not length.isdecimal() or int(length) > 48:
            raise ValueError(f"{text!r} is not a prefix: the length is from 0 to 48")
        size = 1 << (48 - int(length))
        if first % size:
            raise ValueError(f"{text!r} has bits set after its length")
        return first, first + size - 1


class Communities:
    """Route targets or route distinguishers: a range has one administrator, `65000:1-65000:99`."""

    def __init__(self, kind: type[route_target.RouteTarget] | type[route_target.RouteDistinguisher]) -> None:
        self._kind = kind
        self.name = "communities"

    def number(self, value: object) -> int:
        made = self._kind.parse(str(value))
        width = 32 if made.kind is route_target.Administrator.AS2 else 16
        return int(made.kind) << 48 | made.administrator << width | made.number

    def value(self, number: int) -> str:
        kind = route_target.Administrator(number >> 48)
        width = 32 if kind is route_target.Administrator.AS2 else 16
        rest = number & ((1 << 48) - 1)
        return str(self._kind(kind, rest >> width, rest & ((1 << width) - 1)))

    def interval(self, text: str, *, usable: bool) -> Interval:
        low, high = _ends(text, self)
        width = 16 if low >> 48 else 32
        if low >> width != high >> width:
            raise ValueError(f"{text!r} begins with one administrator and ends with another")
        return low, high


class Space:
    """An ordered set of values. `intervals` are disjoint, in the order in which values are used."""

    def __init__(self, codec: Codec, intervals: Iterable[Interval]) -> None:
        self.codec = codec
        self.intervals = tuple(_joined(intervals))
        self._offsets: list[int] = []
        size = 0
        for low, high in self.intervals:
            self._offsets.append(size)
            size += high - low + 1
        self.size = size
        ordered = sorted((low, n) for n, (low, _) in enumerate(self.intervals))
        self._lows = [low for low, _ in ordered]
        self._places = [n for _, n in ordered]

    @classmethod
    def of(cls, codec: Codec, ranges: Sequence[str], exclude: Sequence[str] = ()) -> Space:
        """Ranges in the order given, a value that two of them have at its first place, without `exclude`.
        Raises `ValueError` that names the wrong text."""
        lows: list[int] = []
        highs: list[int] = []
        for text in exclude:
            _fill(lows, highs, _interval(codec, text, usable=False))
        found: list[Interval] = []
        for text in ranges:
            found += _fill(lows, highs, _interval(codec, text, usable=True))
        return cls(codec, found)

    def number(self, value: object) -> int | None:
        """The number of a value of this space; None for any other."""
        number = self.any(value)
        return None if number is None or self.position(number) is None else number

    def any(self, value: object) -> int | None:
        """The number of a value of the type, of this space or not; None: it is none."""
        try:
            return self.codec.number(value)
        except ValueError:
            return None

    def position(self, number: int) -> int | None:
        """How many values of the space come before this one; None: it is not in the space."""
        at = bisect_right(self._lows, number) - 1
        if at < 0:
            return None
        place = self._places[at]
        low, high = self.intervals[place]
        return self._offsets[place] + number - low if number <= high else None

    def at(self, position: int) -> int:
        """The number at a position from 0 to `size` - 1."""
        place = bisect_right(self._offsets, position) - 1
        low, high = self.intervals[place]
        number = low + position - self._offsets[place]
        if position < 0 or number > high:
            raise IndexError(position)
        return number

    def within(self, text: str) -> Part:
        """Its values that are in a range. Raises `ValueError`."""
        first, last = _interval(self.codec, text, usable=False)
        found = [
            (offset + max(low, first) - low, offset + min(high, last) - low)
            for (low, high), offset in zip(self.intervals, self._offsets, strict=True)
            if low <= last and first <= high
        ]
        return Part(text, tuple(_joined(found)))

    @cached_property
    def families(self) -> tuple[Part, ...]:
        """Its IPv4 and its IPv6 addresses, in the order in which the first of each comes; of another type all."""
        found: dict[str, list[Interval]] = {}
        for (low, high), offset in zip(self.intervals, self._offsets, strict=True):
            name = self.codec.name
            if isinstance(self.codec, Addresses):
                name = "IPv4" if low < _V6 else "IPv6"
            found.setdefault(name, []).append((offset, offset + high - low))
        return tuple(Part(name, tuple(_joined(some))) for name, some in found.items())

    def __contains__(self, value: object) -> bool:
        return self.number(value) is not None

    @cached_property
    def digest(self) -> str:
        """Two spaces of one digest have the same values in the same order."""
        return _digest(self.codec, self.intervals)

    def begins_with(self, digest: str, size: int) -> bool:
        """Are the first `size` values those of the space of this digest?"""
        if size > self.size:
            return False
        part: list[Interval] = []
        for low, high in self.intervals:
            if not size:
                break
            part.append((low, min(high, low + size - 1)))
            size -= part[-1][1] - low + 1
        return _digest(self.codec, part) == digest

    def __str__(self) -> str:
        shown = [self._shown(i) for i in self.intervals[:_SHOWN]]
        more = len(self.intervals) - _SHOWN
        return ", ".join([*shown, f"and {more} more ranges"] if more > 0 else shown) or "nothing"

    def _shown(self, interval: Interval) -> str:
        low, high = (str(self.codec.value(n)) for n in interval)
        return low if low == high else f"{low}-{high}"


def _interval(codec: Codec, text: str, *, usable: bool) -> Interval:
    low, high = codec.interval(text, usable=usable)
    if low > high:
        raise ValueError(f"{text!r} ends before it begins")
    return low, high


def _fill(lows: list[int], highs: list[int], interval: Interval) -> list[Interval]:
    """Add an interval to a sorted set of disjoint ones; what of it was not in there before."""
    low, high = interval
    first = last = bisect_left(highs, low)
    new: list[Interval] = []
    at = low
    while last < len(lows) and lows[last] <= high:
        if lows[last] > at:
            new.append((at, lows[last] - 1))
        at = highs[last] + 1
        last += 1
    if at <= high:
        new.append((at, high))
    if last > first:
        low, high = min(low, lows[first]), max(high, highs[last - 1])
    lows[first:last] = [low]
    highs[first:last] = [high]
    return new


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Intervals that follow each other become one, so that one set in one order has one form."""
    joined: list[Interval] = []
    for low, high in intervals:
        if joined and joined[-1][1] + 1 == low:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return joined


def _digest(codec: Codec, intervals: Iterable[Interval]) -> str:
    text = ",".join(f"{low:x}-{high:x}" for low, high in intervals)
    return hashlib.blake2b(f"{codec.name}|{text}".encode(), digest_size=16).hexdigest()
