"""`gluon model diff`, `gluon db plan` and `gluon db upgrade`: from words to models, a store and a plan.

Out: text on standard output, reasons on standard error, and the exit code. Called by `db_commands`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gluon import errors
from gluon import store as stores
from gluon.cmd import engines, handover
from gluon.cmd import settings as config
from gluon.evolve import diff as differences
from gluon.evolve import runner, survey, words, work
from gluon.evolve.changes import Change, Impact, heaviest
from gluon.evolve.plan import Plan
from gluon.model import loader
from gluon.model.types import Model
from gluon.store import address
from gluon.values.text import shown

_EXIT = {None: 0, Impact.COMPATIBLE: 1, Impact.VALIDATION: 2, Impact.MIGRATION: 2, Impact.REFUSED: 3}
_WRONG = 4

GRACE = 3.0
"""Seconds that servers have to go over to the new models before what they read is dropped."""


def diff(old: str, new: str, *, as_json: bool) -> int:
    """Print the differences of two models, or of all models in two folders."""
    try:
        before, after = ({m.name: m for m in loader.load([Path(p)])} for p in (old, new))
    except errors.ModelError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return _WRONG
    if len(before) == len(after) == 1:
        pairs: list[tuple[Model | None, Model | None]] = [(*before.values(), *after.values())]  # type: ignore[list-item]
    else:
        pairs = [(before.get(name), after.get(name)) for name in dict.fromkeys([*after, *before])]
    found = [(one, other, _differences(one, other)) for one, other in pairs]
    if as_json:
        click.echo(_json({"models": [_facts(*one) for one in found]}))
    else:
        for one, other, changes in found:
            click.echo(f"{_name(one)} → {_name(other)}")
            for line in words.lines(changes):
                click.echo(f"  {line}")
    return max((_EXIT[heaviest(changes)] for _, _, changes in found), default=0)


def _differences(old: Model | None, new: Model | None) -> list[Change]:
    if old is not None and new is not None:
        return list(differences.diff(old, new))
    if new is not None:
        return [
            Change(aspect="added", new=new.name, impact=Impact.COMPATIBLE, reason="it has no objects yet")
        ]
    return [
        Change(
            aspect="removed",
            old=_name(old),
            impact=Impact.COMPATIBLE,
            reason="its objects stay in the database",
            breaking=True,
        )
    ]


def _name(model: Model | None) -> str:
    return f"{model.name} {model.version}" if model else "none"


def _facts(old: Model | None, new: Model | None, changes: Sequence[Change]) -> dict[str, Any]:
    impact = heaviest(list(changes))
    return {
        "old": _name(old),
        "new": _name(new),
        "impact": impact.value if impact else None,
        "changes": [c.facts() for c in changes],
    }


def plan(settings: config.Settings, *, drop: bool, as_json: bool) -> int:
    """Print the steps to the models of these settings."""

    async def look(database: stores.SqlStore) -> int:
        found = await survey.survey(database, handover.load_models(settings), drop=drop, thorough=True)
        if as_json:
            click.echo(_json(words.facts(found)))
        else:
            _show(found)
        return 1 if found.refused else 0

    _require_stored(settings)
    return _with_store(settings, look)


def _require_stored(settings: config.Settings) -> None:
    """To look at a file that is not there would make it. Raises `SettingsError`."""
    found = address.parse(config.database_url(settings))
    if found.dialect == "sqlite" and not Path(found.path).exists():
        raise config.SettingsError(
            f"there is no database {found.path}: give the --config, --database or --data of the server"
        )


def upgrade(settings: config.Settings, *, drop: bool, yes: bool) -> int:
    """Take the steps."""

    async def take(database: stores.SqlStore) -> int:
        found = await survey.survey(database, handover.load_models(settings), drop=drop, thorough=True)
        if found.refused:
            _show(found)
            return 1
        if found.steps:
            _show(found)
            question = (
                "Take these steps, and drop for good what nothing uses then?" if drop else "Take these steps?"
            )
            if not yes and not click.confirm(question):
                return 1
            try:
                epoch = await runner.Runner(database, found, others=engines.TABLES, say=_say).run()
            except work.Stopped as stopped:
                many = "1 stored object does" if stopped.count == 1 else f"{stopped.count} stored objects do"
                click.echo(f"{many} not fit; the old models go on to serve:", err=True)
                for problem in (*stopped.problems, *stopped.more):
                    click.echo(shown(problem), err=True)
                click.echo("change these objects or the model, and run it again", err=True)
                return 1
            except errors.Conflict as conflict:
                if conflict.code != "repeated":
                    raise
                click.echo("stored objects do not fit; the old models go on to serve:", err=True)
                click.echo(shown(str(conflict)), err=True)
                click.echo(shown(conflict.hint), err=True)
                return 1
            click.echo(f"the database has the new models: epoch {epoch}")
        else:
            _show(found)
        return await _drop(database, drop=drop, waited=not found.steps)

    return _with_store(settings, take)


async def _drop(database: stores.SqlStore, *, drop: bool, waited: bool) -> int:
    models = await survey.recorded(database)
    if not models:
        return 0
    left = await runner.left(database, models)
    if left and not drop:
        click.echo(f"nothing uses {', '.join(left)} any more: gluon db upgrade --drop drops what is left")
    if left and drop:
        if not waited:
            await asyncio.sleep(GRACE)
        click.echo(f"dropped {', '.join(await runner.drop(database, models))}")
    return 0


def _with_store(settings: config.Settings, job: Any) -> int:
    where = config.database_url(settings)

    async def main() -> int:
        database = stores.open(where, stores.Settings(references=False))
        try:
            code: int = await job(database)
            return code
        finally:
            await database.close()

    try:
        return asyncio.run(main())
    except errors.ModelError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
    except errors.MigrationRefused as refused:
        for reason in refused.reasons:
            click.echo(f"gluon: {reason}", err=True)
    return 1


def _show(found: Plan) -> None:
    for line in words.steps(found):
        click.echo(shown(line))


def _say(text: str) -> None:
    click.echo(text)


def _json(value: Any) -> str:
    return shown(json.dumps(value, indent=2, ensure_ascii=False), lines=True)
