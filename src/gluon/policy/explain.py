"""Why a rule is true or false of one caller and one object: all of its parts, each with its own answer.

In: a rulebook, a name, a caller, an object. Out: a `Part`, its parts inside. Invariant: `holds` of the whole is what the
compiled rule answers. Called by `gluon policy explain`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gluon.model import rules
from gluon.policy import checks, rulebook
from gluon.policy.rulebook import DEFAULT, Rulebook
from gluon.spi.policy import Caller, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`text`: the part as it is written; `place`: where a named rule was given; `note`: what else is to know."""

    text: str
    holds: bool
    place: str = ""
    note: str = ""
    parts: tuple[Part, ...] = ()

    def lines(self, depth: int = 0) -> Iterator[tuple[int, Part]]:
        """Itself and all below it, with how deep each stands."""
        yield depth, self
        for part in self.parts:
            yield from part.lines(depth + 1)


def explain(book: Rulebook, name: str, caller: Caller, target: Target) -> Part:
    """The rule `name` and what it is made of."""
    return _Explainer(book, caller, target).named(name, ())


def text(rule: rules.Rule, outer: int = 0) -> str:
    """A rule in the words of the language."""
    match rule:
        case rules.Always():
            return "@"
        case rules.Never():
            return "!"
        case rules.Check(kind=kind, match=match):
            return f"{kind}:{match}"
        case rules.Not(rule=inner):
            return f"not {text(inner, 3)}"
        case rules.And(rules=parts):
            told, binds = " and ".join(text(part, 2) for part in parts), 2
        case rules.Or(rules=parts):
            told, binds = " or ".join(text(part, 1) for part in parts), 1
    return f"({told})" if outer > binds or (outer == binds and outer) else told


class _Explainer:
    def __init__(self, book: Rulebook, caller: Caller, target: Target) -> None:
        self._book, self._caller, self._target = book, caller, target

    def named(self, name: str, above: tuple[str, ...]) -> Part:
        note, known = "", name
        if name not in self._book.sources:
            note, known = f"nobody defines it, {DEFAULT!r} stands for it", DEFAULT
        source = self._book.sources.get(known)
        if source is None:
            return Part(text=f"rule:{name}", holds=False, note="nobody defines it")
        if known in above:
            return Part(text=f"rule:{name}", holds=False, place=source.place, note="it asks itself")
        try:
            inner = self._of(rulebook.parse(source.rule), (*above, known))
        except ValueError as error:
            return Part(text=f"rule:{name}", holds=False, place=source.place, note=str(error))
        return Part(text=f"rule:{name}", holds=inner.holds, place=source.place, note=note, parts=(inner,))

    def _of(self, rule: rules.Rule, above: tuple[str, ...]) -> Part:
        told = text(rule)
        match rule:
            case rules.Always():
                return Part(text=told, holds=True, note="everyone")
            case rules.Never():
                return Part(text=told, holds=False, note="nobody")
            case rules.Not(rule=inner):
                part = self._of(inner, above)
                return Part(text=told, holds=not part.holds, parts=(part,))
            case rules.And(rules=parts):
                found = tuple(self._of(part, above) for part in parts)
                return Part(text=told, holds=all(part.holds for part in found), parts=found)
            case rules.Or(rules=parts):
                found = tuple(self._of(part, above) for part in parts)
                return Part(text=told, holds=any(part.holds for part in found), parts=found)
            case rules.Check(kind="rule", match=name):
                return self.named(name, above)
            case rules.Check():
                holds = checks.compile_check(rule).check(self._caller, self._target)
                return Part(text=told, holds=holds)
