"""How many tokens that nobody knows an address may try: a token bucket for each, in this process.

In: the headers of a request whose token has to be asked for. Out: a ticket, or a refusal that says when to come again.
A ticket is given back for a token that was good, and where nobody could tell: so only wrong ones count. Called by `gate`.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gluon import errors

MOST = 10_000
"""Addresses that are kept before those with full buckets are forgotten, and then the oldest."""
_NETWORK = 64
"""Bits of an address of IPv6 that name a host's network; it has as many addresses in there as it likes."""

Headers = Mapping[bytes, bytes]


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Wrong:
    """`rate`: a second; `burst`: at once after a rest; `address`: from where a request came."""

    def __init__(self, rate: float, burst: float, address: Callable[[Headers], str | None]) -> None:
        self._rate, self._burst = rate, burst
        self._address = address
        self._buckets: dict[str, _Bucket] = {}

    def take(self, headers: Headers, now: float) -> str:
        """A ticket; `now` by the monotonic clock. Raises `TooMany`."""
        ticket = _source(self._address(headers))
        if not ticket:
            return ticket
        bucket = self._filled(ticket, now)
        if bucket.left < 1:
            raise errors.TooMany(
                f"{self._rate:g} tokens a second that are not valid may come from an address, and have come from {ticket}",
                retry_after=math.ceil((1 - bucket.left) / self._rate),
                hint="wait for the seconds of Retry-After; tokens that are in use go on meanwhile",
            )
        bucket.left -= 1
        return ticket

    def give_back(self, ticket: str) -> None:
        """It was not a wrong one."""
        if bucket := self._buckets.get(ticket):
            bucket.left = min(self._burst, bucket.left + 1)

    def _filled(self, ticket: str, now: float) -> _Bucket:
        bucket = self._buckets.get(ticket)
        if bucket is None:
            if len(self._buckets) >= MOST:
                self._forget(now)
            bucket = self._buckets[ticket] = _Bucket(self._burst, now)
        else:
            bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._rate)
            bucket.at = now
        return bucket

    def _forget(self, now: float) -> None:
        full = [t for t, b in self._buckets.items() if b.left + (now - b.at) * self._rate >= self._burst]
        for ticket in full or [next(iter(self._buckets))]:
            del self._buckets[ticket]


def _source(address: str | None) -> str:
    """What one client has: an address, of IPv6 its network; empty where there is none."""
    if address is None or ":" not in address:
        return address or ""
    return str(ipaddress.ip_network(f"{address.partition('%')[0]}/{_NETWORK}", strict=False))
