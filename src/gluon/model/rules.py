"""Policy rules in the language of `oslo.policy`: text in, a small tree out.

    rule:admin_or_owner        role:member and (project_id:%(tenant_id)s or is_admin:True)
    not role:reader            @ (always)       ! (never)       "" (always)

`not` binds tighter than `and`, `and` tighter than `or`. The model check parses only; the policy
engine makes closures of the trees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_WORDS = 500
"""Words of one rule; it also bounds the depth of the tree."""

MAX_DEPTH = 50

_WORD = re.compile(r"\s*(\(|\)|(?:'[^']*'|\"[^\"]*\"|%\([^()]*\)[a-z]|[^\s()'\"])+|['\"])")


@dataclass(frozen=True, slots=True)
class Check:
    """`kind:match`, for example `role:admin` or `'literal':%(attribute)s`."""

    kind: str
    match: str


@dataclass(frozen=True, slots=True)
class Always:
    """`@` or the empty rule."""


@dataclass(frozen=True, slots=True)
class Never:
    """`!`."""


@dataclass(frozen=True, slots=True)
class Not:
    rule: Rule


@dataclass(frozen=True, slots=True)
class And:
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Or:
    rules: tuple[Rule, ...]


Rule = Check | Always | Never | Not | And | Or


def parse(text: str) -> Rule:
    """The tree of a rule. Raises `ValueError` that says what was expected where."""
    if not text.strip():
        return Always()
    words = _words(text)
    if len(words) > MAX_WORDS:
        raise ValueError(f"a rule has at most {MAX_WORDS} words")
    parser = _Parser(words)
    rule = parser.either(0)
    if parser.next() is not None:
        raise ValueError(f"{parser.next()!r} is not expected there: write 'and' or 'or' between checks")
    return rule


def _words(text: str) -> list[str]:
    words, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _WORD.match(text, at)
        assert match is not None
        words.append(match[1])
        at = match.end()
    return words


class _Parser:
    """Recursive descent over the words; `depth` counts parentheses and `not`."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._at = 0

    def next(self) -> str | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def either(self, depth: int) -> Rule:
        rules = [self._both(depth)]
        while self._take("or"):
            rules.append(self._both(depth))
        return rules[0] if len(rules) == 1 else Or(tuple(rules))

    def _both(self, depth: int) -> Rule:
        rules = [self._one(depth)]
        while self._take("and"):
            rules.append(self._one(depth))
        return rules[0] if len(rules) == 1 else And(tuple(rules))

    def _one(self, depth: int) -> Rule:
        if depth > MAX_DEPTH:
            raise ValueError(f"a rule is nested at most {MAX_DEPTH} deep")
        if self._take("not"):
            return Not(self._one(depth + 1))
        if self._take("("):
            rule = self.either(depth + 1)
            if not self._take(")"):
                raise ValueError("a ')' is missing")
            return rule
        word = self.next()
        if word is None:
            raise ValueError("a check such as rule:admin_or_owner is missing at the end")
        self._at += 1
        return _check(word)

    def _take(self, word: str) -> bool:
        found = self.next()
        if found is not None and found.lower() == word:
            self._at += 1
            return True
        return False


def _check(word: str) -> Rule:
    if word == "@":
        return Always()
    if word == "!":
        return Never()
    kind, colon, match = word.partition(":")
    if word[0] in "'\"":  # a literal on the left: its quotes may hold a colon
        end = word.find(word[0], 1)
        kind, colon, match = word[: end + 1], word[end + 1 : end + 2], word[end + 2 :]
    if colon != ":" or not kind or not match:
        raise ValueError(f"{word!r} is not a check such as role:member or rule:admin_or_owner")
    return Check(kind, match)
