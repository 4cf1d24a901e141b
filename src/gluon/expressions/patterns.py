"""Regular expressions in the syntax of RE2, a subset, as a program for `matching`.

In: the text of a pattern. Out: instructions of a nondeterministic automaton. What would need backtracking
(back-references, looking around) does not exist in RE2 either, and raises `ValueError` here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LONGEST, LARGEST, DEEPEST = 512, 1500, 20
"""Characters of a pattern, instructions of its program, nesting of its groups."""

Ranges = tuple[tuple[int, int], ...]

_TOP = 0x10FFFF


@dataclass(slots=True)
class Step:
    """`take` reads a character in `ranges`; `split` goes to `next` and `other`; `begin` and `end` hold there."""

    kind: str
    next: int = 0
    other: int = 0
    ranges: Ranges = ()


def _inverse(ranges: Ranges) -> Ranges:
    result, low = [], 0
    for first, last in sorted(ranges):
        if low < first:
            result.append((low, first - 1))
        low = max(low, last + 1)
    return (*result, (low, _TOP)) if low <= _TOP else tuple(result)


def _ranges(pairs: str) -> Ranges:
    return tuple((ord(pairs[i]), ord(pairs[i + 1])) for i in range(0, len(pairs), 2))


_CLASSES: dict[str, Ranges] = {"d": _ranges("09"), "w": _ranges("09AZ__az"), "s": _ranges("\t\n\f\r  ")}
_CLASSES |= {name.upper(): _inverse(ranges) for name, ranges in _CLASSES.items()}
_NAMED: dict[str, Ranges] = {
    "alnum": _ranges("09AZaz"), "alpha": _ranges("AZaz"), "digit": _ranges("09"), "lower": _ranges("az"),
    "upper": _ranges("AZ"), "xdigit": _ranges("09AFaf"), "word": _ranges("09AZ__az"),
    "space": _ranges("\t\r  "), "punct": _ranges("!/:@[`{~"),
}  # fmt: skip
_CONTROL = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

# A part of a pattern: given the step that follows, it adds its own and gives the first of them.
Part = Callable[[int], int]


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.here = 0
        self.depth = 0
        self.steps: list[Step] = [Step("match")]

    def wrong(self, why: str) -> ValueError:
        return ValueError(f"{why} at character {self.here + 1} of the pattern")

    def ahead(self, text: str) -> bool:
        """Whether `text` comes next; it is taken then."""
        if self.pattern.startswith(text, self.here):
            self.here += len(text)
            return True
        return False

    def add(self, step: Step) -> int:
        if len(self.steps) >= LARGEST:
            raise ValueError("the pattern is too large: its repetitions multiply")
        self.steps.append(step)
        return len(self.steps) - 1

    def either(self) -> Part:
        """Branches between `|`."""
        branches = [self.row()]
        while self.ahead("|"):
            branches.append(self.row())
        if len(branches) == 1:
            return branches[0]

        def build(following: int) -> int:
            first = branches[-1](following)
            for branch in reversed(branches[:-1]):
                first = self.add(Step("split", branch(following), first))
            return first

        return build

    def row(self) -> Part:
        parts: list[Part] = []
        while self.here < len(self.pattern) and self.pattern[self.here] not in "|)":
            parts.append(self.repeated())

        def build(following: int) -> int:
            for part in reversed(parts):
                following = part(following)
            return following

        return build

    def repeated(self) -> Part:
        part = self.atom()
        times = self.times()
        if times is None:
            return part
        self.ahead("?")  # a lazy one finds the same texts
        if self.times() is not None:
            raise self.wrong("a repetition of a repetition needs a group")
        least, most = times

        def build(following: int) -> int:
            if most is None:
                loop = self.add(Step("split", 0, following))
                self.steps[loop].next = part(loop)
                following = loop
            else:
                end = following
                for _ in range(most - least):
                    following = self.add(Step("split", part(following), end))
            for _ in range(least):
                following = part(following)
            return following

        return build

    def times(self) -> tuple[int, int | None] | None:
        if self.ahead("*"):
            return 0, None
        if self.ahead("+"):
            return 1, None
        if self.ahead("?"):
            return 0, 1
        if not self.ahead("{"):
            return None
        least = self.number()
        most: int | None = least
        if self.ahead(","):
            most = None if self.pattern.startswith("}", self.here) else self.number()
        if not self.ahead("}") or (most is not None and most < least):
            raise self.wrong("a repetition is written {2}, {2,} or {2,5}")
        return least, most

    def number(self) -> int:
        begin = self.here
        while self.here < len(self.pattern) and self.pattern[self.here] in "0123456789":
            self.here += 1
        digits = self.pattern[begin : self.here]
        if not digits or len(digits) > 4 or int(digits) > 1000:
            raise self.wrong("a repetition is a number up to 1000")
        return int(digits)

    def atom(self) -> Part:
        sign = self.pattern[self.here]
        self.here += 1
        match sign:
            case "(":
                return self.group()
            case "[":
                return self.taking(self.bracket())
            case ".":
                return self.taking(_inverse(((10, 10),)))
            case "^":
                return lambda following: self.add(Step("begin", following))
            case "$":
                return lambda following: self.add(Step("end", following))
            case "\\":
                if self.ahead("A"):
                    return lambda following: self.add(Step("begin", following))
                if self.ahead("z"):
                    return lambda following: self.add(Step("end", following))
                return self.taking(self.escape())
            case "*" | "+" | "?" | "{":
                raise self.wrong(f"nothing to repeat before {sign!r}")
        return self.taking(((ord(sign), ord(sign)),))

    def taking(self, ranges: Ranges) -> Part:
        return lambda following: self.add(Step("take", following, ranges=ranges))

    def group(self) -> Part:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(f"groups are nested {DEEPEST} deep at most;")
        if self.ahead("?P<") or (
            self.pattern[self.here : self.here + 3] not in {"?<=", "?<!"} and self.ahead("?<")
        ):
            end = self.pattern.find(">", self.here)
            if not self.pattern[self.here : max(end, 0)].isidentifier():
                raise self.wrong("a named group is written (?P<name>…)")
            self.here = end + 1
        elif self.pattern.startswith("?", self.here) and not self.ahead("?:"):
            raise self.wrong(
                "only (…), (?:…) and (?P<name>…) are groups here, no flags and no looking around;"
            )
        part = self.either()
        if not self.ahead(")"):
            raise self.wrong("')' is missing")
        self.depth -= 1
        return part

    def escape(self) -> Ranges:
        """After a backslash, in a class and outside."""
        sign = self.pattern[self.here : self.here + 1]
        self.here += 1
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign == "x":
            digits = self.pattern[self.here : self.here + 2]
            try:
                code = int(digits, 16) if len(digits) == 2 and digits.isalnum() else int("?")
            except ValueError:
                raise self.wrong(r"a character by its code is written \x2f") from None
            self.here += 2
            return ((code, code),)
        if not sign or (sign.isalnum() and sign not in _CONTROL) or not sign.isascii():
            raise self.wrong(f"unknown escape \\{sign}")
        code = ord(_CONTROL.get(sign, sign))
        return ((code, code),)

    def bracket(self) -> Ranges:
        """A class, after `[`."""
        inverted = self.ahead("^")
        ranges: list[tuple[int, int]] = []
        while not ranges or not self.ahead("]"):  # a "]" that comes first stands for itself
            ranges.extend(self.member())
        return _inverse(tuple(ranges)) if inverted else tuple(ranges)

    def member(self) -> Ranges:
        if self.ahead("[:"):
            end = self.pattern.find(":]", self.here)
            name = self.pattern[self.here : max(end, self.here)]
            if name not in _NAMED:
                raise self.wrong(f"unknown class [:{name}:]")
            self.here = end + 2
            return _NAMED[name]
        low = self.one()
        if len(low) == 1 and low[0][0] == low[0][1] and self.pattern[self.here : self.here + 1] == "-":
            if self.pattern[self.here + 1 : self.here + 2] in {"", "]"}:
                return low
            self.here += 1
            high = self.one()
            if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                raise self.wrong("a range goes from a lower character to a higher one")
            return ((low[0][0], high[0][0]),)
        return low

    def one(self) -> Ranges:
        if self.here >= len(self.pattern):
            raise self.wrong("']' is missing")
        if self.ahead("\\"):
            return self.escape()
        code = ord(self.pattern[self.here])
        self.here += 1
        return ((code, code),)


def program(pattern: str) -> tuple[list[Step], int]:
    """The instructions of `pattern` and the first of them; instruction 0 is the match."""
    if len(pattern) > LONGEST:
        raise ValueError(f"a pattern has {LONGEST} characters at most")
    reader = _Reader(pattern)
    part = reader.either()
    if reader.here < len(pattern):
        raise reader.wrong("')' without '('")
    return reader.steps, part(0)
