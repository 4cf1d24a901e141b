"""Paths such as `subnets.cidr`: from an attribute down through lists, maps and nested objects.

Called by the checks of pools, rules and the Neutron face.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gluon.model.declare_attributes import Attribute
from gluon.model.facts import Fact
from gluon.model.problems import Problems, suggest

is_path = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*").fullmatch


def follow(
    path: Fact[str], attributes: Mapping[str, Attribute], what: str, problems: Problems
) -> Attribute | None:
    """The attribute at the end of `path`, below lists and maps; None where there is none (noted)."""
    here: Mapping[str, Attribute] = attributes
    found: Attribute | None = None
    for number, name in enumerate(path.value.split(".")):
        found = here.get(name)
        if found is None:
            above = path.value.split(".")[:number]
            message = f"{what} {path.value!r} is no attribute of the object type"
            if "." in path.value:
                where = f"attribute of {'.'.join(above)}" if above else "attribute of the object type"
                message = f"{what} {path.value!r}: {name!r} is no {where}"
            problems.add(path.mark, message, _hint(name, here, above))
            return None
        while found.items:
            found = found.items
        here = found.attributes or {}
    return found


def _hint(name: str, known: Iterable[str], above: list[str]) -> str:
    names = list(known)
    if above and not names:
        return f"{'.'.join(above)} has no attributes of its own"
    return suggest(name, names)
