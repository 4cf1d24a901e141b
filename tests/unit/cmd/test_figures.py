"""Figures of processes: gathered from siblings, made into metrics that are documented, told as a table."""

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gluon.api import metrics
from gluon.arbiter import timing
from gluon.cmd import figures, told
from gluon.cmd.gathering import Gathering
from gluon.cmd.health import Health
from gluon.errors import Unavailable
from gluon.nova import notifier
from gluon.publisher.stats import Stats
from gluon.store import Stats as StoreStats

ROOT = Path(__file__).parents[3]


class Publishing:
    def __init__(self) -> None:
        self.stats = Stats()


class Watching:
    head, cuts, watchers = 40, 1, 2


class Telling:
    stats = notifier.Stats(leading=True, answers=Counter({200: 3}))


def figures_of(name: str) -> figures.Figures:
    counting, times, publishing, stats = metrics.Counting(), timing.Times(), Publishing(), StoreStats()
    counting.answered(None, "GET", 200, 0.002)
    counting.answered(None, "GET", 200, 99.0)
    counting.answered(None, "POST", 503, 0.2)
    times.add("whole", "Bound", 0.004)
    publishing.stats.leading = True
    publishing.stats.resyncs["missing"] += 1
    publishing.stats.failures["relay"] += 2
    stats.lock_wait.add(0.003)
    stats.units, stats.batches = 7, 2
    made = figures.Figures(name, counting, stats, publishing, times)  # type: ignore[arg-type]
    made.watching, made.nova = Watching(), Telling()
    return made


COMMON: dict[str, Any] = {
    "database_up": 1, "etcd_up": 0, "lag": 3, "position": 45, "alarms": ["NOSPACE"], "etcd_bytes": 10, "binds_waiting": 2,
    "bind_oldest": 4.5, "pools": [["net-l2", "vnis", 1 << 100, 5], ["net-l2", "few", 10, 9]],
}  # fmt: skip


def test_a_page_has_all_processes_and_is_well_formed() -> None:
    snapshots = [figures_of(name).own() for name in ("publisher", "worker-0")]
    page = metrics.page(figures.families(snapshots, COMMON))[0].decode()
    assert (
        'gluon_http_answers_total{api="gluon",method="GET",process="worker-0",status="200",type=""} 2.0'
        in page
    )
    assert 'gluon_http_seconds_bucket{le="+Inf",method="GET",process="publisher"} 2.0' in page
    assert 'gluon_http_seconds_bucket{le="0.005",method="GET",process="publisher"} 1.0' in page
    assert 'gluon_store_lock_wait_seconds_count{process="worker-0"} 1.0' in page
    assert (
        'gluon_bind_seconds_bucket{le="0.005",outcome="Bound",process="worker-0",stage="whole"} 1.0' in page
    )
    assert 'gluon_watch_lag_revisions{process="worker-0"} 5.0' in page
    heads = [line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))


def test_every_metric_is_documented() -> None:
    made = {f.name for f in figures.families([figures_of("server").own()], COMMON)}
    page = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    assert made == set(re.findall(r"^\| `(gluon_\w+)`", page, re.MULTILINE))


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_siblings_are_asked_and_a_dead_one_keeps_nobody_waiting(loop: Any) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(_siblings_are_asked())


async def _siblings_are_asked() -> None:
    names = ("publisher", "worker-0", "worker-1")
    family = (id(names) % (1 << 30), names)
    gathered = {n: Gathering(n, lambda n=n: {"process": n, "big": "x" * 300_000}, family) for n in names}  # type: ignore[misc]
    async with gathered["publisher"].listening(), gathered["worker-1"].listening():
        seen = await gathered["worker-1"].all()
        assert [one["process"] for one in seen] == ["publisher", "worker-1"]
        assert all(len(one["big"]) == 300_000 for one in seen)
    assert [one["process"] for one in await gathered["worker-0"].all()] == ["worker-0"]
    alone = Gathering("server", lambda: {"process": "server"})
    async with alone.listening():
        assert await alone.all() == [{"process": "server"}]


def test_status_tells_the_same_as_a_table() -> None:
    lines = list(told.lines([figures_of("worker-0").own()], COMMON))
    head, row = [line for line in lines if line.startswith(("process", "worker-0"))]
    assert row.split()[:2] == ["worker-0", "*"]
    assert "5/5 ms" in row and "3.5" in row and len(head) >= len(row)
    assert "binds without an answer  2, the oldest for 4.5 s" in lines
    assert "pool few of net-l2  9 of 10 values are in use" in lines
    assert not any("vnis" in line for line in lines)


class Database:
    def __init__(self) -> None:
        self.alive = True
        self.answer: Exception | None = None
        self.silent = False

    async def position(self) -> None:
        if self.silent:
            await asyncio.Event().wait()
        if self.answer:
            raise self.answer


async def test_ready_says_why_not() -> None:
    database = Database()
    health = Health(database)
    assert (await health.look())["checks"]["models"]
    health.epoch = 1
    assert await health.look() == {
        "ready": True,
        "checks": dict.fromkeys(("stopping", "writer", "models", "database"), ""),
    }
    database.answer = Unavailable("gone")
    assert await health.look() == {
        "ready": False,
        "checks": {"stopping": "", "writer": "", "models": "", "database": "gone"},
    }
    database.answer = None
    database.alive = False
    health.stopping = True
    found = (await health.look())["checks"]
    assert found["writer"] and found["stopping"] and not found["database"]


async def test_a_silent_database_does_not_hold_up_who_asks(monkeypatch: Any) -> None:
    monkeypatch.setattr("gluon.cmd.health._PATIENCE", 0.05)
    database = Database()
    database.silent = True
    health = Health(database)
    health.epoch = 1
    assert "has not answered" in (await health.look())["checks"]["database"]
