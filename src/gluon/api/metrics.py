"""What the API counts, for Prometheus: plain numbers here, made into metrics when somebody asks.

A request costs two additions; the client library's own counters, with a lock and a label each,
cost ten times that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import prometheus_client as prometheus
from prometheus_client import core, registry

REGISTRY = prometheus.CollectorRegistry()

BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)


_counts: dict[tuple[str, int], int] = {}
_times: dict[str, list[float]] = {}
"""By method: one count a bound, one of what is above all bounds, the sum of seconds."""


class Counting:
    """`lane.Observer`. All of a process count together."""

    def answered(self, method: str, status: int, seconds: float) -> None:
        kind = (method, status)
        _counts[kind] = _counts.get(kind, 0) + 1
        times = _times.get(method)
        if times is None:
            times = _times[method] = [0.0] * (len(BOUNDS) + 2)
        times[bisect_left(BOUNDS, seconds)] += 1
        times[-1] += seconds


class _Shown(registry.Collector):
    """What the registry asks."""

    def collect(self) -> Iterator[core.Metric]:
        answers = core.CounterMetricFamily(
            "gluon_http_answers", "Answered requests of generated resources", labels=("method", "status")
        )
        for (method, status), count in _counts.items():
            answers.add_metric((method, str(status)), count)
        yield answers
        seconds = core.HistogramMetricFamily(
            "gluon_http_seconds", "Seconds from the request's head to the answer's end", labels=("method",)
        )
        for method, times in _times.items():
            seconds.add_metric((method,), list(_buckets(times)), times[-1])
        yield seconds


def _buckets(times: list[float]) -> Iterator[tuple[str, float]]:
    """Each bound with the count of what is not above it."""
    total = 0.0
    for bound, count in zip((*BOUNDS, "+Inf"), times, strict=False):
        total += count
        yield str(bound), total


REGISTRY.register(_Shown())


def render() -> tuple[bytes, str]:
    """The exposition text and its content type."""
    return prometheus.generate_latest(REGISTRY), prometheus.CONTENT_TYPE_LATEST
