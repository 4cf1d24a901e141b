"""What a list of both is asked for, and what Neutron is asked for instead.

In: a query as it came. Out: a `Query`, None for one that Neutron refuses, and queries for Neutron, in which what is not changed is as it
came. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from urllib.parse import parse_qsl, unquote_plus, urlencode

import msgspec

from gluon.api.passing import merging
from gluon.api.passing.whose import random
from gluon.neutron import asked as asking

BESIDE = "beside"
"""Of a link: where the page ended in the other of the two lists; empty: before its first row."""
_PAGE = frozenset({"limit", "marker", "page_reverse", BESIDE})
_ORDER = frozenset({"sort_key", "sort_dir"})
_TAGS = frozenset({"tags", "tags-any", "not-tags", "not-tags-any"})
_SUBNET = "subnet_id="
_LONGEST = 9

Pairs = Sequence[tuple[str, str]]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """`pairs`: all of it; `limit` None: no pages."""

    raw: bytes
    pairs: Pairs
    keys: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    marker: str | None = None
    beside: str | None = None
    reverse: bool = False

    @property
    def order(self) -> merging.Order:
        return merging.Order(self.keys, self.reverse)

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(value for name, value in self.pairs if name == "fields")

    def ours(self, known: Collection[str]) -> asking.Asked | None:
        """Filters and fields in our words; None: nothing of ours has what is filtered by. Raises `Fault`."""
        left = [pair for pair in self.pairs if pair[0] not in _PAGE | _ORDER]
        if any(name not in known and name not in _TAGS and name != "fields" for name, _ in left):
            return None
        return asking.parse(left, known)

    def theirs(self, more: Iterable[tuple[str, str]] = (), *, without: Collection[str] = ()) -> bytes:
        """For Neutron, which does not know what `beside` is."""
        dropped = {BESIDE, *without}
        kept = [part for part in self.raw.split(b"&") if _name(part) not in dropped] if self.raw else []
        added = urlencode(list(more)).encode("ascii")
        return b"&".join([*kept, added] if added else kept)


def parse(raw: bytes) -> Query | None:
    """None: Neutron says what is wrong with it."""
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="replace")
    last = dict(pairs)
    keys = [value for name, value in pairs if name == "sort_key" and value]
    ways = [value for name, value in pairs if name == "sort_dir" and value]
    limit = last.get("limit", "0")
    if len(keys) != len(ways) or not set(ways) <= {"asc", "desc"}:
        return None
    if not (limit.isascii() and limit.isdigit() and len(limit) <= _LONGEST):
        return None
    most = int(limit) or None
    return Query(
        raw=raw,
        pairs=pairs,
        keys=tuple((key, way == "desc") for key, way in zip(keys, ways, strict=True)),
        limit=most,
        marker=(last.get("marker") or None) if most else None,
        beside=last.get(BESIDE) if most else None,
        reverse=last.get("page_reverse", "").lower() == "true" and most is not None,
    )


def only_theirs(kind: str, pairs: Pairs) -> bool:
    """Nothing of ours can be among what is asked for, by the ids that are named."""
    named: dict[str, list[str]] = {}
    for name, value in pairs:
        named.setdefault(name, []).append(value)
    ids = [named.get("network_id", [])] if kind != "networks" else []
    if kind != "ports":
        ids.append(named.get("id", []))
    if kind == "ports" and (fixed := named.get("fixed_ips")):
        ids.append([v.removeprefix(_SUBNET) for v in fixed if v.startswith(_SUBNET)])
    return any(values and all(random(value) for value in values) for values in ids)


def _name(part: bytes) -> str:
    return unquote_plus(part.partition(b"=")[0].decode("latin-1"))
