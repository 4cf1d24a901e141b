"""The words of `gluon policy …`: arguments in, a call of `policy_work` out. Imported by every command, so it imports little."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from gluon.cli import login

Settings = Callable[..., Any]

_RULES = (
    click.option("--config", "file", metavar="FILE", help="TOML file of settings; flags win over it."),
    click.option(
        "--model",
        "models",
        multiple=True,
        metavar="PATH",
        help="Models instead of the shipped ones; repeatable.",
    ),
    click.option("--policy", metavar="FILE", help="Rules that win over those of the models."),
)


def _rules(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_RULES):
        command = option(command)
    return command


def group(settings: Settings) -> click.Group:
    """The commands. `settings` makes the settings of what the options say."""

    @click.group("policy")
    def policy() -> None:
        """Who may do what: list the rules, explain an answer, check a file."""

    @policy.command("list")
    @click.argument("part", default="")
    @_rules
    def _list(part: str, file: str | None, models: tuple[str, ...], policy: str | None) -> None:
        """All rules with the place that each comes from; with PART those whose names have it in them."""
        from gluon.cmd import policy_work

        sys.exit(policy_work.listed(settings(file, models=models, policy=policy), part))

    @policy.command("explain")
    @click.argument("rule")
    @click.option("--role", "roles", multiple=True, help="A role of the caller; repeatable.")
    @click.option("--project", help="The caller's project.")
    @click.option("--user", default="somebody", help="The caller's user id.")
    @click.option("--object", "key", metavar="KEY", help="An object of the running server.")
    @click.option(
        "--target", multiple=True, metavar="NAME=VALUE", help="An attribute of the object; repeatable."
    )
    @_rules
    @click.option(
        "--host", envvar="OS_PROTON_HOST", show_envvar=True, help="Server (127.0.0.1), for --object."
    )
    @click.option(
        "--port", envvar="OS_PROTON_PORT", type=click.IntRange(1, 65535), show_envvar=True, help="Its port."
    )
    @login.options
    def _explain(rule: str, file: str | None, **given: Any) -> None:
        """What RULE answers a caller about an object, and why.

        RULE is a name of `gluon policy list`, such as net-l2:update_port or net-l2:update_port:host_id. Without
        --object and --target the object is one of the caller's project. Ends with 0 if it is allowed, 1 if not.
        """
        from gluon.cmd import policy_work

        asked = {name: given.pop(name) for name in ("roles", "project", "user", "key", "target")}
        sys.exit(policy_work.explain(settings(file, **given), rule, **asked))

    @policy.command("check")
    @click.argument("path")
    @_rules
    def _check(path: str, file: str | None, models: tuple[str, ...], policy: str | None) -> None:
        """What is wrong with the policy file at PATH, for the models that are served.

        Ends with 0 if all is good, 1 if there are problems. --policy is not read.
        """
        from gluon.cmd import policy_work

        sys.exit(policy_work.check(settings(file, models=models, policy=policy), path))

    return policy
