"""The help of every `protonclient` command of a model, without a server."""

import click

from gluon.cli import commands
from gluon.model import describe, types


def text(model: types.Model) -> str:
    described = describe.describe(model)
    parts = []
    for name in commands.names(described):
        command = commands.make(described, name)
        assert command is not None
        context = click.Context(command, info_name=f"protonclient --api {model.name} {name}")
        context.max_content_width = context.terminal_width = 110
        parts.append(command.get_help(context))
    return "\n\n".join(parts) + "\n"
