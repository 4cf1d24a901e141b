"""Which objects a rule can be true of for one caller, known without looking at any: what a list may ask SQL for.

Invariant: the answer never leaves out an object for which the rule is true.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    """`OWN_ROWS`: some of the caller's own project; `ROWS`: some of all. Both need the rule asked of each row."""

    ALL = "all"
    NOTHING = "nothing"
    OWN = "own project"
    OWN_ROWS = "own project, row by row"
    ROWS = "row by row"


_WIDEST_FIRST = (Scope.ALL, Scope.ROWS, Scope.OWN, Scope.OWN_ROWS)


def either(scopes: Iterable[Scope]) -> Scope:
    """Where one of several is enough: each but `ROWS` holds all that the narrower ones do."""
    found = tuple(scopes)
    for wide in _WIDEST_FIRST:
        if wide in found:
            return wide
    return Scope.NOTHING


def every(scopes: Iterable[Scope]) -> Scope:
    """Where all are needed."""
    found = Scope.ALL
    for scope in scopes:
        if scope is Scope.NOTHING:
            return scope
        if found is Scope.ALL:
            found = scope
        elif scope is not found and scope is not Scope.ALL:
            found = Scope.OWN_ROWS  # any two that differ have OWN or OWN_ROWS among them
    return found


def other(scope: Scope) -> Scope:
    """Where the rule must be false."""
    return {Scope.ALL: Scope.NOTHING, Scope.NOTHING: Scope.ALL}.get(scope, Scope.ROWS)
