"""What can be wrong with an expression: when it is read (`Wrong`), and when it is evaluated (`Failed`).

    Wrong        the text or its types break a rule of the language; said when a model is loaded
    Failed       an evaluation has no value: null has no members, a division by zero
    ├── Unfit        a function cannot take an argument; told again as `Failed` with the place
    └── Exhausted    an evaluation took more steps than it may

Messages hold names and rules, never values: an attribute may be secret.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Wrong(ValueError):
    """`offset` counts characters from the start of the expression; `hint` says the cure."""

    def __init__(self, message: str, *, offset: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


class Failed(Exception):
    """An evaluation has no value; as a rule it counts as false."""


class Unfit(Failed):
    """What a function cannot take; it does not know where it is called."""


class Exhausted(Failed):
    """The budget of steps is used up; nothing in an expression can catch it."""


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word meant, or all of them where they are few."""
    words = sorted(known)
    lowered = {w.lower(): w for w in words}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    if close:
        return f"did you mean {lowered[close[0]]!r}?"
    if 0 < len(words) <= 12:
        return f"known here: {', '.join(words)}"
    return ""
