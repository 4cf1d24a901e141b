"""Named rules with their places in, a `Rulebook` of closures out, or every problem of them at once.

A rule that is named and not defined is the rule `default`, if there is one, as in `oslo.policy`; else it is a problem. So
is a rule that asks itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gluon.model import rules
from gluon.policy import checks
from gluon.policy.checks import Check, Compiled
from gluon.policy.scope import either, every, other
from gluon.spi.policy import Caller, Scope, Target

MAX_DEPTH = 150
"""Of a rule with all the rules that it names in their places: so deep does a check recurse."""
DEFAULT = "default"

Legacy = Sequence["str | Sequence[str]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A rule as it was given. `place`: `file:line:column`, or the model that says it."""

    rule: str | Legacy
    place: str


class PolicyError(ValueError):
    """The rules cannot be used; `problems` says all that is wrong, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Rulebook:
    """Rules by name, ready to be asked."""

    __slots__ = ("_compiled", "sources")

    def __init__(self, compiled: Mapping[str, Compiled], sources: Mapping[str, Source]) -> None:
        self._compiled = compiled
        self.sources = sources

    def allows(self, name: str, caller: Caller, target: Target) -> bool:
        """`target`: the stored object. Never true for a rule that nobody defined."""
        found = self._compiled.get(name) or self._compiled.get(DEFAULT)
        return found is not None and found.check(caller, target)

    def scope(self, name: str, caller: Caller) -> Scope:
        """Of which objects the rule can be true for `caller`."""
        found = self._compiled.get(name) or self._compiled.get(DEFAULT)
        return Scope.NOTHING if found is None else found.scope(caller)

    def compiled(self, name: str) -> Compiled | None:
        """For who asks a rule often: its closure."""
        return self._compiled.get(name)


def rulebook(sources: Mapping[str, Source]) -> Rulebook:
    """Raises `PolicyError`."""
    book, problems, _ = tolerant(sources)
    if problems:
        raise PolicyError(problems)
    return book


def tolerant(sources: Mapping[str, Source]) -> tuple[Rulebook, list[str], Mapping[str, str]]:
    """A rule that cannot be made is never true: the book, what is wrong with it, and the names that rules ask for and
    nobody defines, with the place where they are asked for."""
    maker = _Maker(sources)
    for name in sources:
        maker.named(name, (), 0)
    return Rulebook(maker.made, dict(sources)), list(maker.problems), maker.undefined


_tree = lru_cache(maxsize=4096)(rules.parse)
"""Most types have the rules of their base."""


def parse(rule: str | Legacy) -> rules.Rule:
    """The tree of a rule: text, or lists in a list, of which one must hold with all its checks. Raises `ValueError`."""
    if isinstance(rule, str):
        return _tree(rule)
    if not rule:
        return rules.Always()
    ways: list[rules.Rule] = []
    for way in rule:
        words = [way] if isinstance(way, str) else list(way)
        if words:
            ways.append(rules.And(tuple(_single(word) for word in words)))
    return rules.Or(tuple(ways)) if ways else rules.Never()


def named(rule: str | Legacy) -> frozenset[str]:
    """The names of the rules that a rule asks for."""
    try:
        return frozenset(_named(parse(rule)))
    except ValueError:
        return frozenset()


def _named(rule: rules.Rule) -> Iterator[str]:
    match rule:
        case rules.Check(kind="rule", match=name):
            yield name
        case rules.Not(rule=inner):
            yield from _named(inner)
        case rules.And(rules=parts) | rules.Or(rules=parts):
            for part in parts:
                yield from _named(part)


def _single(word: str) -> rules.Rule:
    found = rules.parse(word)
    if not isinstance(found, (rules.Check, rules.Always, rules.Never)):
        raise ValueError(f"{word!r} in a list is not one check")  # noqa: TRY004 - text that is wrong, as all else here
    return found


class _Maker:
    """Compiles each rule once, those that it names first."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self.made: dict[str, Compiled] = {}
        self.problems: dict[str, None] = {}
        self.undefined: dict[str, str] = {}

    def named(self, name: str, above: tuple[str, ...], depth: int) -> Compiled:
        done = self.made.get(name)
        if done is not None and depth + done.depth <= MAX_DEPTH:
            return done
        source = self._sources[name]
        if done is None:
            try:
                done = self._made(parse(source.rule), (*above, name), depth)
            except ValueError as error:
                self._wrong(name, str(error))
                done = checks.constant(False)
        if depth + done.depth > MAX_DEPTH:
            self._wrong(name, f"with the rules that it names it is nested more than {MAX_DEPTH} deep")
        self.made[name] = done
        return done

    def _wrong(self, name: str, what: str) -> None:
        self.problems[f"{self._sources[name].place}: rule {name}: {what}"] = None

    def _made(self, rule: rules.Rule, above: tuple[str, ...], depth: int) -> Compiled:
        if depth > MAX_DEPTH:
            raise ValueError(f"with the rules that name it it is nested more than {MAX_DEPTH} deep")
        match rule:
            case rules.Always():
                return checks.constant(True)
            case rules.Never():
                return checks.constant(False)
            case rules.Not(rule=inner):
                return _not(self._made(inner, above, depth + 1))
            case rules.And(rules=parts):
                return _all([self._made(part, above, depth + 1) for part in parts])
            case rules.Or(rules=parts):
                return _any([self._made(part, above, depth + 1) for part in parts])
            case rules.Check(kind="rule", match=name):
                return self._referred(name, above, depth)
            case rules.Check():
                return checks.compile_check(rule)

    def _referred(self, name: str, above: tuple[str, ...], depth: int) -> Compiled:
        if name not in self._sources:
            if DEFAULT not in self._sources:
                raise ValueError(f"no rule {name!r} is defined")
            self.undefined.setdefault(name, self._sources[above[-1]].place)
            name = DEFAULT
        if name in above:
            circle = " asks ".join((*above[above.index(name) :], name))
            raise ValueError(f"it never ends: {circle}")
        return self.named(name, above, depth + 1)


