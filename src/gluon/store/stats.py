"""What a store counted since it was opened: plain numbers for metrics and `gluon status`.

Written by `writer` and `readers`, read by whoever shows it. Invariant: counters only grow.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_UNITS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Histogram:
    """Counts by upper bound; the last count is of what is above every bound."""

    __slots__ = ("bounds", "count", "counts", "maximum", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.count = 0
        self.total = 0.0
        self.maximum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.count += 1
        self.total += value
        self.maximum = max(self.maximum, value)

    def quantile(self, share: float) -> float:
        """An upper bound of the value that `share` (0 to 1) of all are not above."""
        left = share * self.count
        for bound, count in zip(self.bounds, self.counts, strict=False):
            left -= count
            if left <= 0:
                return bound
        return self.maximum


@dataclass(slots=True)
class Stats:
    """Counters of one open store."""

    batches: int = 0
    units: int = 0
    """Units answered with a result."""
    rejected: int = 0
    """Units answered with an error of their own."""
    rows: int = 0
    entries: int = 0
    rereads: int = 0
    """Rounds of reading that a unit's declared reads did not cover."""
    ahead: int = 0
    """Batches that were read for and decided while the one before was written."""
    net: int = 0
    """Batches in which a constraint of the database caught something."""
    refused: int = 0
    """Units refused because too many waited."""
    expired: int = 0
    """Units given up because the database did not answer in time."""
    reconnects: int = 0
    settled: int = 0
    """Lost answers to COMMIT that the journal settled."""
    unknown: int = 0
    """Units whose outcome stayed unknown."""
    gets: int = 0
    get_statements: int = 0
    waiting: int = 0
    """Units that wait now (the one number here that also falls)."""
    lock_wait: Histogram = field(default_factory=lambda: Histogram(_SECONDS))
    lock_hold: Histogram = field(default_factory=lambda: Histogram(_SECONDS))
    batch_units: Histogram = field(default_factory=lambda: Histogram(_UNITS))
