"""How many requests a project may make: a token bucket for each, in this process.

In: who asks. Out: how long he waits for his turn, or a refusal that says when to come again. Who is a little too
early waits instead: so a project that always asks for more is served evenly, not in bursts that others have to wait
for. A change of several objects costs as many tokens; what it costs beyond the first is taken once it is known, so a
bucket may be in debt. Admins and services are not held up: they act for all. Called by `lane` before a body is read,
and by those that read several objects of one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from gluon import errors
from gluon.spi import policy

TURN = 0.1
"""Seconds that a request may wait for its token."""
HOLD = 0.1
"""Seconds that a refusal is held back at least: who asks again at once, on each of his connections, costs others less."""
_LONGEST_HOLD = 1.0
"""And at most, however many come: `Retry-After` says no less."""
_REFUSALS = 200
"""What a project is told a second; more of it is held back longer."""
_MOST = 10_000
"""Buckets that are kept before those that are full again are forgotten."""
_SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`rate`: requests each second, 0 for no limit; `burst`: as many at once after a rest."""

    rate: float
    burst: float


@dataclass(slots=True)
class _Bucket:
    rate: Rate
    tokens: float
    at: float
    told: float = 0.0
    """When the last refusal is told."""


class Refused(errors.TooMany):
    """`hold`: seconds after which it is told."""

    def __init__(self, message: str, *, retry_after: int, hint: str, hold: float) -> None:
        super().__init__(message, retry_after=retry_after, hint=hint)
        self.hold = hold


class Rates:
    """`usual`: of each project that is not in `projects`."""

    def __init__(self, usual: Rate, projects: Mapping[str, Rate]) -> None:
        self._usual = usual
        self._projects = projects
        self._buckets: dict[str, _Bucket] = {}

    def admit(self, caller: policy.Caller) -> float:
        """Take a token: how many seconds it is too early. Raises `Refused`."""
        bucket = self._filled(caller)
        if bucket is None:
            return 0.0
        left, rate = bucket.tokens - 1, bucket.rate.rate
        if left < -rate * TURN:
            raise Refused(
                f"the project may make {rate:g} requests a second, and has made them",
                retry_after=math.ceil(-left / rate),
                hint="wait for the seconds of Retry-After; the operator sets the limit",
                hold=_held(bucket),
            )
        bucket.tokens = left
        return -left / rate if left < 0 else 0.0

    def give_back(self, caller: policy.Caller) -> None:
        """What was taken for nothing."""
        if (bucket := self._filled(caller)) is not None:
            bucket.tokens += 1

    def charge(self, caller: policy.Caller, count: int) -> None:
        """The objects of an admitted request beyond the first."""
        if count > 1 and (bucket := self._filled(caller)) is not None:
            bucket.tokens -= count - 1

    def _filled(self, caller: policy.Caller) -> _Bucket | None:
        if caller.admin or _SERVICE in caller.roles:
            return None
        project, now = caller.project or "", monotonic()
        bucket = self._buckets.get(project)
        if bucket is None:
            rate = self._projects.get(project, self._usual)
            if rate.rate <= 0:
                return None
            if len(self._buckets) >= _MOST:
                self._forget(now)
            bucket = self._buckets[project] = _Bucket(rate, rate.burst, now)
            return bucket
        bucket.tokens = min(bucket.rate.burst, bucket.tokens + (now - bucket.at) * bucket.rate.rate)
        bucket.at = now
        return bucket

    def _forget(self, now: float) -> None:
        """Who has rested long enough is as one never seen."""
        self._buckets = {
            project: b
            for project, b in self._buckets.items()
            if b.tokens + (now - b.at) * b.rate.rate < b.rate.burst
        }


def _held(bucket: _Bucket) -> float:
    """How long a refusal is held back: one after the other, so that they cost little however many there are."""
    at = bucket.at
    bucket.told = min(max(bucket.told + 1 / _REFUSALS, at + HOLD), at + _LONGEST_HOLD)
    return bucket.told - at
