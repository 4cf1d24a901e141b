"""Scopes of rules made of the scopes of their parts.

Invariant: the answer never leaves out an object for which the rule is true.
"""

from __future__ import annotations

from collections.abc import Iterable

from gluon.spi.policy import Scope

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
