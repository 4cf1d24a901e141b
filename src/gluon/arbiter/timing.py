"""How long binds take that requests wait for, by stage and outcome. Written by `binder`, shown by metrics.

Stages: `answer`, from the wait's begin to the shim's reply; `commit`, until that is durable; `whole`, until the request goes on.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

BOUNDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Times:
    """Counts by upper bound, and the sum of seconds."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], list[float]] = {}

    def add(self, stage: str, outcome: str, seconds: float) -> None:
        times = self._times.get((stage, outcome))
        if times is None:
            times = self._times[stage, outcome] = [0.0] * (len(BOUNDS) + 2)
        times[bisect_left(BOUNDS, seconds)] += 1
        times[-1] += seconds

    def snapshot(self) -> list[Any]:
        """`[stage, outcome, histogram]` of each."""
        return [
            [stage, outcome, {"bounds": BOUNDS, "counts": times[:-1], "total": times[-1]}]
            for (stage, outcome), times in sorted(self._times.items())
        ]
