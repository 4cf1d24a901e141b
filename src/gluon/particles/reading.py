"""Values of published objects, taken as they should be: what cannot be read becomes a problem in words.

Called by the views of protons. Never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def parse(to_normal: Callable[[str], str], value: Any, what: str, problems: list[str]) -> str:
    """The normal text of a value, "" for none and for what means nothing."""
    if not value:
        return ""
    try:
        return to_normal(str(value))
    except ValueError as error:
        problems.append(f"{what}: {error}")
        return ""


def parse_all(to_normal: Callable[[str], str], values: Any, what: str, problems: list[str]) -> list[str]:
    """Each of a list, once, in order, without those that mean nothing."""
    made = (parse(to_normal, value, what, problems) for value in items(values))
    return list(dict.fromkeys(text for text in made if text))


def number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def items(value: Any) -> list[Any]:
    """A list, or none."""
    return list(value) if isinstance(value, list | tuple) else []


def mapping(value: Any) -> Mapping[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a list."""
    return (one for one in items(value) if isinstance(one, Mapping))
