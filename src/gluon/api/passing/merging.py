"""Two ordered lists as one, a page at a time.

In: rows of Neutron as Neutron orders them, and ours. Out: a page. Neutron's order is kept as it is, whatever collation its database
has: a row of ours stands before the first of Neutron's that is greater by our rule, which is that of MariaDB's usual collation: no
value first, text without case, accents and spaces at its end, then by id. Pure.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

Values = tuple[tuple[bool, str | int], ...]


class Row(msgspec.Struct, frozen=True, eq=False):
    """`shown`: the object as it is answered, encoded."""

    id: str
    ours: bool
    values: Values
    shown: msgspec.Raw


class Order(msgspec.Struct, frozen=True):
    """Names, and whether descending; the id comes last. `reverse`: from the end."""

    keys: tuple[tuple[str, bool], ...]
    reverse: bool = False

    @property
    def whole(self) -> tuple[tuple[str, bool], ...]:
        if any(name == "id" for name, _ in self.keys):
            return self.keys
        return (*self.keys, ("id", False))

    def values(self, body: dict[str, Any]) -> Values:
        """What a row is compared by."""
        return tuple(_value(body.get(name)) for name, _ in self.whole)

    def before(self, one: Values, other: Values) -> bool:
        return self.compare(one, other) < 0

    def compare(self, one: Values, other: Values) -> int:
        for (_, descending), a, b in zip(self.whole, one, other, strict=True):
            if a != b:
                return -1 if (a < b) != (descending != self.reverse) else 1
        return 0

    def key(self) -> Callable[[Row], Any]:
        """For `sorted`."""
        made = functools.cmp_to_key(self.compare)
        return lambda row: made(row.values)


def _value(value: Any) -> tuple[bool, str | int]:
    if value is None:
        return (False, 0)
    if isinstance(value, bool | int):
        return (True, int(value))
    return (True, folded(str(value)))


@functools.lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """Text as it is compared."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return text.upper().rstrip(" ")


def merged(
    order: Order, theirs: Sequence[Row], ours: Sequence[Row], *, limit: int | None, whole: bool
) -> list[Row]:
    """A page of both, which are in this order. `whole`: Neutron has no more, else what follows its last row is not known."""
    page: list[Row] = []
    left, right = 0, 0
    while limit is None or len(page) < limit:
        if left == len(theirs):
            if not whole:
                break
            page += ours[right : None if limit is None else right + limit - len(page)]
            break
        if right < len(ours) and order.before(ours[right].values, theirs[left].values):
            page.append(ours[right])
            right += 1
        else:
            page.append(theirs[left])
            left += 1
    return page
