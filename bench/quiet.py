"""The rounds of a bench that count: those in which the host of this machine left it its processors.

In: a plan. Out: its rounds, one after the other, to be filled with figures; then the samples of those that count. A machine that is one
of several on a host waits now and then while another one has the processor, up to tens of milliseconds; Linux counts that
time as stolen, whatever is measured. A round that lost more than `most` of all processor time is made again, up to `_TIMES`
as many rounds as were planned; where these do not suffice, those count that lost least. How much was lost is a figure of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.measure import Figure, Plan, median

_MOST = 0.005
_TIMES = 3
_FIELDS = 8
"""Of a line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in the first two."""


class Rounds:
    """`for one in rounds: one["p50"] = …`, then `rounds["p50"]`. The first `warm` rounds count never."""

    def __init__(self, plan: Plan, *, warm: int = 0, most: float = _MOST) -> None:
        self._wanted = plan.rounds
        self._most = most
        self._warm = warm
        self._made: list[tuple[float, dict[str, float]]] = []

    def __iter__(self) -> Iterator[dict[str, float]]:
        for _ in range(self._warm):
            yield {}
        while self._quiet() < self._wanted and len(self._made) < _TIMES * self._wanted:
            before, one = processors(), dict[str, float]()
            yield one
            self._made.append((lost(before, processors()), one))

    def __getitem__(self, name: str) -> list[float]:
        """The samples, in the order in which they were made."""
        return [one[name] for _, one in self._counted()]

    def figure(self) -> Figure:
        """What the host took of the rounds that count, in percent."""
        name = f"taken by the machine's host, {self._wanted} of {len(self._made)} rounds"
        return median(name, [share * 100 for share, _ in self._counted()], "%")

    def _quiet(self) -> int:
        return sum(share <= self._most for share, _ in self._made)

    def _counted(self) -> list[tuple[float, dict[str, float]]]:
        """The quiet ones, which the loop ends with enough of; else those that lost least."""
        least = sorted(share for share, _ in self._made)[: self._wanted]
        limit = max(self._most, *least) if least else self._most
        return [made for made in self._made if made[0] <= limit][: self._wanted]


def processors() -> tuple[int, ...]:
    """Ticks so far of all processors, by what they were for."""
    line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    return tuple(map(int, line.split()[1 : 1 + _FIELDS]))


def lost(before: tuple[int, ...], after: tuple[int, ...]) -> float:
    """The share of all time that was stolen, 0 to 1."""
    spent = [b - a for a, b in zip(before, after, strict=True)]
    return spent[_FIELDS - 1] / max(1, sum(spent))
