"""What rules are called in files: `net-l2:create_port`, `net-l2:update_port:host_id`.

As in Neutron, behind the proton's name, since several have ports. In: models. Out: names with rules of the models, and
whether a name means anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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


def means(models: Mapping[str, types.Model], name: str) -> bool:
    """Whether a name is that of a rule about objects or attributes of these models, by their names."""
    api, _, rest = name.partition(":")
    model = models.get(api)
    if model is None:
        return False
    rest, _, attribute = rest.partition(":")
    for kind in model.types.values():
        action = rest.removesuffix(f"_{kind.singular}")
        if action != rest and (
            (attribute in kind.attributes and action in (GET, *SETTING))
            if attribute
            else action in kind.policies
        ):
            return True
    return False
