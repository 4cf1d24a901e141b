"""Hooks of the loaded models, found among the entry points of the installed packages.

In: models. Out: the code behind each name that they use, and the subscriptions of those after the
commit. Only entry points are taken: a model names code that an operator has installed, nothing else.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any

from gluon.cmd import settings as config
from gluon.model import types
from gluon.spi import hooks


def load(models: Sequence[types.Model]) -> Mapping[str, Any]:
    """The code by name. Raises `SettingsError` naming every hook that no package offers or that cannot be loaded."""
    wanted = _wanted(models)
    if not wanted:
        return {}
    offered = {point.name: point for point in importlib.metadata.entry_points(group=hooks.GROUP)}
    codes: dict[str, Any] = {}
    missing = []
    for name, users in wanted.items():
        if name not in offered:
            missing.append(f"'{name}' of {', '.join(users)}: no installed package offers it")
            continue
        try:
            codes[name] = offered[name].load()
        except Exception as error:  # noqa: BLE001 - code of others: whatever it is, it is said
            missing.append(f"'{name}' of {', '.join(users)}: {offered[name].value} cannot be loaded: {error}")
    if missing:
        listed = "; ".join(missing)
        raise config.SettingsError(f"hooks (entry points of the group {hooks.GROUP}): {listed}")
    return codes


def after(models: Sequence[types.Model], codes: Mapping[str, Any]) -> list[hooks.Subscription]:
    """The hooks that follow the journal, each once, with all object types that name it."""
    followed: dict[str, set[tuple[str, str]]] = {}
    for model in models:
        for kind in model.types.values():
            for name in kind.hooks.get(types.HookPoint.AFTER, ()):
                followed.setdefault(name, set()).add((model.name, kind.name))
    return [
        hooks.Subscription(name=name, types=frozenset(kinds), code=codes[name])
        for name, kinds in followed.items()
    ]


def _wanted(models: Sequence[types.Model]) -> dict[str, list[str]]:
    """Every hook's name, and the object types that name it."""
    found: dict[str, list[str]] = {}
    for model in models:
        for kind in model.types.values():
            names = {name for listed in kind.hooks.values() for name in listed}
            names |= {action.hook for action in kind.actions.values()}
            for name in sorted(names):
                found.setdefault(name, []).append(f"{model.name} {kind.name}")
    return found
