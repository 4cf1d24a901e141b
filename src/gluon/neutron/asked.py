"""What a list is asked for, in Neutron's words: filters, fields, order, page.

In: the pairs of a query and the names that a resource can be asked by. Out: an `Asked`, and what it makes of bodies.
Filters are honoured strictly: Nova takes a row too many for one of its own. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from gluon.neutron import faults, ids
from gluon.values import mac

_WORDS = frozenset({"fields", "sort_key", "sort_dir", "limit", "marker", "page_reverse"})
_EMPTY = _WORDS - {"limit"}
"""Of these nothing is no value."""
_TRUTH = {"true": True, "1": True, "on": True, "yes": True, "t": True, "y": True,
          "false": False, "0": False, "off": False, "no": False, "f": False, "n": False}  # fmt: skip
_PROJECT = frozenset({"tenant_id", "project_id"})
_TAGS = frozenset({"tags", "tags-any"})
_NOT_TAGS = frozenset({"not-tags", "not-tags-any"})
FIXED = "fixed_ips"

Body = dict[str, Any]
Values = tuple[str, ...]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`filters`: any value of each. `reverse`: the page before the marker."""

    filters: Mapping[str, Values] = {}
    fields: tuple[str, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    """Names, and whether descending."""
    limit: int | None = None
    marker: str | None = None
    reverse: bool = False

    @property
    def plain(self) -> bool:
        """By id, forward."""
        return self.order in ((), (("id", False),)) and not self.reverse

    def addresses(self, key: str) -> Values:
        """The values of `fixed_ips=<key>=…`."""
        found = (value.partition("=") for value in self.filters.get(FIXED, ()))
        return tuple(value for name, _, value in found if name == key)


def parse(pairs: Iterable[tuple[str, str]], known: Collection[str]) -> Asked:
    """Raises `Fault` for what Neutron refuses too: a filter that nothing can pass."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if value or name not in _EMPTY:
            given.setdefault(name, []).append(value)
    wrong = [n for n in given if n not in _WORDS and n not in known and n not in _TAGS | _NOT_TAGS]
    if wrong:
        raise faults.bad(f"{wrong} is invalid attribute for filtering")
    filters = {n: tuple(_value(n, v) for v in values) for n, values in given.items() if n not in _WORDS}
    _check_addresses(filters.get(FIXED, ()))
    keys, ways = given.get("sort_key", []), given.get("sort_dir", [])
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise faults.bad(f"{unknown} is invalid attribute for sort_key")
    if any(way not in ("asc", "desc") for way in ways) or len(ways) > len(keys):
        raise faults.bad("The number of sort_keys and sort_dirs must be same, each asc or desc")
    ways += ["asc"] * (len(keys) - len(ways))
    return Asked(
        filters=filters,
        fields=tuple(dict.fromkeys(given.get("fields", ()))),
        order=tuple((key, way == "desc") for key, way in zip(keys, ways, strict=True)),
        limit=_limit(given.get("limit", ())),
        marker=next(iter(given.get("marker", ())), None),
        reverse=truth("page_reverse", next(iter(given.get("page_reverse", ())), "false")),
    )


def _value(name: str, value: str) -> str:
    if name in _PROJECT:
        return ids.shown_project(ids.stored_project(value))
    if name == "mac_address":
        try:
            return mac.parse(value)
        except ValueError:
            return value
    return value


def _check_addresses(values: Values) -> None:
    for value in values:
        if value.partition("=")[0] not in ("ip_address", "subnet_id", "ip_address_substr"):
            raise faults.invalid(
                f"'{value[:100]}' is no filter of fixed_ips",
                "write fixed_ips=ip_address=… or fixed_ips=subnet_id=…",
            )


_LONGEST_LIMIT = 9
"""Digits: more than that is no limit."""


def _limit(given: Sequence[str]) -> int | None:
    if not given:
        return None
    if not given[0].isascii() or not given[0].isdigit():
        raise faults.bad(f"Limit must be an integer 0 or greater and not '{given[0][:40]}'")
    return int(given[0]) or None if len(given[0]) <= _LONGEST_LIMIT else None


def truth(name: str, value: object) -> bool:
    """As Neutron reads it, which takes words and numbers too. Raises `Fault`."""
    text = str(value)
    found = _TRUTH.get(text.strip().lower())
    if found is None:
        raise faults.invalid(f"'{text[:40]}' cannot be converted to boolean in {name}")
    return found


def passes(asked: Asked, body: Body) -> bool:
    """Whether a whole body is one of those asked for."""
    return all(_passes(name, values, body) for name, values in asked.filters.items())


def _passes(name: str, values: Values, body: Body) -> bool:
    if name in _TAGS or name in _NOT_TAGS:
        return name in _NOT_TAGS
    if name not in body:
        return False
    held = body[name]
    if name == FIXED:
        return _has_address(values, held)
    if isinstance(held, bool):
        return held in {truth(name, value) for value in values}
    if isinstance(held, list):
        return any(value in held for value in values)
    if held is None:
        return "" in values or "null" in values
    return str(held) in values


def _has_address(values: Values, held: Sequence[Mapping[str, str]]) -> bool:
    """Values of one key are alternatives; one address need not pass both keys."""
    wanted: dict[str, list[str]] = {}
    for value in values:
        key, _, text = value.partition("=")
        wanted.setdefault(key, []).append(text)
    for key, texts in wanted.items():
        if key == "ip_address_substr":
            if not any(text in one["ip_address"] for text in texts for one in held):
                return False
        elif not any(one[key] in texts for one in held):
            return False
    return True


def paged(asked: Asked, found: list[Body], what: str, key: str = "id") -> tuple[list[Body], bool]:
    """One page of all that was found, in order; whether there is more in the asked direction."""
    for name, descending in reversed((*asked.order, (key, False))):
        found.sort(key=_rank(name), reverse=descending != asked.reverse)
    if asked.marker is not None:
        place = next((n for n, body in enumerate(found) if body[key] == asked.marker), None)
        if place is None:
            raise faults.missing(what, asked.marker)
        found = found[place + 1 :]
    more = asked.limit is not None and len(found) > asked.limit
    page = found[: asked.limit] if asked.limit is not None else found
    return (page[::-1] if asked.reverse else page), more


def _rank(name: str) -> Callable[[Body], tuple[bool, str | int | bool]]:
    def rank(body: Body) -> tuple[bool, str | int | bool]:
        value = body.get(name)
        if isinstance(value, list | dict):
            value = str(value)
        return (value is not None, value if value is not None else "")

    return rank


def chosen(asked: Asked, body: Body) -> Body:
    """What of a body is shown."""
    if not asked.fields:
        return body
    return {name: body[name] for name in asked.fields if name in body}
