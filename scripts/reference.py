"""Writes `docs/reference` from the code: one page a shipped model, one of all settings, of all commands, of all errors, and the
model language as a page and as a JSON Schema.

`./dev docs` calls it. With --check nothing is written, and the exit status says whether all pages are as they should be.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from gluon.export import errors_page, markdown
from gluon.model import language, loader, manual

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
MADE = "<!-- Written by ./dev docs; changes made by hand are lost. -->\n\n"


def pages() -> dict[str, str]:
    """Text by file name."""
    made: dict[str, str] = {}
    for model in loader.load_shipped():
        name = f"{model.name}.md"
        made[f"{model.name}-{model.version}.md" if name in made else name] = markdown.page(model)
    made["settings.md"] = settings_page()
    made["commands.md"] = "".join(commands_page())
    made["errors.md"] = errors_page.markdown()
    made["model.md"] = manual.page()
    schema = json.dumps(language.schema(), indent=2, ensure_ascii=False) + "\n"
    return {name: MADE + text for name, text in made.items()} | {"model.schema.json": schema}


def settings_page() -> str:
    command = [sys.executable, "-c", "from gluon.cmd.main import main; main()", "config", "sample"]
    sample = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    intro = "What `gluon config sample` prints. `--config FILE` reads it; a flag on the command line wins.\n"
    return f"# Settings\n\n{intro}\n```toml\n{sample.strip()}\n```\n"


def commands_page() -> Iterator[str]:
    from gluon.cmd import main  # noqa: PLC0415  # every command's room, and --help must not pay for it

    yield "# Commands\n\nOf `gluon`. Those of `protonclient` are made from a model: `protonclient --api NAME --help`.\n\n"
    yield from help_texts(click.Context(main.cli, info_name="gluon"))


def help_texts(context: click.Context) -> Iterator[str]:
    context.max_content_width = context.terminal_width = 100
    yield f"## {context.command_path}\n\n```\n{context.command.get_help(context)}\n```\n\n"
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command and not command.hidden:
                yield from help_texts(click.Context(command, parent=context, info_name=name))


def main(arguments: list[str]) -> int:
    made = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    # a page without the mark was written by hand
    there = {name: text for name, text in there.items() if name in made or text.startswith(MADE)}
    if "--check" in arguments:
        different = sorted(name for name in made | there if made.get(name) != there.get(name))
        print("\n".join(f"docs/reference/{name} is not as ./dev docs would write it" for name in different))
        return 1 if different else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in there.keys() - made.keys():
        (FOLDER / name).unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
