"""The functions of rules: how each is written, what types it takes and gives, and what it does.

`FUNCTIONS` is the one table: `parser` asks it for the form, `checker` for the types, `compiler` for the deed, the
reference page has an entry for each. A deed is called with the evaluation first; it spends a step for every 32
characters or for every item that it touches.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gluon.expressions import addresses, matching, shapes
from gluon.expressions.problems import Unfit, suggest
from gluon.expressions.shapes import BOOL, DOUBLE, INT, STRING, Kind, Shape
from gluon.expressions.values import LISTS, Env, is_number, plain, spend, whole


class Mismatch(Exception):
    """Argument `index` has the wrong type; `expected` says which it has to be."""

    def __init__(self, index: int, expected: str) -> None:
        super().__init__(expected)
        self.index = index
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """`method`/`function`: may be written `a.f(b)`/`f(a, b)`. `least`, `most`: arguments, the target included."""

    name: str
    form: str
    least: int
    most: int
    method: bool = True
    function: bool = True
    judge: Callable[[Sequence[Shape]], Shape]
    run: Callable[..., Any]


def misuse(name: str, count: int, *, method: bool) -> tuple[str, str]:
    """What is wrong with a call of `name` with so many arguments, and the cure; two empty texts: nothing."""
    function = FUNCTIONS.get(name)
    if function is None:
        hint = _HABITS.get(name) or suggest(
            name, [*FUNCTIONS, "has", "all", "exists", "exists_one", "filter", "map"]
        )
        return f"unknown function {name!r}", hint
    if not (function.method if method else function.function):
        return f"{name} is written {function.form}", ""
    if not function.least <= count <= function.most:
        return f"wrong number of arguments: {name} is written {function.form}", ""
    return "", ""


_HABITS = {
    "len": "the length is size(x)",
    "length": "the length is size(x)",
    "count": "the length is size(x)",
    "startswith": "did you mean 'startsWith'?",
    "endswith": "did you mean 'endsWith'?",
    "lowerAscii": "did you mean 'lower'?",
    "upperAscii": "did you mean 'upper'?",
    "str": "did you mean 'string'?",
    "float": "did you mean 'double'?",
    "any": "did you mean 'exists'?",
    "uint": "integers are of 64 bits with a sign: int(x)",
}


def _text(env: Env, value: Any) -> str:
    value = plain(value)
    if value.__class__ is str:
        spend(env, 1 + (len(value) >> 5))
        return str(value)
    raise Unfit("null is no text" if value is None else "a text is needed")


def _list(env: Env, value: Any) -> Sequence[Any]:
    if isinstance(value, LISTS):
        spend(env, 1 + len(value))
        return value
    raise Unfit("null is no list" if value is None else "a list is needed")


def _size(env: Env, value: Any) -> int:
    value = plain(value)
    if isinstance(value, (str, list, tuple, Mapping)):
        return len(value)
    raise Unfit("null has no size" if value is None else "size needs a text, a list or a map")


def _contains(env: Env, text: Any, part: Any) -> bool:
    return _text(env, part) in _text(env, text)


def _starts(env: Env, text: Any, part: Any) -> bool:
    if text.__class__ is str and part.__class__ is str:
        env[0] -= 1
        return bool(text.startswith(part))
    return _text(env, text).startswith(_text(env, part))


def _ends(env: Env, text: Any, part: Any) -> bool:
    return _text(env, text).endswith(_text(env, part))


def _matches(env: Env, text: Any, pattern: matching.Pattern) -> bool:
    """The compiler hands over the pattern compiled."""
    return pattern.search(env, _text(env, text))


def _lower(env: Env, text: Any) -> str:
    return _text(env, text).lower()


def _upper(env: Env, text: Any) -> str:
    return _text(env, text).upper()


def _string(env: Env, value: Any) -> str:
    value = plain(value)
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ is float:
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value) if value.__class__ is int else _text(env, value)


_WHOLE = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII).fullmatch
_DOUBLE = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII).fullmatch


def _int(env: Env, value: Any) -> int:
    value = plain(value)
    if value.__class__ is int:
        return int(value)
    if value.__class__ is float:
        if not math.isfinite(value):
            raise Unfit("a double that is not finite is no integer")
        return whole(int(value))
    if not _WHOLE(_text(env, value)):
        raise Unfit("a text is no integer")
    return whole(int(value))


def _double(env: Env, value: Any) -> float:
    value = plain(value)
    if is_number(value):
        return float(value)
    if not _DOUBLE(_text(env, value)):
        raise Unfit("a text is no number")
    return float(value)


def _numbers(env: Env, values: tuple[Any, ...]) -> Sequence[Any]:
    """Of a list, or the arguments themselves."""
    numbers = _list(env, values[0]) if len(values) == 1 and not is_number(values[0]) else values
    for number in numbers:
        if not is_number(number):
            raise Unfit("null is no number" if number is None else "numbers are needed")
    return numbers


def _sum(env: Env, values: Any) -> int | float:
    numbers = _numbers(env, (values,))
    if all(n.__class__ is int for n in numbers):
        return whole(sum(numbers))
    return float(sum(numbers))


def sum_of_doubles(env: Env, values: Any) -> float:
    """`sum` where the type is known to be double."""
    return float(sum(float(n) for n in _numbers(env, (values,))))


def _min(env: Env, *values: Any) -> Any:
    numbers = _numbers(env, values)
    if not numbers:
        raise Unfit("an empty list has no least number")
    return min(numbers)


def _max(env: Env, *values: Any) -> Any:
    numbers = _numbers(env, values)
    if not numbers:
        raise Unfit("an empty list has no greatest number")
    return max(numbers)


def _range(env: Env, value: Any) -> addresses.Range:
    found = addresses.address_or_prefix(_text(env, value))
    if found is None:
        raise Unfit("a text is neither an address nor a prefix")
    return found


def _prefix(env: Env, value: Any) -> addresses.Range:
    found = addresses.prefix(_text(env, value))
    if found is None:
        raise Unfit("a text is no prefix")
    return found


def _within(env: Env, part: Any, prefix: Any) -> bool:
    spend(env, 8)
    family, first, last = _range(env, part)
    other, low, high = _prefix(env, prefix)
    return family == other and low <= first and last <= high


def _overlaps(env: Env, a: Any, b: Any) -> bool:
    spend(env, 8)
    family, first, last = _range(env, a)
    other, low, high = _range(env, b)
    return family == other and first <= high and low <= last


def _family(env: Env, value: Any) -> int:
    spend(env, 4)
    return _range(env, value)[0]


def _takes(*kinds: Kind, gives: Shape, expected: str = "") -> Callable[[Sequence[Shape]], Shape]:
    """Every argument is of one of `kinds`."""
    words = expected or " or ".join(kinds)

    def judge(arguments: Sequence[Shape]) -> Shape:
        for index, argument in enumerate(arguments):
            if argument.value.kind not in {*kinds, Kind.ANY}:
                raise Mismatch(index, words)
        return gives

    return judge


def _sum_of(arguments: Sequence[Shape]) -> Shape:
    (argument,) = arguments
    items = argument.items.value if argument.items else None
    if argument.kind is Kind.LIST and items and items.kind in {*shapes.NUMBERS, Kind.ANY}:
        return DOUBLE if items.kind is Kind.DOUBLE else INT
    raise Mismatch(0, "list of int or list of double")


def _one_of(arguments: Sequence[Shape]) -> Shape:
    if len(arguments) == 1:
        return _sum_of(arguments)
    kinds = {a.value.kind for a in arguments}
    for index, argument in enumerate(arguments):
        if argument.value.kind not in shapes.NUMBERS:
            raise Mismatch(index, "int or double")
    return INT if kinds == {Kind.INT} else DOUBLE


_OF_TEXT = _takes(Kind.STRING, gives=BOOL)

_TABLE = (
    Function(
        name="size", form="size(x) or x.size()", least=1, most=1, run=_size,
        judge=_takes(Kind.STRING, Kind.LIST, Kind.MAP, gives=INT, expected="a string, a list or a map"),
    ),
    Function(name="contains", form="text.contains(part)", least=2, most=2, function=False, judge=_OF_TEXT, run=_contains),
    Function(name="startsWith", form="text.startsWith(part)", least=2, most=2, function=False, judge=_OF_TEXT, run=_starts),
    Function(name="endsWith", form="text.endsWith(part)", least=2, most=2, function=False, judge=_OF_TEXT, run=_ends),
    Function(name="matches", form='text.matches("pattern")', least=2, most=2, judge=_OF_TEXT, run=_matches),
    Function(name="lower", form="text.lower()", least=1, most=1, judge=_takes(Kind.STRING, gives=STRING), run=_lower),
    Function(name="upper", form="text.upper()", least=1, most=1, judge=_takes(Kind.STRING, gives=STRING), run=_upper),
    Function(
        name="string", form="string(x)", least=1, most=1, method=False, run=_string,
        judge=_takes(Kind.STRING, Kind.INT, Kind.DOUBLE, Kind.BOOL, gives=STRING),
    ),
    Function(
        name="int", form="int(x)", least=1, most=1, method=False, run=_int,
        judge=_takes(Kind.INT, Kind.DOUBLE, Kind.STRING, gives=INT),
    ),
    Function(
        name="double", form="double(x)", least=1, most=1, method=False, run=_double,
        judge=_takes(Kind.INT, Kind.DOUBLE, Kind.STRING, gives=DOUBLE),
    ),
    Function(name="sum", form="sum(list) or list.sum()", least=1, most=1, judge=_sum_of, run=_sum),
    Function(name="min", form="min(list), list.min() or min(a, b, …)", least=1, most=16, judge=_one_of, run=_min),
    Function(name="max", form="max(list), list.max() or max(a, b, …)", least=1, most=16, judge=_one_of, run=_max),
    Function(name="within", form="within(address_or_prefix, prefix)", least=2, most=2, method=False, judge=_OF_TEXT, run=_within),
    Function(name="overlaps", form="overlaps(prefix, prefix)", least=2, most=2, method=False, judge=_OF_TEXT, run=_overlaps),
    Function(
        name="family", form="family(address_or_prefix)", least=1, most=1, method=False, run=_family,
        judge=_takes(Kind.STRING, gives=INT),
    ),
)  # fmt: skip

FUNCTIONS: Mapping[str, Function] = {f.name: f for f in _TABLE}
