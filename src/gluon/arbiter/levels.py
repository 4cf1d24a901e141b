"""Controllers of several levels share one binding: who is chosen, what they said together, what is missing. Pure.

In: candidates, the answers of one epoch. Out: controllers in the order of levels; a VIF. Invariants: each level that a bind
was begun with has a controller or there is none at all; the VIF is the same in whatever order the answers came. Called by
`assign` and `replies`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from gluon.objects import status


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one controller said of a binding, and when. `up`, `ready`: as in `status.BindingReport`."""

    vif_type: str = ""
    vif_details: dict[str, Any] = {}
    refused: str = ""
    message: str = ""
    up: bool = False
    ready: bool = False
    at: str = ""


NOTHING = Answer()


def chosen(
    candidates: Iterable[status.Registration], tried: Collection[str], needed: Iterable[int] = ()
) -> tuple[status.Registration, ...]:
    """One controller of each level, in the order of levels: of each the first candidate that was not tried yet. None at all
    where a level has none left. `needed`: levels that count even if nobody registered serves them now."""
    first: dict[int, status.Registration | None] = dict.fromkeys(needed)
    for one in candidates:
        if one.controller in tried:
            first.setdefault(one.level, None)
        elif first.get(one.level) is None:
            first[one.level] = one
    found = [first[level] for level in sorted(first)]
    there = tuple(one for one in found if one is not None)
    return there if len(there) == len(found) else ()


def missing(controllers: Sequence[str], answers: Mapping[str, Answer]) -> tuple[str, ...]:
    """Those that have not answered yet."""
    return tuple(c for c in controllers if c not in answers)


def merged(controllers: Sequence[str], answers: Mapping[str, Answer]) -> tuple[str, dict[str, Any]]:
    """The VIF that all controllers together answered: the type that the highest level named, the details of all, where a
    higher level has the last word."""
    kind, details = "", dict[str, Any]()
    for controller in controllers:
        answer = answers.get(controller, NOTHING)
        kind = answer.vif_type or kind
        details |= answer.vif_details
    return kind, details


def speaker(controllers: Sequence[str], answers: Mapping[str, Answer]) -> str:
    """Whose word on the VIF's type counts."""
    named = [c for c in controllers if answers.get(c, NOTHING).vif_type]
    return (named or list(controllers))[-1]
