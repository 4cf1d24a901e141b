"""What the server says of its protons in the words of others: made once, then kept.

In: a model, the registry that serves it, and who asks. Out: the bytes of its OpenAPI document, as it is for him: callers
of whom the rules say the same have the same one. Called by `routes`. What writes documents is loaded when the first is
asked for: most processes never are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gluon.model import types
from gluon.objects import codec
from gluon.proton import registry
from gluon.spi import policy
from gluon.spi.policy import Scope

if TYPE_CHECKING:
    from gluon.export.openapi import Edition
    from gluon.export.personal import Eyes, May

_OWN = (Scope.OWN, Scope.OWN_ROWS, Scope.NOTHING)


class _Asked:
    """A model, how it is served and to whom, as a key of the cache: a model is what it says."""

    __slots__ = ("edition", "eyes", "key", "model")

    def __init__(self, model: types.Model, edition: Edition | None, eyes: Eyes) -> None:
        self.model = model
        self.edition = edition
        self.eyes = eyes
        self.key = (model.digest, edition, eyes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=64)
def _openapi(asked: _Asked) -> bytes:
    from gluon.export import openapi, personal

    return codec.encode(personal.of(openapi.document(asked.model, asked.edition), asked.model, asked.eyes))


@lru_cache(maxsize=1)
def own() -> bytes:
    """The OpenAPI document of what is no proton's."""
    from importlib import metadata

    from gluon.export import own

    return codec.encode(own.document(metadata.version("gluon")))


def openapi(
    model: types.Model, known: registry.Registry, rules: policy.Policy, caller: policy.Caller
) -> bytes:
    """The OpenAPI document of a model, of a version that is not stored too."""
    from gluon.export.openapi import Edition

    served = known.editions.get((model.name, f"v{model.version}"))
    edition = None
    if served is not None:
        edition = Edition(
            deprecated=any(e.version.deprecated for e in served.values()),
            read_only=frozenset(e.type.name for e in served.values() if e.why),
            absent=frozenset(model.types) - {e.type.name for e in served.values()},
            unnested=frozenset(e.type.name for e in served.values() if e.parent_key is None),
            stored="".join({e.resource.model.digest: None for e in served.values()}),
            answered={e.type.name: e.turn.answered() for e in served.values()},
        )
    stored = {e.type.name: e.resource for e in served.values()} if served else {}
    return _openapi(_Asked(model, edition, _eyes(model, stored, rules, caller)))


def _eyes(
    model: types.Model,
    stored: Mapping[str, registry.Resource],
    rules: policy.Policy,
    caller: policy.Caller,
) -> Eyes:
    """`stored`: of a version that is not, what its types are made of. Rules are about those, whatever attributes are called
    in the version; so if any may be hidden, any of its own may."""
    from gluon.export.personal import Eyes

    found = []
    for name, kind in model.types.items():
        if resource := stored.get(name):
            may = _may(rules.of(resource.api, resource.name), resource.type, caller)
            hidden = frozenset(kind.attributes) if may.hidden else may.hidden
            may = replace(may, hidden=hidden, unset=frozenset(), unchanged=frozenset())
        else:
            may = _may(rules.of(model.name, name), kind, caller)
        found.append((name, may))
    return Eyes(tuple(found))


def _may(access: policy.Access, kind: types.ObjectType, caller: policy.Caller) -> May:
    from gluon.export.personal import May

    def never(action: str, attribute: str = "") -> bool:
        return access.scope(action, caller, attribute) is Scope.NOTHING

    def hidden(attribute: str) -> bool:
        scope = access.scope("get", caller, attribute)
        own = scope is Scope.OWN and access.scope("get", caller) in _OWN
        return scope is not Scope.ALL and not own

    names = [name for name in kind.attributes if name != kind.key]
    return May(
        owns=caller.project is not None,
        hidden=frozenset(filter(hidden, names)),
        unset=frozenset(name for name in names if never("create", name)),
        unchanged=frozenset(name for name in names if never("update", name)),
        never=frozenset(filter(never, kind.policies)),
    )
