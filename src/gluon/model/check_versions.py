"""Several versions of one proton: which is stored, and whether what it says of the others fits them.

In: all models of a load. Out: the stored one of each name with the others beside it. Whether a
conversion can be undone is for `gluon.versions`: one that cannot is read only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from gluon.model import declare_versions as declared
from gluon.model import resolve
from gluon.model.facts import Fact
from gluon.model.problems import Problems, suggest

Family = tuple[resolve.Model, tuple[resolve.Model, ...]]
"""The model that is stored, and those served from its objects."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_WAYS = "write the name here, or one of is, join, split and fixed"


def families(models: Sequence[resolve.Model], problems: Problems) -> list[Family]:
    """The models by name. Names must differ as names of tables do; of several versions one says how to convert."""
    by_name: dict[str, list[resolve.Model]] = {}
    for model in models:
        if model.info is not None and model.info.name is not None and model.info.version is not None:
            folded = model.info.name.value.lower().replace("-", "_").replace(".", "_")
            by_name.setdefault(folded, []).append(model)
    return [_family(same, problems) for same in by_name.values()]


def _family(same: list[resolve.Model], problems: Problems) -> Family:
    stored = next((m for m in same if m.versions), same[0])
    others = tuple(m for m in same if m is not stored)
    seen: dict[str, resolve.Model] = {_version(stored): stored}
    for other in others:
        _check_other(stored, other, seen, problems)
    for version in stored.versions.values():
        if version.name not in seen or version.name == _version(stored):
            hint = "give the file of that version as well, or leave the entry out"
            problems.add(version.mark, f"there is no model {_name(stored)} {version.name}", hint)
        else:
            _check_version(version, stored, seen[version.name], problems)
    return stored, others


def _check_other(
    stored: resolve.Model, other: resolve.Model, seen: dict[str, resolve.Model], problems: Problems
) -> None:
    assert other.info
    assert other.info.name
    assert other.info.version
    name, version = _name(other), _version(other)
    first = seen.setdefault(version, other)
    if _name(stored) != name:
        message = f"the names {_name(stored)} and {name} are too alike"
        problems.add(other.info.name.mark, message, "rename one")
    elif first is not other:
        hint = f"the other one is in {first.source}: change the name, or leave one out"
        problems.add(other.info.name.mark, f"a second model {name} {version}", hint)
    elif other.versions:
        mark = next(iter(other.versions.values())).mark
        hint = f"only the stored version says how others convert; {_version(stored)} in {stored.source} does"
        problems.add(mark, f"two versions of {name} want to be the stored one", hint)
    elif version not in stored.versions:
        hint = (
            f"version {_version(stored)} is in {stored.source}: leave one out, or let the newer one say "
            f'how the older is made of it: versions: {{"{version}": {{…}}}}'
        )
        problems.add(other.info.version.mark, f"another version, {version}, of {name}", hint)


def _check_version(
    version: declared.Version, stored: resolve.Model, other: resolve.Model, problems: Problems
) -> None:
    for fact, key in ((version.deprecated, "deprecated"), (version.sunset, "sunset")):
        if fact is not None and not _is_date(fact.value):
            problems.add(fact.mark, f"{key}: {fact.value!r} is no date", "write it like 2027-06-30")
    for name, said in version.types.items():
        there = other.types.get(name)
        if there is None:
            hint = suggest(name, other.types)
            problems.add(said.mark, f"version {version.name} has no object type {name}", hint)
            continue
        here = stored.types.get(said.name.value if said.name else name)
        if here is None:
            mark, called = (said.name.mark, said.name.value) if said.name else (said.mark, name)
            message = f"this version has no object type {called}"
            problems.add(mark, message, f"write is: NAME; {suggest(called, stored.types)}")
            continue
        for attribute, origin in said.attributes.items():
            _check_origin(attribute, origin, there, here, problems)


def _check_origin(
    name: str,
    origin: declared.Origin,
    there: resolve.ObjectType,
    here: resolve.ObjectType,
    problems: Problems,
) -> None:
    if name not in there.attributes:
        problems.add(
            origin.mark, f"{there.name} has no attribute {name} there", suggest(name, there.attributes)
        )
    ways = [w for w in (origin.renamed, origin.join, origin.split, origin.fixed) if w is not None]
    if len(ways) != 1:
        problems.add(origin.mark, f"{name} says {len(ways)} times where its value is", _WAYS)
    if (origin.join or origin.split) and origin.by is None:
        problems.add(origin.mark, f"{name}: `by` is missing", 'write what stands between the parts: by: "/"')
    if origin.split and (origin.part is None or origin.part.value < 0):
        problems.add(origin.mark, f"{name}: `part` is missing", "number the parts from 0")
    if origin.values and origin.renamed is None:
        problems.add(origin.mark, f"{name}: values need `is`", "write is: NAME beside them")
    for target in _targets(origin):
        if target.value not in here.attributes:
            hint = suggest(target.value, here.attributes)
            problems.add(target.mark, f"{here.name} has no attribute {target.value} here", hint)


def _targets(origin: declared.Origin) -> Iterator[Fact[str]]:
    if origin.renamed:
        yield origin.renamed
    if origin.split:
        yield origin.split
    yield from origin.join.value if origin.join else ()


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _name(model: resolve.Model) -> str:
    return model.info.name.value if model.info and model.info.name else ""


def _version(model: resolve.Model) -> str:
    return model.info.version.value if model.info and model.info.version else ""
