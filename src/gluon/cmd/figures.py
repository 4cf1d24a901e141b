"""The figures of a running process: a snapshot that processes send each other, and the metrics and words made of them.

In: what the parts of a node count. Out: plain data (`Figures.own`), what all processes share (`Figures.shared`), families of
metrics. `docs/reference/metrics.md` has a row for each name here; a test compares the two.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from gluon import errors
from gluon import store as stores
from gluon.api import metrics
from gluon.arbiter import bindings, timing
from gluon.arbiter import tables as arbiter_tables
from gluon.model.types import Model
from gluon.nova import notifier
from gluon.pools import model_pool_id
from gluon.pools import tables as pool_tables
from gluon.publisher import publisher
from gluon.spi import bus, store

_PATIENCE = 1.5
"""Seconds that database and etcd have to answer: a page of metrics that comes late is none."""
_COUNTERS = (
    ("batches", "Batches committed or found empty"),
    ("units", "Units answered with a result"),
    ("rejected", "Units answered with an error of their own"),
    ("rows", "Rows written"),
    ("entries", "Journal entries written"),
    ("rereads", "Rounds of reading that units had not declared"),
    ("ahead", "Batches that were read for while the one before was written"),
    ("net", "Batches in which a constraint of the database caught something"),
    ("refused", "Units refused because too many waited"),
    ("expired", "Units given up because the database did not answer in time"),
    ("reconnects", "Connections of the writer that were given up"),
    ("settled", "Lost answers to COMMIT that the journal settled"),
    ("unknown", "Units whose outcome stayed unknown"),
    ("gets", "Objects read by key"),
    ("get_statements", "Statements that read them"),
)
_SPREADS = (
    ("lock_wait", "gluon_store_lock_wait_seconds", "Seconds until the writer had the lock"),
    ("lock_hold", "gluon_store_lock_hold_seconds", "Seconds that the writer held the lock"),
    ("batch_units", "gluon_store_batch_units", "Units in a batch"),
)
_PUBLISHED = (
    ("elections", "Times that this process came to lead"),
    ("txns", "Transactions sent to etcd"),
    ("entries", "Journal entries published"),
    ("keys", "Keys written to etcd"),
    ("refused", "Transactions refused as another process leads"),
    ("rebases", "Times that a broken history was noticed"),
    ("reports", "Replies of shims taken"),
    ("reports_refused", "Replies of shims not believed"),
    ("trimmed", "Journal entries dropped for their age"),
)


def spread(histogram: stores.Histogram) -> dict[str, Any]:
    return {
        "bounds": histogram.bounds, "counts": list(histogram.counts), "count": histogram.count,
        "total": histogram.total, "maximum": histogram.maximum,
    }  # fmt: skip


class Watching(Protocol):
    """What tells watchers: how far it has come, how many there are, and how many were cut for being slow."""

    head: int
    cuts: int

    @property
    def watchers(self) -> int: ...


class Telling(Protocol):
    """What tells Nova of ports."""

    @property
    def stats(self) -> notifier.Stats: ...


class Figures:
    """Of one process. `others` asks its siblings for theirs."""

    def __init__(
        self,
        name: str,
        counting: metrics.Counting,
        stats: stores.Stats,
        publishing: publisher.Publisher,
        times: timing.Times,
        policy: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        """`policy`: the facts of the policy file."""
        self.name = name
        self._policy = policy
        self._counting = counting
        self._stats = stats
        self._publishing = publishing
        self._times = times
        self._began = time.time()
        self.watching: Watching | None = None
        self.nova: Telling | None = None

    def own(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        stats, policy = self._stats, self._policy()
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "process": self.name,
            "pid": os.getpid(),
            "since": self._began,
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "resident_bytes": _resident(),
            "http": self._counting.snapshot(),
            "store": {
                **{name: getattr(stats, name) for name, _ in _COUNTERS},
                "waiting": stats.waiting,
                **{name: spread(getattr(stats, name)) for name, _, _ in _SPREADS},
            },
            "publisher": self._publishing.stats.snapshot(),
            "binds": self._times.snapshot(),
            "watch": self._watched(),
            "nova": None if self.nova is None else self.nova.stats.snapshot(),
            "policy": {
                "broken": int(bool(policy.get("error"))),
                "problems": len(policy.get("problems", ())) + policy.get("more", 0),
            },
        }

    def _watched(self) -> dict[str, int]:
        watching = self.watching
        if watching is None:
            return {"watchers": 0, "head": 0, "cuts": 0}
        return {"watchers": watching.watchers, "head": watching.head, "cuts": watching.cuts}


async def shared(database: store.Store, target: bus.Bus, models: Sequence[Model]) -> dict[str, Any]:
    """What database and etcd say, which is the same from every process. What does not answer is left out."""
    found: dict[str, Any] = {"database_up": 0, "etcd_up": 0, "pools": []}

    async def stands() -> None:
        standing = await publisher.standing(database, target)
        found["database_up"] = 1
        found["etcd_up"] = 0 if standing.error else 1
        found.update(
            lag=standing.lag, position=standing.position, alarms=standing.alarms, etcd_bytes=standing.size
        )

    async def binds() -> None:
        waiting = (("state", bindings.State.BINDING.value),)
        found["binds_waiting"] = await database.count(
            store.Select(table=arbiter_tables.BINDING, equals=waiting)
        )
        rows = await database.select(
            store.Select(
                table=arbiter_tables.BINDING, equals=waiting, order=(store.Order(column="since"),), limit=1
            )
        )
        found["bind_oldest"] = (
            max(0.0, time.time() - bindings.seconds(str(rows[0]["since"]))) if rows else 0.0
        )

    async def pools() -> None:
        for model in models:
            for name in model.pools:
                row = await database.get(pool_tables.POOL, model_pool_id(model.name, name))
                if row is not None:
                    found["pools"].append([model.name, name, int(str(row["size"])), row["held"]])

    await asyncio.gather(*(_in_time(part) for part in (stands, binds, pools)))
    return found


async def _in_time(part: Callable[[], Any]) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await part()
    except (errors.Unavailable, errors.BusError, TimeoutError):
        return  # `database_up` and `etcd_up` say it


def families(processes: Iterable[Mapping[str, Any]], common: Mapping[str, Any]) -> list[metrics.Family]:
    """Metrics of all processes, each sample with the name of its own."""
    made: dict[str, metrics.Family] = {}

    def family(name: str, kind: str, told: str) -> metrics.Family:
        return made.setdefault(name, metrics.Family(name, kind, told))

    for one in processes:
        name = str(one["process"])
        _process(family, one, name)
        _policy(family, one["policy"], name)
        _http(family, one["http"], name)
        _store(family, one["store"], name)
        _published(family, one["publisher"], name)
        _watched(family, one["watch"], name, common)
        _nova(family, one["nova"], name)
        for stage, outcome, times in one["binds"]:
            family(
                "gluon_bind_seconds", "histogram", "Seconds of binds that requests waited for, by stage"
            ).spread(times, process=name, stage=stage, outcome=outcome)
    _common(family, common)
    return list(made.values())


_Made = Callable[[str, str, str], metrics.Family]


def _process(family: _Made, one: Mapping[str, Any], name: str) -> None:
    family("gluon_process_start_seconds", "gauge", "When the process started, seconds since 1970").add(
        one["since"], process=name
    )
    family("gluon_process_cpu_seconds", "counter", "CPU seconds of the process").add(
        one["cpu_seconds"], process=name
    )
    family("gluon_process_resident_bytes", "gauge", "Memory of the process").add(
        one["resident_bytes"], process=name
    )


def _policy(family: _Made, policy: Mapping[str, int], name: str) -> None:
    family(
        "gluon_policy_broken",
        "gauge",
        "1 where the policy file cannot be used, so that rules before it count",
    ).add(policy["broken"], process=name)
    family("gluon_policy_problems", "gauge", "Rules that mean nothing or that nobody defines").add(
        policy["problems"], process=name
    )


def _http(family: _Made, http: Mapping[str, Any], name: str) -> None:
    answers = family("gluon_http_answers", "counter", "Answered requests")
    for api, kind, method, status, count in http["answers"]:
        answers.add(count, process=name, api=api, type=kind, method=method, status=str(status))
    seconds = family("gluon_http_seconds", "histogram", "Seconds from a request's head to its answer")
    for method, times in http["seconds"].items():
        seconds.spread(times, process=name, method=method)


def _store(family: _Made, counts: Mapping[str, Any], name: str) -> None:
    for key, told in _COUNTERS:
        family(f"gluon_store_{key}", "counter", told).add(counts[key], process=name)
    family("gluon_store_waiting", "gauge", "Units that wait for the writer").add(
        counts["waiting"], process=name
    )
    for key, metric, told in _SPREADS:
        family(metric, "histogram", told).spread(counts[key], process=name)


def _published(family: _Made, stats: Mapping[str, Any], name: str) -> None:
    family("gluon_publisher_leading", "gauge", "1 for the process that publishes").add(
        int(stats["leading"]), process=name
    )
    for key, told in _PUBLISHED:
        family(f"gluon_publisher_{key}", "counter", told).add(stats[key], process=name)
    failures = family("gluon_publisher_failures", "counter", "Failures of parts that run again by themselves")
    for part, count in stats["failures"].items():
        failures.add(count, process=name, part=part)
    resyncs = family("gluon_publisher_resyncs", "counter", "Comparisons of etcd with the database")
    for reason, count in stats["resyncs"].items():
        resyncs.add(count, process=name, reason=reason)
    if stats["leading"]:
        family("gluon_relay_lag_seconds", "gauge", "Age of the oldest change that is not in etcd").add(
            stats["lag_seconds"], process=name
        )


def _watched(family: _Made, watch: Mapping[str, Any], name: str, common: Mapping[str, Any]) -> None:
    family("gluon_watchers", "gauge", "Streams of changes that are open").add(watch["watchers"], process=name)
    family("gluon_watch_cuts", "counter", "Streams that were ended because their client was too slow").add(
        watch["cuts"], process=name
    )
    if watch["watchers"] and "position" in common:
        family(
            "gluon_watch_lag_revisions", "gauge", "Revisions that open streams have not been told yet"
        ).add(max(0, common["position"] - watch["head"]), process=name)


def _nova(family: _Made, told: Mapping[str, Any] | None, name: str) -> None:
    if told is None or not told["leading"]:
        return
    events = family("gluon_nova_events", "counter", "Events that Nova answered, by its code; 200: taken")
    for code, count in told["answers"].items():
        events.add(count, process=name, code=code)
    for key, kind, what in (
        ("retries", "counter", "Requests to Nova that have to be sent again"),
        ("lost", "counter", "Events that Nova would not take"),
        ("looks", "counter", "Times that every port in use was looked at for Nova"),
        ("lag_seconds", "gauge", "Age of the oldest change that Nova was not told"),
    ):
        family(f"gluon_nova_{key}", kind, what).add(told[key], process=name)


def _common(family: _Made, common: Mapping[str, Any]) -> None:
    family("gluon_database_up", "gauge", "1 where the database answers").add(common["database_up"])
    family("gluon_etcd_up", "gauge", "1 where etcd answers").add(common["etcd_up"])
    for key, name, told in (
        ("lag", "gluon_relay_lag_revisions", "Revisions that are not in etcd yet"),
        ("etcd_bytes", "gluon_etcd_bytes", "Size of etcd"),
        ("binds_waiting", "gluon_binds_waiting", "Binds that no shim has answered yet"),
        ("bind_oldest", "gluon_bind_oldest_seconds", "Age of the oldest of them"),
    ):
        if key in common:
            family(name, "gauge", told).add(common[key])
    for alarm in common.get("alarms", ()):
        family("gluon_etcd_alarm", "gauge", "An alarm of etcd, such as NOSPACE").add(1, alarm=alarm)
    for api, pool, size, held in common["pools"]:
        family("gluon_pool_size", "gauge", "Values of a model's pool").add(size, api=api, pool=pool)
        family("gluon_pool_held", "gauge", "Those in use").add(held, api=api, pool=pool)


def _resident() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * resource.getpagesize()
