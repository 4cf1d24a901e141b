"""VRF numbers and MPLS labels: the PE's own, one per VRF that has an attachment here.

The number of a VRF is where a digest of its name falls in the range, or the next free one: so a
number that was freed is not at once given to another VRF, whose packets would then follow labels
that other PEs have not yet forgotten. Kept numbers are found again after a restart (`load`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

_FIRST_FREE_LABEL = 16
_LAST_LABEL = 0xFFFFF
_MOST_NUMBERS = 0xFFFF
"""The number is also the last part of a route distinguisher `<router id>:<number>`: two octets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRange:
    """Labels `first` to `last`, both included. VRF 1 has the first. Raises `ValueError`."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not _FIRST_FREE_LABEL <= self.first <= self.last <= _LAST_LABEL:
            raise ValueError(
                f"labels {self.first}-{self.last}: must be a range within {_FIRST_FREE_LABEL}-{_LAST_LABEL}"
            )

    @classmethod
    def parse(cls, text: str) -> LabelRange:
        """Read `1000-1999`."""
        first, dash, last = text.partition("-")
        if not (dash and first.strip().isdecimal() and last.strip().isdecimal()):
            raise ValueError(f"{text!r} is not a range of labels such as 1000-1999")
        return cls(first=int(first), last=int(last))

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    @property
    def numbers(self) -> int:
        """How many VRFs there may be; their numbers are 1 to this."""
        return min(self.last - self.first + 1, _MOST_NUMBERS)

    def label(self, number: int) -> int:
        return self.first + number - 1

    def number(self, label: int) -> int | None:
        """The VRF of a label; None if the label is not of this range."""
        number = label - self.first + 1
        return number if 1 <= number <= self.numbers else None


class Numbers:
    """Which VRF has which number."""

    def __init__(self, labels: LabelRange) -> None:
        self._labels = labels
        self._by_table: dict[str, int] = {}
        self._by_number: dict[int, str] = {}

    def load(self, kept: Mapping[int, str]) -> None:
        """Take over what was kept (number to VRF). What does not fit the range is forgotten."""
        self._by_table.clear()
        self._by_number.clear()
        for number, table in sorted(kept.items()):
            if 1 <= number <= self._labels.numbers and table not in self._by_table:
                self._by_table[table] = number
                self._by_number[number] = table

    def take(self, table: str) -> int | None:
        """The number of a VRF, chosen now if it has none. None: the range is used up."""
        if table in self._by_table:
            return self._by_table[table]
        count = self._labels.numbers
        if len(self._by_number) >= count:
            return None
        start = int.from_bytes(hashlib.blake2b(table.encode(), digest_size=8).digest(), "big") % count
        number = next(n for i in range(count) if (n := (start + i) % count + 1) not in self._by_number)
        self._by_table[table] = number
        self._by_number[number] = table
        return number

    def get(self, table: str) -> int | None:
        """The number of a VRF, None if it has none."""
        return self._by_table.get(table)

    def table(self, number: int) -> str | None:
        """The VRF that has a number."""
        return self._by_number.get(number)

    @property
    def tables(self) -> frozenset[str]:
        """The VRFs that have a number."""
        return frozenset(self._by_table)

    def free(self, table: str) -> None:
        """The VRF left this host."""
        number = self._by_table.pop(table, None)
        if number is not None:
            del self._by_number[number]
