"""How many steps an evaluation may take, judged from the lengths that lists may have.

`checker` tells what it meets; what is unknown (a list without a limit, the length of a text) counts as one. So a
rule that the budget could never carry for the largest object is refused when the model is loaded, and not when
the first such object comes. The budget itself is counted at run time.
"""

from __future__ import annotations

from gluon.expressions import syntax
from gluon.expressions.values import READ

_CALLS = {"within": 10, "overlaps": 10, "family": 5, "matches": 8, "size": 0}


class Meter:
    """`steps` so far; `at`: the macro with which they became more than `most`."""

    def __init__(self, most: int) -> None:
        self.steps = 0
        self.most = most
        self.at: int | None = None
        self._times = [1]
        self._inside: dict[str, int] = {}
        self._read: set[str] = set()

    def add(self, steps: int) -> None:
        """Steps taken where the checker is now, in each round of the macros around."""
        self.steps += steps * self._times[-1]

    def enter(self, node: syntax.Each, length: int | None) -> None:
        """The body of a macro over a list (or map) of at most `length`."""
        rounds = 1 if length is None else length
        nodes = sum(1 for part in (node.test, node.body) if part for _ in syntax.walk(part))
        self.add(rounds * (1 + nodes))
        self._times.append(self._times[-1] * rounds)
        self._inside[node.variable] = self._times[-1]
        self._tell(node)

    def leave(self, node: syntax.Each) -> None:
        self._times.pop()
        self._tell(node)

    def _tell(self, node: syntax.Each) -> None:
        if self.at is None and self.steps > self.most:
            self.at = node.at

    def call(self, function: str, length: int | None) -> None:
        """A function; `length` of a list that it goes through."""
        self.add(_CALLS.get(function, 1) + (length or 0))

    def read(self, reference: syntax.Node) -> None:
        """The object behind a reference: once for each value of the innermost variable that leads there."""
        text = syntax.unparse(reference)
        if text in self._read:
            return
        self._read.add(text)
        names = [one.name for one, _ in syntax.walk(reference) if isinstance(one, syntax.Name)]
        self.steps += READ * max((self._inside.get(name, 1) for name in names), default=1)
