"""`gluon changes`: plan, apply, list, show and undo change sets of a running server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

Options = Callable[[Callable[..., None]], Callable[..., None]]
Settings = Callable[..., Any]

_JSON = click.option("--json", "as_json", is_flag=True, help="What the server answers, as JSON.")


def group(options: Options, settings: Settings) -> click.Group:
    """The commands. `options` name the server, `settings` makes its settings of what they say."""

    @click.group("changes")
    def changes() -> None:
        """Many changes in one commit: plan them, apply them, look at what was done, undo it."""

    @changes.command("plan")
    @click.argument("source", metavar="FILE|-")
    @_JSON
    @options
    def _plan(source: str, *, as_json: bool, **given: Any) -> None:
        """Show what the change set in FILE (YAML or JSON) would do; the plan can be applied for an hour."""
        from gluon.cmd import change_work

        sys.exit(change_work.plan(_server(settings, **given), source, as_json=as_json))

    @changes.command("apply")
    @click.argument("what", metavar="PLAN|FILE|-")
    @_JSON
    @options
    def _apply(what: str, *, as_json: bool, **given: Any) -> None:
        """Do what a plan has shown, or the change set in FILE at once."""
        from gluon.cmd import change_work

        sys.exit(change_work.apply(_server(settings, **given), what, as_json=as_json))

    _history(changes, options, settings)
    return changes


def _server(settings: Settings, file: str | None, host: str | None, port: int | None) -> Any:
    return settings(file, host=host, port=port).api


def _history(changes: click.Group, options: Options, settings: Settings) -> None:
    """The commands for what was done."""

    @changes.command("list")
    @click.option("--who", help="Only those of this user.")
    @click.option("--project", help="Only those of this project.")
    @click.option("--since", metavar="TIME", help="Only those since then, such as 2026-01-31T12:00Z.")
    @click.option("--api", help="Only those that changed objects of this proton.")
    @click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
    @_JSON
    @options
    def _list(*, as_json: bool, file: str | None, host: str | None, port: int | None, **filters: Any) -> None:
        """What was done by change sets, the newest first."""
        from gluon.cmd import change_work

        sys.exit(change_work.listed(_server(settings, file, host, port), filters, as_json=as_json))

    @changes.command("show")
    @click.argument("name", metavar="ID")
    @_JSON
    @options
    def _show(name: str, *, as_json: bool, **given: Any) -> None:
        """One change set with its objects before and after it, or a plan."""
        from gluon.cmd import change_work

        sys.exit(change_work.show(_server(settings, **given), name, as_json=as_json))

    @changes.command("undo")
    @click.argument("name", metavar="ID")
    @click.option("--plan", "planned", is_flag=True, help="Only show what would be done.")
    @_JSON
    @options
    def _undo(name: str, *, planned: bool, as_json: bool, **given: Any) -> None:
        """Take a change set back, if nobody has changed its objects since."""
        from gluon.cmd import change_work

        sys.exit(change_work.undo(_server(settings, **given), name, planned=planned, as_json=as_json))
