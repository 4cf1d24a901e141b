"""`/gluon/v1/ports`: the ports of all protons for operators, by what they have in common.

In: the arguments of a query. Out: a page of ports by id. Called by `routes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gluon.api import arguments
from gluon.arbiter import tables
from gluon.proton import showing
from gluon.spi import policy, store
from gluon.values import mac

MOST = 1000
FILTERS = ("id", "api", "project", "device_id", "device_owner", "host", "mac", "name", "status")
_MOST_VALUES = 200


class Ports:
    """Reads one database."""

    def __init__(self, database: store.Store) -> None:
        self._store = database

    async def page(self, asked: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """The ports that have one of the values given for each name. Raises `Invalid`."""
        given: dict[str, list[str]] = {}
        for name, value in asked:
            given.setdefault(name, []).extend(_meant(name, value))
        if sum(map(len, given.values())) > _MOST_VALUES:
            raise arguments.wrong(f"more than {_MOST_VALUES} query arguments", "ask for less at once")
        limit, marker = _limit(_once(given, "limit")), _once(given, "marker")
        unknown = sorted(given.keys() - set(FILTERS))
        if unknown:
            raise arguments.wrong(
                f"unknown query argument '{unknown[0][:64]}'",
                f"there are {', '.join(FILTERS)}, limit, marker",
            )
        filters = tuple(
            store.Filter(column=name, match=store.Match.EQUAL, values=tuple(v or None for v in values))
            for name, values in given.items()
        )
        rows = await self._store.select(
            store.Select(table=tables.PORT, filters=filters, after=marker, limit=limit + 1)
        )
        found: dict[str, Any] = {"ports": list(rows[:limit])}
        if len(rows) > limit:
            found["next"] = rows[limit - 1]["id"]
        return found


def _meant(name: str, value: str) -> list[str]:
    """The values that ports may have where this one is asked for."""
    if name == "project":
        return [policy.normal_project(value)]
    if name == "status" and value:
        if value.upper() not in showing.WORDS:
            raise arguments.wrong(
                f"status '{value[:64]}' is none that a port has",
                f"there are {', '.join(sorted(showing.WORDS))}",
            )
        return [value.upper()]
    if name == "mac" and value:
        try:
            normal = mac.parse(value)
        except ValueError:
            return [value]
        return sorted({value, normal, normal.upper()})  # models of version 1.0 keep it as it was written
    return [value]


def _once(given: dict[str, list[str]], name: str) -> str | None:
    values = given.pop(name, [])
    if len(values) > 1:
        raise arguments.wrong(f"{name} is given more than once", "give it once")
    return values[0] if values else None


def _limit(value: str | None) -> int:
    if value is None:
        return MOST
    if not (value.isascii() and value.isdigit() and len(value) < 5 and 1 <= int(value) <= MOST):
        raise arguments.wrong(f"limit is a number from 1 to {MOST}, not '{value[:40]}'", "leave it out")
    return int(value)
