"""The figures of all processes as a table for people: the end of `gluon status`.

In: `processes` and `shared` of `/gluon/v1/status`. Out: lines. Called by `operate`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_FULL = 0.8
"""Of a pool: from here on it is told."""
_HEADS = ("process", "up", "CPU", "memory", "answers", "4xx", "5xx", "units", "per batch",
          "lock wait", "lock hold", "waiting")  # fmt: skip


def lines(processes: Sequence[Mapping[str, Any]], shared: Mapping[str, Any]) -> Iterator[str]:
    """A row for each process, then what is the same for all. Times are p50 and p99, upper bounds."""
    rows = [_HEADS, *(_row(one) for one in processes)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEADS))]
    yield ""
    for row in rows:
        first, *rest = (f"{text:<{width}}" if n == 0 else f"{text:>{width}}"
                        for n, (text, width) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        yield "  ".join([first, *rest]).rstrip()
    yield ""
    if "binds_waiting" in shared:
        waiting, oldest = shared["binds_waiting"], shared.get("bind_oldest", 0.0)
        yield f"binds without an answer  {waiting}" + (f", the oldest for {oldest:.1f} s" if waiting else "")
    yield from (line for one in processes if (line := _nova(one.get("nova"))))
    for api, pool, size, held in shared.get("pools", ()):
        if size and held >= _FULL * size:
            yield f"pool {pool} of {api}  {held} of {size} values are in use"


def _nova(told: Mapping[str, Any] | None) -> str:
    """How Nova is told of ports, by the process that does it."""
    if told is None or not told["leading"]:
        return ""
    if told["error"]:
        return f"Nova is not told of ports for {_span(told['lag_seconds'])}: {told['error']}"
    count = sum(told["answers"].values())
    line = f"Nova was told of ports  {count} events, {count - told['answers'].get('200', 0)} for servers it has not"
    return f"{line}; is Gluon's user an admin there?" if told.get("strange") else line


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    answers = one["http"]["answers"]
    counts = one["store"]
    units = counts["units"] + counts["rejected"]
    batches = counts["batches"]
    leads = " *" if one["publisher"]["leading"] else ""
    return (
        f"{one['process']}{leads}",
        _span(time.time() - one["since"]),
        f"{one['cpu_seconds']:.1f} s",
        f"{one['resident_bytes'] / 1e6:.0f} MB",
        str(sum(a[-1] for a in answers)),
        str(sum(a[-1] for a in answers if 400 <= a[-2] < 500)),
        str(sum(a[-1] for a in answers if a[-2] >= 500)),
        str(units),
        f"{units / batches:.1f}" if batches else "-",
        _times(counts["lock_wait"]),
        _times(counts["lock_hold"]),
        str(counts["waiting"]),
    )


def _times(histogram: Mapping[str, Any]) -> str:
    if not histogram["count"]:
        return "-"
    return "/".join(f"{1000 * _quantile(histogram, share):.3g}" for share in (0.5, 0.99)) + " ms"


def _quantile(histogram: Mapping[str, Any], share: float) -> float:
    left = share * histogram["count"]
    for bound, count in zip(histogram["bounds"], histogram["counts"], strict=False):
        left -= count
        if left <= 0:
            return float(bound)
    return float(histogram["maximum"])


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
