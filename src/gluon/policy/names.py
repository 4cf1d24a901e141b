"""What rules are called in files: `net-l2:create_port`, `net-l2:update_port:host_id`.

As in Neutron, behind the proton's name, since several have ports. In: models. Out: names with rules of the models, and
all names that a file may use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gluon.model import types
from gluon.policy.rulebook import Source

GET, CREATE, UPDATE = "get", "create", "update"
SETTING = (CREATE, UPDATE)
"""The actions that set attributes."""


def of_action(api: str, action: str, singular: str) -> str:
    return f"{api}:{action}_{singular}"


def of_attribute(api: str, action: str, singular: str, attribute: str) -> str:
    """`action`: `get`, `create` or `update`."""
    return f"{api}:{action}_{singular}:{attribute}"


def of_model(model: types.Model) -> Iterator[tuple[str, Source]]:
    """All rules that a model gives."""
    for kind in model.types.values():
        place = f"{model.source or model.name}: {kind.name}"
        for action, rule in kind.policies.items():
            yield (
                of_action(model.name, action, kind.singular),
                Source(rule=rule, place=f"{place}.policies.{action}"),
            )
        for attribute in kind.attributes.values():
            for word, rule in attribute.policies.items():
                source = Source(rule=rule, place=f"{place}.{attribute.name}.policies.{word}")
                for action in (GET,) if word == GET else SETTING:
                    yield of_attribute(model.name, action, kind.singular, attribute.name), source


def known(models: Iterable[types.Model]) -> Iterator[str]:
    """All names that mean something here, beside the built-in ones."""
    for model in models:
        for kind in model.types.values():
            for action in kind.policies:
                yield of_action(model.name, action, kind.singular)
            for attribute in kind.attributes:
                for action in (GET, *SETTING):
                    yield of_attribute(model.name, action, kind.singular, attribute)
