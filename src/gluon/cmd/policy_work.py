"""`gluon policy`: the rules of models and of a file, shown and tried without a server.

In: settings, what is asked. Out: text on standard output, problems on standard error, the exit status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gluon.client import http
from gluon.cmd import operate, policies
from gluon.cmd import settings as config
from gluon.model import loader, types
from gluon.policy import names
from gluon.policy.engine import Engine
from gluon.policy.explain import Part
from gluon.policy.explain import explain as explained
from gluon.policy.rulebook import PolicyError, Source
from gluon.spi.policy import Caller, normal_project
from gluon.values.text import shown


def _models(settings: config.Settings) -> Sequence[types.Model]:
    paths = [Path(path) for path in settings.models.paths]
    return loader.load(paths) if paths else loader.load_catalog()


def _engine(settings: config.Settings) -> tuple[Sequence[types.Model], Engine]:
    """Raises `SettingsError`."""
    models, path = _models(settings), settings.policy.file
    try:
        return models, Engine(models, policies.read(path) if path else None)
    except PolicyError as error:
        raise config.SettingsError(f"policy file {path} cannot be used:\n{error}") from error


def listed(settings: config.Settings, part: str) -> int:
    _, rules = _engine(settings)
    found = {name: s for name, s in sorted(rules.rules.book.sources.items()) if part in name}
    width = max((len(name) for name in found), default=0)
    texts = {name: _text(source) for name, source in found.items()}
    wide = min(60, max(map(len, texts.values()), default=0))
    for name, source in found.items():
        click.echo(f"{name:<{width}}  {texts[name]:<{wide}}  {source.place}")
    for problem in rules.problems:
        click.echo(f"gluon: {problem}", err=True)
    if not found:
        click.echo(f"gluon: no rule has {part!r} in its name", err=True)
    return 0 if found else 1


def check(settings: config.Settings, path: str) -> int:
    models = _models(settings)
    try:
        rules = Engine(models, policies.read(path))
    except PolicyError as error:
        for problem in error.problems:
            click.echo(problem)
        return 1
    for problem in rules.problems:
        click.echo(problem)
    if not rules.problems:
        apis = ", ".join(f"{m.name} {m.version}" for m in models)
        click.echo(f"{path} is good for {apis}")
    return 1 if rules.problems else 0


def explain(
    settings: config.Settings,
    rule: str,
    *,
    roles: Sequence[str],
    project: str | None,
    user: str,
    key: str | None,
    target: Sequence[str],
) -> int:
    """Print why. 0: allowed."""
    models, rules = _engine(settings)
    who = Caller(user=user, project=project, roles=frozenset(roles))
    who = Caller(user=user, project=project, roles=who.roles, admin=rules.is_admin(who))
    asked = _asked(models, rule)
    if rule not in rules.rules.book.sources and asked is None:
        raise config.SettingsError(f"there is no rule {rule}; see `gluon policy list`")
    try:
        found = _target(settings, asked, who, key, target)
    except http.ClientError as error:
        return operate.fail(error)
    told = f"roles {', '.join(sorted(who.roles)) or 'none'}, project {who.project or 'none'}"
    click.echo(f"caller: {told}{', who may do everything' if who.admin else ''}")
    about = ", ".join(f"{n}={v}" for n, v in found.items() if v is not None)
    click.echo(shown(f"object: {about or 'unknown'}"))
    verdicts = [_show(rules, name, who, found) for name in _needed(asked, rule, rules)]
    allowed = who.admin or all(verdicts)
    click.echo("allowed" if allowed else f"not allowed{_as_what(asked, verdicts)}")
    return 0 if allowed else 1


class _Asked:
    """What a rule's name means: an action on objects of a type, or on an attribute of it."""

    def __init__(
        self, model: types.Model, kind: types.ObjectType, action: str, attribute: str | None
    ) -> None:
        self.model, self.kind, self.action, self.attribute = model, kind, action, attribute

    def name(self, action: str) -> str:
        return names.of_action(self.model.name, action, self.kind.singular)


def _asked(models: Sequence[types.Model], rule: str) -> _Asked | None:
    """None: a rule that is of no object type."""
    attribute = rule.split(":")[2] if rule.count(":") == 2 else None
    for model in models:
        for kind in model.types.values():
            if attribute is not None and attribute not in kind.attributes:
                continue
            for action in kind.policies:
                asked = _Asked(model, kind, action, attribute)
                if rule == asked.name(action) + (f":{attribute}" if attribute else ""):
                    return asked
    return None


def _needed(asked: _Asked | None, rule: str, rules: Engine) -> list[str]:
    """All rules that must be true, the object's reading first."""
    if asked is None:
        return [rule]
    found = [] if asked.action == "create" else [asked.name("get")]
    found += [] if asked.action == "get" else [asked.name(asked.action)]
    if asked.attribute is not None:
        named = names.of_attribute(asked.model.name, asked.action, asked.kind.singular, asked.attribute)
        found += [named] if named in rules.rules.book.sources else []
    return found


def _as_what(asked: _Asked | None, verdicts: Sequence[bool]) -> str:
    if asked is None:
        return ""
    if asked.action != "create" and not verdicts[0]:
        return ": the caller may not read it, so it answers 404 as if it did not exist"
    if asked.action == "get":
        return ": it is left out of bodies"
    return ": 403"


def _show(rules: Engine, name: str, who: Caller, target: Mapping[str, Any]) -> bool:
    part = explained(rules.rules.book, name, who, target)
    click.echo()
    for depth, one in part.lines():
        if depth == 0:
            click.echo(f"{_word(one)} {name}  ({one.place or 'nowhere'})")
        else:
            click.echo(shown(f"{_word(one)} {'  ' * depth}{one.text}{_more(one)}"))
    return part.holds


def _word(part: Part) -> str:
    return "yes" if part.holds else "no "


def _more(part: Part) -> str:
    told = [text for text in (part.place, part.note) if text]
    return f"  ({'; '.join(told)})" if told else ""


def _text(source: Source) -> str:
    if isinstance(source.rule, str):
        return source.rule or "@"
    return str([list(way) if not isinstance(way, str) else way for way in source.rule])


def _target(
    settings: config.Settings, asked: _Asked | None, who: Caller, key: str | None, given: Sequence[str]
) -> dict[str, Any]:
    """The object as rules see it. Raises `ClientError`, or `SettingsError` for options that mean nothing."""
    found: dict[str, Any] = {"project_id": who.project}
    if key is not None:
        if asked is None:
            raise config.SettingsError("--object: the rule is of no object type")
        model, kind = asked.model, asked.kind
        with operate.connect(settings.api) as client:
            collection = f"/proton/{model.name}/v{model.version}/{kind.plural}"
            found = dict(client.facts(http.object_path(collection, key), kind.key))
        found.setdefault("project_id", found.get(kind.role(types.Role.PROJECT) or ""))
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise config.SettingsError(f"--target {text}: write NAME=VALUE")
        found["project_id" if name == "tenant_id" else name] = value
    project = found.get("project_id")
    found["project_id"] = normal_project(project) if project else None
    if found["project_id"] is None and asked is not None and asked.action in ("get", "list"):
        found["project_id"] = who.project  # what is shared is everybody's to read
    return found | {"tenant_id": found["project_id"]}
