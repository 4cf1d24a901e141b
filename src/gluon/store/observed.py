"""A database that tells somebody of each committed batch: of which requests it was, and when.

In: a `driver.Database`. Out: the same, where sessions note their times. Made by `opening` for who traces; without it
nothing is noted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from gluon.store import driver
from gluon.store.overlay import Plan

_REQUEST = 8
"""The place of the request's id in a row of the journal."""


class Times(tuple[float, float, float, float]):
    """Seconds since 1970: the lock was asked for, was had, COMMIT began, and had ended."""

    __slots__ = ()


Told = Callable[[Sequence[str], Times], None]
"""The ids of the requests whose units wrote, in their order."""


class Observed:
    """A `driver.Database`."""

    def __init__(self, inner: driver.Database, told: Told) -> None:
        self._inner = inner
        self._told = told

    async def session(self) -> driver.Session:
        return cast("driver.Session", _Session(await self._inner.session(), self._told))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Session:
    def __init__(self, inner: driver.Session, told: Told) -> None:
        self._inner = inner
        self._told = told
        self._asked = self._had = 0.0

    async def lock(self) -> None:
        self._asked = time.time()
        await self._inner.lock()
        self._had = time.time()

    async def commit(self, plan: Plan, way: int) -> None:
        began = time.time()
        asked, had = self._asked or began, self._had or began  # without a lock of its own: it follows another
        self._asked = self._had = 0.0
        await self._inner.commit(plan, way)
        requests = list(dict.fromkeys(str(row[_REQUEST]) for row in plan.journal if row[_REQUEST]))
        if requests:
            self._told(requests, Times((asked, had, began, time.time())))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