def _not(one: Compiled) -> Compiled:
    if one.constant is not None:
        return checks.constant(not one.constant)
    check, scope = one.check, one.scope
    return Compiled(
        lambda caller, target: not check(caller, target),
        lambda caller: other(scope(caller)),
        depth=one.depth + 1,
    )


def _any(parts: Sequence[Compiled]) -> Compiled:
    if any(part.constant is True for part in parts):
        return checks.constant(True)
    left = [part for part in parts if part.constant is None]
    if len(left) < 2:
        return left[0] if left else checks.constant(False)
    scopes = tuple(part.scope for part in left)
    depth = 1 + max(part.depth for part in left)
    check = _one_of(tuple(part.check for part in left))
    return Compiled(check, lambda caller: either([s(caller) for s in scopes]), depth=depth)


def _one_of(asked: tuple[Check, ...]) -> Check:
    if len(asked) == 2:  # most rules: without a loop it takes half as long
        first, second = asked
        return lambda caller, target: first(caller, target) or second(caller, target)

    def check(caller: Caller, target: Target) -> bool:
        for one in asked:  # noqa: SIM110 - a generator costs as much as three checks
            if one(caller, target):
                return True
        return False

    return check


def _all(parts: Sequence[Compiled]) -> Compiled:
    if any(part.constant is False for part in parts):
        return checks.constant(False)
    left = [part for part in parts if part.constant is None]
    if len(left) < 2:
        return left[0] if left else checks.constant(True)
    scopes = tuple(part.scope for part in left)
    depth = 1 + max(part.depth for part in left)
    check = _each_of(tuple(part.check for part in left))
    return Compiled(check, lambda caller: every([s(caller) for s in scopes]), depth=depth)


def _each_of(asked: tuple[Check, ...]) -> Check:
    if len(asked) == 2:
        first, second = asked
        return lambda caller, target: first(caller, target) and second(caller, target)

    def check(caller: Caller, target: Target) -> bool:
        for one in asked:  # noqa: SIM110 - a generator costs as much as three checks
            if not one(caller, target):
                return False
        return True

    return check
