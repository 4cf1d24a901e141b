"""What the API counts, for Prometheus. Labels are bound once; a request costs two updates."""

from __future__ import annotations

import prometheus_client as prometheus

REGISTRY = prometheus.CollectorRegistry()

_answers = prometheus.Counter(
    "gluon_http_answers", "Answered requests of generated resources", ("method", "status"), registry=REGISTRY
)
_seconds = prometheus.Histogram(
    "gluon_http_seconds",
    "Seconds from the request's head to the answer's end",
    ("method",),
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
    registry=REGISTRY,
)


class Counting:
    """`lane.Observer`."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], prometheus.Counter] = {}
        self._times: dict[str, prometheus.Histogram] = {}

    def answered(self, method: str, status: int, seconds: float) -> None:
        count = self._counts.get((method, status))
        if count is None:
            count = self._counts[method, status] = _answers.labels(method, str(status))
        count.inc()
        timer = self._times.get(method)
        if timer is None:
            timer = self._times[method] = _seconds.labels(method)
        timer.observe(seconds)


def render() -> tuple[bytes, str]:
    """The exposition text and its content type."""
    return prometheus.generate_latest(REGISTRY), prometheus.CONTENT_TYPE_LATEST
