"""The versions in which a backend may be shown the objects of a proton, as facts that travel through etcd.

In: a model. Out: `told`, plain data beside the model in etcd; and from that `Form`s, which turn an object as
stored into one of another version. A version is offered only if every object has a place in it: nothing that it
requires is missing, no value changes its type or has no name there. Called by `cmd` (for etcd and the arbiter) and
the shim engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gluon.model import conversions as facts
from gluon.model import types, written
from gluon.versions import converter

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An object type there. `down` makes its body of a stored one; what is not in that is not in this."""

    name: str
    kind: str
    down: Callable[[Body], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One version. `types` by name in the stored version; objects of other types have no place there."""

    version: str
    types: Mapping[str, Shown] = field(default_factory=dict)


def offered(model: types.Model) -> tuple[str, ...]:
    """The versions that backends may be shown, the stored one first."""
    return (model.version, *(v.model.version for v in model.versions if not losses(v, model)))


def told(model: types.Model) -> dict[str, Any]:
    """For each version offered beside the stored one its types, and where each attribute's value is here."""
    found: dict[str, Any] = {}
    for version in model.versions:
        if losses(version, model):
            continue
        found[version.model.version] = {
            name: {
                "is": version.here(name).name,
                "kind": there.kind.value,
                "attributes": {
                    a: written.origin(o) for a, o in converter.origins(there, version.here(name)).items()
                },
            }
            for name, there in version.model.types.items()
            if version.here(name).name in model.types
        }
    return found


def forms(document: Mapping[str, Any]) -> dict[str, Form]:
    """What `told` said, by version. Raises `ValueError` for what is no such thing."""
    try:
        return {
            str(version): Form(
                version=str(version),
                types={str(said["is"]): _shown(str(name), said) for name, said in of_types.items()},
            )
            for version, of_types in document.items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no conversions of a model: {error!r}") from error


def losses(version: types.Version, model: types.Model) -> list[str]:
    """Why objects of the stored version cannot all be shown in this one."""
    found = []
    taken: dict[str, str] = {}
    for name, there in version.model.types.items():
        said = version.here(name)
        here = model.types.get(said.name)
        if here is None:
            continue
        if (other := taken.setdefault(said.name, name)) != name:
            found.append(f"{other} and {name} are both {said.name}")
        found += [f"{name}.{a} {why}" for a, why in _lost(there, here, said)]
    return found


def _lost(
    there: types.ObjectType, here: types.ObjectType, said: facts.TypeFacts
) -> Iterator[tuple[str, str]]:
    for name, origin in converter.origins(there, said).items():
        theirs = there.attributes[name]
        ours = [here.attributes.get(target) for target in converter.targets(origin)]
        if None in ours:
            if theirs.required or not theirs.nullable:
                yield name, "has no place in the stored version"
        elif isinstance(origin, facts.Renamed) and ours[0] is not None:
            if theirs.value_type is not ours[0].value_type:
                yield name, f"is {theirs.value_type} there and {ours[0].value_type} in the stored version"
            elif not _alike(theirs, ours[0]):
                yield name, "holds other values than in the stored version"
            elif theirs.values and (strange := _strange(theirs, ours[0], origin)):
                yield name, f"has no value for {', '.join(strange)}"


def _alike(theirs: types.Attribute, ours: types.Attribute) -> bool:
    """Whether nested values are made of the same."""
    if theirs.value_type is not ours.value_type or theirs.members.keys() != ours.members.keys():
        return False
    inner = [(m, ours.members[name]) for name, m in theirs.members.items()]
    if theirs.items is not None and ours.items is not None:
        inner.append((theirs.items, ours.items))
    return all(_alike(one, other) for one, other in inner)


def _strange(theirs: types.Attribute, ours: types.Attribute, origin: facts.Renamed) -> list[str]:
    """The values here that none there stands for."""
    known = {origin.values.get(value, value) for value in theirs.values}
    return [value for value in ours.values if value not in known]


def _shown(name: str, said: Mapping[str, Any]) -> Shown:
    origins = {a: _origin(o) for a, o in said["attributes"].items()}
    givers = [(a, converter.targets(origins[a]), give) for a, give in converter.givers(origins).items()]
    server_set = converter.SERVER_SET

    def down(body: Body) -> dict[str, Any]:
        found = {a: give(body) for a, needs, give in givers if not needs or any(n in body for n in needs)}
        found.update((n, body[n]) for n in server_set if n in body)
        return found

    return Shown(name=name, kind=str(said.get("kind", "")), down=down)


def _origin(said: Any) -> facts.Origin:
    if isinstance(said, str):
        return facts.Renamed(name=said)
    if "is" in said:
        return facts.Renamed(name=said["is"], values=dict(said.get("values", {})))
    if "join" in said:
        return facts.Joined(names=tuple(said["join"]), by=said["by"])
    if "split" in said:
        return facts.Part(name=said["split"], by=said["by"], index=int(said["part"]))
    return facts.Fixed(value=said["fixed"])
