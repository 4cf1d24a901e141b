"""Desired and actual rows to a `Delta`. Called by `reconcile`; no I/O.

A row's key is unique over all scopes of a shard: a row that moves from one scope to another is
changed or left alone, never removed behind the back of the scope that has it now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon.spi.backend import Delta, Rows

_ABSENT = object()


class Actual:
    """The rows that are there, as read back or written since."""

    def __init__(self, rows: Mapping[str, Rows]) -> None:
        self._rows: dict[str, dict[str, Any]] = {}
        self._owner: dict[str, str] = {}
        for scope, held in rows.items():
            self.set(scope, held)

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes that have rows."""
        return frozenset(self._rows)

    def set(self, scope: str, rows: Rows) -> None:
        """`scope` has these rows now."""
        for key in self._rows.pop(scope, {}):
            if key not in rows and self._owner.get(key) == scope:
                del self._owner[key]
        if rows:
            self._rows[scope] = dict(rows)
            self._owner.update(dict.fromkeys(rows, scope))

    def value(self, key: str) -> Any:
        """A row by its key, whoever has it."""
        owner = self._owner.get(key)
        return _ABSENT if owner is None else self._rows[owner][key]

    def owned(self, scope: str) -> Mapping[str, Any]:
        """The rows of `scope` that no other scope has taken over."""
        rows = self._rows.get(scope, {})
        return {key: value for key, value in rows.items() if self._owner[key] == scope}


def compare(desired: Mapping[str, Rows], actual: Actual) -> Delta:
    """What makes the rows of the scopes in `desired` what they should be."""
    wanted = {key: value for rows in desired.values() for key, value in rows.items()}
    make: dict[str, Any] = {}
    change: dict[str, Any] = {}
    for key, value in wanted.items():
        there = actual.value(key)
        if there is _ABSENT:
            make[key] = value
        elif there != value:
            change[key] = value
    remove = {
        key: value for scope in desired for key, value in actual.owned(scope).items() if key not in wanted
    }
    return Delta(make=make, change=change, remove=remove)
