"""Patterns of texts, matched against the whole text in time that grows with its length only.

In: a pattern in the syntax that RE2, ECMA-262 and Python share (no back-references, no looking around). Out: what
matches it. Python's `re` is taken where it cannot go back and forth: at every place of the pattern the next
character leaves one way at most ("one-pass"). All other patterns go to the automaton of `expressions`.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable, Iterator

from gluon.expressions import matching
from gluon.expressions import patterns as syntax
from gluon.expressions.problems import Wrong

Matcher = Callable[[str], object]
"""Whether the whole text matches: something true, or not."""

_OWN = re.compile(r"\[:|\\[AzZ]|\(\?P?<")
"""What only some of the three dialects have."""

_DIFFERENT = re.compile(r"\\[sS]")
"""What they agree on but for a rare character; the automaton decides."""

_ENDLESS = 1 << 62


def matcher(pattern: str) -> Matcher:
    """Raises `ValueError` with the reason for what is no pattern here."""
    if _OWN.search(pattern):
        raise ValueError("only (…) and (?:…) are groups here, and classes are written like [a-z]")
    steps, first = syntax.program(pattern)
    quick = _python(pattern) if _one_pass(steps, first) and not _DIFFERENT.search(pattern) else None
    if quick is not None:
        return quick
    try:
        automaton = matching.compile(f"^(?:{pattern})$")
    except Wrong as wrong:
        raise ValueError(str(wrong)) from None
    return lambda text: automaton.search([_ENDLESS], text)


def is_quick(pattern: str) -> bool:
    """Whether `re` matches it, in linear time."""
    return isinstance(getattr(matcher(pattern), "__self__", None), re.Pattern)


def problem(pattern: str) -> str:
    """Why a text is no pattern, or empty text."""
    try:
        matcher(pattern)
    except ValueError as error:
        return str(error)
    return ""


def _python(pattern: str) -> Matcher | None:
    """`re`'s own match; None where it reads the pattern otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return re.compile(pattern, re.ASCII).fullmatch
        except (re.error, OverflowError, RecursionError, Warning):
            return None


def _one_pass(steps: list[syntax.Step], first: int) -> bool:
    """Whether a character never leaves two ways, nor one way by two paths."""
    if any(step.kind == "end" and step.next != 0 for step in steps):
        return False  # Python's $ also holds before a line feed at the end
    begins = {first, *(step.next for step in steps if step.kind == "take")}
    return all(_disjoint(ways) for ways in (_ways(steps, place) for place in begins))


def _ways(steps: list[syntax.Step], place: int) -> list[tuple[int, int]] | None:
    """The characters that lead on from a place; None where two paths lead to one step."""
    seen: set[int] = set()
    found: list[tuple[int, int]] = []
    waiting = [place]
    while waiting:
        here = waiting.pop()
        if here in seen:
            return None
        seen.add(here)
        step = steps[here]
        if step.kind == "take":
            found += _joined(step.ranges)
        elif step.kind != "match":
            waiting.append(step.next)
            if step.kind == "split":
                waiting.append(step.other)
    return found


def _joined(ranges: syntax.Ranges) -> Iterator[tuple[int, int]]:
    """The ranges of one class without what it says twice."""
    end = -1
    for low, high in sorted(ranges):
        if high > end:
            yield max(low, end + 1), high
            end = high


def _disjoint(ranges: list[tuple[int, int]] | None) -> bool:
    if ranges is None:
        return False
    ordered = sorted(ranges)
    return all(high < low for (_, high), (low, _) in itertools.pairwise(ordered))
