"""Where the stages of the loader put what they find: every problem, each once, with its place.

Stages add and go on; the loader raises one `ModelError` at the end.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from gluon import errors


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mark:
    """A place in a file, 1-based."""

    file: str
    line: int = 1
    column: int = 1


class Problems:
    """A growing list of problems; the same one found twice (a file imported twice) counts once."""

    def __init__(self) -> None:
        self._found: dict[tuple[Mark, str], errors.ModelProblem] = {}
        self.reports = 0
        """How often something was noted, known problems included: grows where a part is wrong."""

    def __bool__(self) -> bool:
        return bool(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def add(self, mark: Mark, message: str, hint: str = "") -> None:
        """Note that at `mark` something is wrong, and how to cure it."""
        self.reports += 1
        problem = errors.ModelProblem(
            file=mark.file, line=mark.line, column=mark.column, message=message, hint=hint
        )
        self._found.setdefault((mark, message), problem)

    def raise_found(self) -> None:
        """Raise `ModelError` with everything found, in the order of the files; nothing found, nothing raised."""
        if self._found:
            raise errors.ModelError([self._found[at] for at in sorted(self._found, key=lambda at: at[0])])


_MANY = 200
_FEW = 30


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word meant, or all of them where they are few."""
    words = list(known)
    lowered = {w.lower(): w for w in words}
    if len(words) > _MANY:  # not all can be compared with each word that is wrong
        lowered = {w: lowered[w] for w in lowered if w[:1] == word[:1].lower()}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    if close:
        return f"did you mean {lowered[close[0]]!r}?"
    if 0 < len(words) <= _FEW:
        return f"known here: {', '.join(words)}"
    return ""
