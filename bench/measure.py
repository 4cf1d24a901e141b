"""What a bench reads off the machine, and how it says what it found.

In: process ids and raw samples. Out: `Figure`s: a number, its unit, and the goal that it meets or
misses. Invariant: a figure is a median of rounds; one without a goal is for information.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gluon.testing.process import descendants

_TICKS = os.sysconf("SC_CLK_TCK")


class Skipped(Exception):
    """This bench cannot run here; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to measure: rounds of so many seconds each. `database`: the kind, for benches that know more than one."""

    rounds: int
    seconds: float
    quick: bool
    database: str = "postgresql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`rounds` are the samples of which `value` is the median; `holds` is None without a goal."""

    name: str
    value: float
    unit: str
    goal: str = ""
    holds: bool | None = None
    rounds: Sequence[float] = ()


Bench = Callable[[Plan], Sequence[Figure]]


def median(name: str, rounds: Sequence[float], unit: str) -> Figure:
    """For information."""
    return Figure(name=name, value=statistics.median(rounds), unit=unit, rounds=tuple(rounds))


def at_least(name: str, rounds: Sequence[float], unit: str, goal: float) -> Figure:
    value = statistics.median(rounds)
    return Figure(
        name=name, value=value, unit=unit, goal=f"≥ {goal:g}", holds=value >= goal, rounds=tuple(rounds)
    )


def at_most(name: str, rounds: Sequence[float], unit: str, goal: float) -> Figure:
    value = statistics.median(rounds)
    return Figure(
        name=name, value=value, unit=unit, goal=f"≤ {goal:g}", holds=value <= goal, rounds=tuple(rounds)
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def cpu_seconds(pid: int, *, family: bool = False) -> float:
    """CPU time of a process with all its threads; `family`: and of its children, living or reaped."""
    total = 0
    for one in (pid, *descendants(pid)) if family else (pid,):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # ended between the listing and the look
        total += sum(int(f) for f in fields[11 : 15 if family else 13])
    return total / _TICKS


def resident_bytes(pid: int) -> int:
    """Memory of a process and its children, shared pages counted once for each."""
    pages = 0
    for one in (pid, *descendants(pid)):
        pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")
