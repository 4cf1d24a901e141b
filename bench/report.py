"""Results as a table for readers and as JSON for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench.measure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One bench: figures, or why there are none."""

    name: str
    seconds: float
    figures: list[Figure] = field(default_factory=list)
    skipped: str = ""
    failed: str = ""

    @property
    def good(self) -> bool:
        return not self.failed and all(f.holds is not False for f in self.figures)


def table(results: Sequence[Result]) -> str:
    lines = []
    for result in results:
        lines.append(f"{result.name} ({result.seconds:.0f} s)")
        if result.skipped or result.failed:
            lines.append(f"  {'skipped' if result.skipped else 'FAILED'}: {result.skipped or result.failed}")
        for figure in result.figures:
            value = f"{_number(figure.value)} {figure.unit}"
            verdict = "" if figure.holds is None else "holds" if figure.holds else "MISSED"
            goal = f"goal {figure.goal}" if figure.goal else ""
            lines.append(f"  {figure.name:<38} {value:>14}  {goal:<26} {verdict}".rstrip())
    return "\n".join(lines)


def document(results: Sequence[Result]) -> bytes:
    """JSON with the machine's facts, every figure and the samples behind it."""
    machine = {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }
    return msgspec.json.format(msgspec.json.encode({"machine": machine, "benches": list(results)})) + b"\n"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
