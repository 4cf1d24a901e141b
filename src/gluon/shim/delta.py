"""Desired and actual rows to a `Delta`. Called by `reconcile`; no I/O.

All of it goes scope by scope, so that others have their turns between two of many. A row's key is unique over all scopes of a shard: a row that moves from one scope to another is
changed or left alone, never removed behind the back of the scope that has it now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon.spi.backend import Delta, Rows

_ABSENT = object()


class Actual:
    """The rows that are there, as read back or written since."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}
        self._owner: dict[str, str] = {}

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


class Comparison:
    """What makes the rows of some scopes what they should be: each is told by `want`, and then judged by `judge`."""

    def __init__(self, actual: Actual) -> None:
        self._actual = actual
        self._wanted: dict[str, Any] = {}
        self._make: dict[str, Any] = {}
        self._change: dict[str, Any] = {}
        self._remove: dict[str, Any] = {}

    def want(self, rows: Rows) -> None:
        """One of the scopes should have these."""
        self._wanted.update(rows)

    def judge(self, scope: str, rows: Rows) -> None:
        """The same scope, once all are known: a row that one gives up may be another's."""
        for key in rows:
            value, there = self._wanted[key], self._actual.value(key)
            if there is _ABSENT:
                self._make[key] = value
            elif there != value:
                self._change[key] = value
        self._remove.update(
            {key: value for key, value in self._actual.owned(scope).items() if key not in self._wanted}
        )

    @property
    def delta(self) -> Delta:
        """Of what was judged."""
        return Delta(make=self._make, change=self._change, remove=self._remove)
