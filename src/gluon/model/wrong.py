"""What an acceptor says of a value that breaks the rule of its attribute.

`Wrong` is one broken rule of one value, `Several` what is wrong inside a list, map or object; `fields` makes
field problems of both. Lowest of the acceptors' files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Acceptor = Callable[[Any], Any]

MOST_PROBLEMS = 100
"""Of one body; more of them would help nobody."""

_UNWIELDY = 10**100


class Wrong(ValueError):
    """A value breaks the rule of its attribute: `rule` ends "<attribute>: <value> …", `why` is the original's."""

    def __init__(self, code: str, rule: str, *, hint: str = "", why: str = "") -> None:
        super().__init__(rule)
        self.code = code
        self.rule = rule
        self.hint = hint
        self.why = why


class Absent(Wrong):
    """There is no value where one is required."""

    def __init__(self, hint: str) -> None:
        super().__init__("required", "is no value, and one is required", hint=hint)


@dataclass(frozen=True, slots=True)
class Part:
    """One broken rule inside a nested value: `path` leads there, `value` stands there."""

    path: tuple[str, ...]
    value: object
    wrong: Wrong


class Several(Wrong):
    """What is wrong inside a nested value, with every place; `rule` tells the first."""

    def __init__(self, parts: Sequence[Part]) -> None:
        first = parts[0]
        where = "/".join(first.path)
        super().__init__(
            first.wrong.code, f"at {where}: '{shown(first.value)}' {first.wrong.rule}", hint=first.wrong.hint
        )
        self.parts = tuple(parts)


def parts_of(value: object, wrong: Wrong) -> Sequence[Part]:
    """The broken rules behind a `Wrong`, each with its place below `value`."""
    return wrong.parts if isinstance(wrong, Several) else (Part((), value, wrong),)


def shown(value: object) -> str:
    """A value as messages show it: short, and always encodable; of nested ones only that they are."""
    if isinstance(value, dict | list):
        return ("{…}" if isinstance(value, dict) else "[…]") if value else str(value)
    if isinstance(value, int) and abs(value) >= _UNWIELDY:
        return f"an integer of {value.bit_length()} bits"
    given = str(value)
    if len(given) > 100:
        given = f"{given[:100]}…"
    return given.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
