"""What the publisher counts, for `/metrics` and `gluon status`. One `Stats` a process."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Stats:
    """Plain numbers, changed in place by the parts; `snapshot` is what others read.

    `behind_since` is the wall clock of the oldest thing known to be unpublished, 0 when there is
    none; `lag_entries` counts the revisions between cursor and database (gaps included).
    """

    leading: bool = False
    elections: int = 0
    cursor: int = 0
    position: int = 0
    behind_since: float = 0.0
    txns: int = 0
    entries: int = 0
    keys: int = 0
    txn_seconds: float = 0.0
    txn_slowest: float = 0.0
    refused: int = 0
    rebases: int = 0
    resyncs: Counter[str] = field(default_factory=Counter)
    resync_seconds: float = 0.0
    reports: int = 0
    reports_waiting: int = 0
    reports_refused: int = 0
    trimmed: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    etcd_size: int = 0
    etcd_revision: int = 0
    etcd_members: int = 0
    etcd_alarms: tuple[str, ...] = ()

    def sent(self, seconds: float, keys: int) -> None:
        """A Txn was answered."""
        self.txns += 1
        self.keys += keys
        self.txn_seconds += seconds
        self.txn_slowest = max(self.txn_slowest, seconds)

    @property
    def lag_entries(self) -> int:
        return max(0, self.position - self.cursor)

    def lag_seconds(self, now: float | None = None) -> float:
        """Age of the oldest unpublished change, as far as this process knows."""
        if not self.behind_since:
            return 0.0
        return max(0.0, (time.time() if now is None else now) - self.behind_since)

    def behind(self, since: float | None = None) -> None:
        """Something waits to be published, since then or since now."""
        self.behind_since = self.behind_since or (time.time() if since is None else since)

    def caught_up(self) -> None:
        self.behind_since = 0.0

    def snapshot(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        names = [name for name in self.__slots__ if name != "behind_since"]
        values = {name: getattr(self, name) for name in names}
        values["resyncs"] = dict(self.resyncs)
        values["failures"] = dict(self.failures)
        values["etcd_alarms"] = list(self.etcd_alarms)
        return {**values, "lag_entries": self.lag_entries, "lag_seconds": self.lag_seconds()}
