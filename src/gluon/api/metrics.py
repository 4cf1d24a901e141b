"""What the API counts, for Prometheus and `gluon status`: plain numbers here, made into metrics when somebody asks.

A request costs two additions; the client library's own counters, with a lock and a label each,
cost ten times that. In: answered requests. Out: `snapshot`, plain data that processes send each other, and `Family`, what
a page of metrics is made of.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import prometheus_client as prometheus
from prometheus_client import core, registry

BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)

OURS = ("gluon", "")
"""Api and type of what is no generated resource: roots, `/gluon/v1/`, health, unknown paths."""


class Counting:
    """`lane.Observer`. What is counted is told by what answered, an object with a model and a type, None: no resource."""

    __slots__ = ("_counts", "_times")

    def __init__(self) -> None:
        self._counts: dict[tuple[object, str, int], int] = {}
        self._times: dict[str, list[float]] = {}
        """By method: one count a bound, one of what is above all bounds, the sum of seconds."""

    def answered(self, served: object, method: str, status: int, seconds: float) -> None:
        kind = (served, method, status)
        counts = self._counts
        counts[kind] = counts.get(kind, 0) + 1
        times = self._times.get(method)
        if times is None:
            times = self._times[method] = [0.0] * (len(BOUNDS) + 2)
        times[bisect_left(BOUNDS, seconds)] += 1
        times[-1] += seconds

    def snapshot(self) -> dict[str, Any]:
        """Plain data. Resources of models that were replaced are one with those of the same name after them."""
        found: dict[tuple[str, str, str, int], int] = {}
        for (served, method, status), count in self._counts.items():
            kind = (*_name(served), method, status)
            found[kind] = found.get(kind, 0) + count
        return {
            "answers": [[*kind, count] for kind, count in sorted(found.items())],
            "seconds": {
                method: {"bounds": BOUNDS, "counts": times[:-1], "total": times[-1]}
                for method, times in self._times.items()
            },
        }


def _name(served: object) -> tuple[str, str]:
    if served is None:
        return OURS
    stored: Any = getattr(served, "resource", served)  # of another version: what is stored
    return stored.api, stored.name


Labels = Mapping[str, str]


class Family:
    """One metric of any processes: samples by labels. `kind`: counter, gauge or histogram."""

    def __init__(self, name: str, kind: str, told: str) -> None:
        self.name, self.kind, self.told = name, kind, told
        self.samples: list[tuple[str, Labels, float]] = []

    def add(self, value: float, **labels: str) -> None:
        suffix = "_total" if self.kind == "counter" else ""
        self.samples.append((self.name + suffix, labels, value))

    def spread(self, histogram: Mapping[str, Any], **labels: str) -> None:
        """A histogram: `bounds`, `counts` of what is not above each (and of the rest), `total`."""
        total = 0.0
        for bound, count in zip((*histogram["bounds"], "+Inf"), histogram["counts"], strict=True):
            total += count
            self.samples.append((f"{self.name}_bucket", {**labels, "le": str(bound)}, total))
        self.samples.append((f"{self.name}_count", labels, total))
        self.samples.append((f"{self.name}_sum", labels, float(histogram["total"])))


class _Page(registry.Collector):
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[core.Metric]:
        for family in self._families:
            metric = core.Metric(family.name, family.told, family.kind)
            for name, labels, value in family.samples:
                metric.add_sample(name, dict(labels), value)
            yield metric


def page(families: Sequence[Family]) -> tuple[bytes, str]:
    """The exposition text and its content type."""
    collected = prometheus.CollectorRegistry()
    collected.register(_Page(families))
    return prometheus.generate_latest(collected), prometheus.CONTENT_TYPE_LATEST
