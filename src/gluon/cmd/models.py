"""`gluon model …`: designers' view of model files. Nothing is served.

In: words of the command line. Out: text on standard output, problems on standard error, and the exit code: 0 done,
1 something is wrong (the models, or there is none of that name). Called by `model_commands` and `aliases`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from gluon import errors
from gluon.export import json_schema, markdown, openapi, skeleton
from gluon.model import describe, language, loader, types
from gluon.particles import tables
from gluon.store import script

OPENAPI, JSON_SCHEMA, SQL, MARKDOWN = "openapi", "json-schema", "sql", "markdown"

_WIDEST = 160


def check(paths: Sequence[str], *, as_json: bool = False) -> int:
    """Print every problem, or what was found good. 0 good, 1 problems."""
    models: tuple[types.Model, ...] = ()
    problems: tuple[errors.ModelProblem, ...] = ()
    try:
        models = loader.load([Path(p) for p in paths], shape=True)
    except errors.ModelError as error:
        problems = error.problems
    if as_json:
        click.echo(_pretty({"models": [_good(m) for m in models], "problems": [_bad(p) for p in problems]}))
        return 1 if problems else 0
    texts: dict[str, list[str]] = {}
    for problem in problems:
        _tell(problem, texts)
    if problems:
        files = len({p.file for p in problems})
        click.echo(f"{_count(len(problems), 'problem')} in {_count(files, 'file')}", err=True)
        return 1
    for model in models:
        names = ", ".join(model.types)
        click.echo(f"{model.source or model.name}: {model.name} {model.version} is good: {names}")
    return 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _good(model: types.Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "file_version": model.file_version,
        "source": model.source,
        "types": list(model.types),
    }


def _bad(problem: errors.ModelProblem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "hint": problem.hint,
    }


def _tell(problem: errors.ModelProblem, texts: dict[str, list[str]]) -> None:
    """Where it is, what it is, the line with a mark under the place, and the cure. `texts`: the files read so far."""
    place = f"{problem.file}:{problem.line}:{problem.column}: "
    click.echo(click.style(place, bold=True) + problem.message, err=True)
    line = _line(problem, texts)
    if line:
        number = str(problem.line)
        click.echo(f"  {number} | {line}", err=True)
        mark = click.style("^", fg="red", bold=True)
        # tabs stay tabs, so that the mark stands under its place
        before = "".join(c if c == "\t" else " " for c in line[: problem.column - 1])
        click.echo(f"  {' ' * len(number)} | {before}{mark}", err=True)
    if problem.hint:
        click.echo(f"  {click.style('hint', fg='green')}: {problem.hint}", err=True)


def _line(problem: errors.ModelProblem, texts: dict[str, list[str]]) -> str:
    """The line of the file, nothing where it would not help."""
    if (problem.line, problem.column) == (1, 1):  # the whole file is meant
        return ""
    if problem.file not in texts:
        texts[problem.file] = _lines(problem.file)
    lines = texts[problem.file]
    line = lines[problem.line - 1].rstrip() if problem.line <= len(lines) else ""
    fits = problem.column <= _WIDEST and line.replace("\t", " ").isprintable()
    return line[:_WIDEST] if fits else ""


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def show(where: str | None, name: str | None, *, as_json: bool = False) -> int:
    """Print the merged models (one by name). 0 shown, 1 not found or wrong."""
    found = _models(where, name)
    if not found:
        return 1
    if as_json:
        described = [describe.describe(m) for m in found]
        click.echo(_pretty(described[0] if len(described) == 1 else described))
    else:
        click.echo("---\n".join(describe.dump(m) for m in found), nl=False)
    return 0


def docs(where: str, name: str | None, output: str | None) -> int:
    """Write the reference page of one model."""
    return _write(where, name, output, markdown.page)


def export(where: str, name: str | None, kind: str, database: str, output: str | None) -> int:
    """Write one model as something else."""
    made: dict[str, Callable[[types.Model], str]] = {
        OPENAPI: lambda m: _pretty(openapi.document(m)) + "\n",
        JSON_SCHEMA: lambda m: _pretty(json_schema.document(m)) + "\n",
        SQL: lambda m: script.script(tables.tables_of([m]), database),
        MARKDOWN: markdown.page,
    }
    return _write(where, name, output, made[kind])


def _write(where: str, name: str | None, output: str | None, make: Callable[[types.Model], str]) -> int:
    found = _models(where, name)
    if len(found) > 1:
        names = ", ".join(_called(m) for m in found)
        click.echo(f"gluon: there are several models, name one of them: {names}", err=True)
    if len(found) != 1:
        return 1
    text = make(found[0])
    if output is None:
        click.echo(text, nl=False)
    else:
        Path(output).write_text(text, encoding="utf-8")
    return 0


def _models(where: str | None, name: str | None) -> list[types.Model]:
    """What is meant: a path, or the name of a shipped model; `name` is one of those at the path."""
    if where is not None and Path(where).exists():
        models = loader.load([Path(where)])
        found = [m for m in models if name in (None, m.name, _called(m))]
    else:
        models = loader.load_shipped()
        name = name or where
        # the version that is served comes first, others are asked for by name and version
        served = dict.fromkeys(m.name for m in models)
        found = [next(m for m in models if m.name == n) for n in served if name in (None, n)]
        found = found or [m for m in models if name == _called(m)]
    if not found:
        there = ", ".join(_called(m) for m in models) or "none"
        click.echo(f"gluon: no model '{name}' here; there are: {there}", err=True)
    return found


def _called(model: types.Model) -> str:
    return f"{model.name}/v{model.version}"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def schema(version: str | None) -> int:
    """Print the JSON Schema of the language, of one version or of whatever a file says it is."""
    click.echo(_pretty(_language(version)))
    return 0


def _language(version: str | None) -> dict[str, Any]:
    whole = language.schema()
    if version is None:
        return whole
    kept = {key: part for key, part in whole.items() if key not in {"if", "then", "else"}}
    definitions = {n: part for n, part in whole["$defs"].items() if n.endswith(f"-{version}")}
    return {
        **kept,
        "properties": {"file_version": {"enum": [version, float(version)]}},
        "$ref": f"#/$defs/file-{version}",
        "$defs": definitions,
    }


def new(name: str, folder: str) -> int:
    """Make `folder/name/api.yaml`. 1 where there is something already."""
    place = Path(folder) / name
    file = place / "api.yaml"
    try:
        place.mkdir(parents=True)
        file.write_text(skeleton.text(name), encoding="utf-8")
        (place / skeleton.SCHEMA).write_text(json.dumps(language.schema()) + "\n", encoding="utf-8")
    except FileExistsError:
        click.echo(f"gluon: {place} is there already; nothing was written", err=True)
        return 1
    path = shlex.quote(str(place))
    steps = {
        f"gluon model check {path}": "tells every mistake",
        f"gluon up --model {path}": "serves it",
        f"gluon model docs {path}": "writes its reference page",
    }
    click.echo(f"{file} is a model that works; change it as you like.")
    width = max(len(step) for step in steps)
    for step, what in steps.items():
        click.echo(f"  {step:{width}}  {what}")
    return 0


def names(paths: Sequence[str] = ()) -> list[str]:
    """The names of the models, for the original's `gluon-api-tool list`."""
    models = loader.load([Path(p) for p in paths]) if paths else loader.load_catalog()
    return list(dict.fromkeys(m.name for m in models))
