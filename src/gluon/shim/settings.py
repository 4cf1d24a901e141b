"""How the engine paces itself, and what it counts. `Pace` is made by `cmd`, `Stats` read by metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Times in seconds.

    `full_scan` between two full scans; `first_wait` and `longest_wait` bound the back-off; `ttl` of
    the registration's and the election's lease; `grace` before a watch that lags behind a resync is
    begun anew; `later` before the other members of a big scope are looked at after a change of one; `replies` and `batches` are Txns under way at a time; `gather` from a batch of
    statuses to the next that is not full; `rest` from the end of a round to the next one; `patience` with an etcd that was
    set back, until what it has is believed.
    """

    full_scan: float = 30.0
    first_wait: float = 0.1
    longest_wait: float = 15.0
    ttl: int = 5
    grace: float = 0.2
    later: float = 0.5
    replies: int = 2
    batches: int = 2
    gather: float = 0.1
    rest: float = 0.02
    patience: float = 60.0


@dataclass(slots=True, kw_only=True)
class Stats:
    """Counters of one shard since it began. Times in seconds."""

    events: int = 0
    rounds: int = 0
    full_scans: int = 0
    applies: int = 0
    rows_made: int = 0
    rows_changed: int = 0
    rows_removed: int = 0
    failures: int = 0
    replies: int = 0
    statuses: int = 0
    refused_writes: int = 0
    """Txns whose compare did not hold: a newer binding, or another leader."""
    leaderships: int = 0
    apply_seconds: float = 0.0
    last_round_seconds: float = 0.0
    lag_seconds: float = 0.0
    """Of the last round: from its oldest event's arrival to its end."""
