"""Values at run time: references that read on demand, equality and order across types, and the budget.

Values are plain Python: str, int, float, bool, None, list, dict; beside them `Ref`. What is called with `env` is
part of an evaluation; `env[0]` is the number of steps left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gluon.expressions.problems import Exhausted, Failed

Env = list[Any]
Read = Callable[[Env], Any]

STEPS = 100_000
"""Steps of one evaluation: tens of milliseconds at the most."""

READ = 50
"""Steps for an object that a reference leads to: an evaluation reads some 2,000 objects at most."""

PLAIN = frozenset({int, str, float, bool})
LISTS = (list, tuple)

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


class Ref:
    """A reference to an object: compares and hashes as its key, and reads the object when a member is asked for.

    `fetch` is called with the key, once; it gives the object's values, or None where there is no such object.
    """

    __slots__ = ("_fetch", "_object", "key")

    def __init__(self, key: str | int, fetch: Callable[[Any], Mapping[str, Any] | None]) -> None:
        self.key = key
        self._fetch: Callable[[Any], Mapping[str, Any] | None] | None = fetch
        self._object: Mapping[str, Any] | None = None

    def __eq__(self, other: object) -> bool:
        return self.key == (other.key if isinstance(other, Ref) else other)

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"Ref({self.key!r})"

    def read(self, env: Env) -> Mapping[str, Any] | None:
        """The object referred to."""
        if self._fetch is not None:
            spend(env, READ)
            self._object = self._fetch(self.key)
            self._fetch = None
        return self._object


def spend(env: Env, steps: int) -> None:
    """Take from the budget; an evaluation that has none left ends here."""
    env[0] -= steps
    if env[0] < 0:
        raise Exhausted("the rule takes too many steps")


def plain(value: Any) -> Any:
    """A reference's key, every other value as it is."""
    return value.key if value.__class__ is Ref else value


def is_number(value: Any) -> bool:
    return value.__class__ is int or value.__class__ is float


def whole(value: int) -> int:
    """An integer of 64 bits."""
    if _LOWEST <= value <= _HIGHEST:
        return value
    raise Failed("an integer exceeds 64 bits")


def same(env: Env, a: Any, b: Any) -> bool:
    """Equality: numbers of both types with each other, everything else with its own type; deep."""
    a, b = plain(a), plain(b)
    if a is None or b is None:
        return a is b
    if a.__class__ is b.__class__ and a.__class__ in PLAIN:
        return bool(a == b)
    if is_number(a) and is_number(b):
        return bool(a == b)
    if isinstance(a, LISTS) and isinstance(b, LISTS):
        if len(a) != len(b):
            return False
        spend(env, len(a))
        return all(same(env, x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if len(a) != len(b):
            return False
        spend(env, len(a))
        return all(k in b and same(env, v, b[k]) for k, v in a.items())
    return False


def among(env: Env, value: Any, values: Any) -> bool:
    """`value in values`: an item of a list, or a key of a map."""
    if isinstance(values, LISTS):
        value = plain(value)
        if value.__class__ is str or value.__class__ is int:
            fast = not values or values[0].__class__ is not Ref
            spend(env, 1 + (len(values) >> 5 if fast else len(values)))
            if value not in values:
                return False
            if value not in {0, 1}:
                return True
            # Python's == holds for all that is equal here, and beside it for 1 and true, 0 and false.
            spend(env, len(values) >> 4)
            return any(one == value and one.__class__ is not bool for one in values)
        spend(env, len(values))
        return any(same(env, value, one) for one in values)
    if isinstance(values, Mapping):
        value = plain(value)
        return value.__class__ is str and value in values
    raise Failed(
        "'in' needs a list or a map on its right, not null"
        if values is None
        else "'in' needs a list or a map"
    )


def ordered(a: Any, b: Any) -> tuple[Any, Any] | None:
    """Both as values that Python compares in the same way, or None where they have no order."""
    a, b = plain(a), plain(b)
    if a.__class__ is b.__class__ and a.__class__ in PLAIN:
        return a, b
    return (a, b) if is_number(a) and is_number(b) else None


def items_of(value: Any) -> Iterable[Any]:
    """What a macro goes through: the items of a list, the keys of a map."""
    if isinstance(value, (*LISTS, Mapping)):
        return value
    raise Failed("null has no items" if value is None else "a macro needs a list or a map")
