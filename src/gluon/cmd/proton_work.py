"""What `gluon proton` does: the protons of a running server, by its API like any other client.

In: a server's address, a PATH of a model. Out: what the server did, in words; exit status 0, 1 where it
refused, 2 for wrong usage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gluon import errors
from gluon.cli import output
from gluon.client import http
from gluon.cmd import operate
from gluon.cmd import settings as config
from gluon.model import describe, loader


def listed(server: config.Api, *, as_json: bool) -> int:
    """All protons, a line each, or what the server says of them."""
    try:
        with operate.connect(server) as client:
            facts = client.facts("/gluon/v1/protons", "protons")
    except http.ClientError as error:
        return operate.fail(error)
    if as_json:
        output.document(facts)
        return 0
    if "loaded" not in facts:
        click.echo("gluon: who has loaded which protons is told to operators", err=True)
        return 1
    rows = []
    for one in facts["loaded"]:
        versions = ", ".join([one["version"], *one["versions"]])
        rows.append((one["name"], versions, one["by"], one["at"][:19]))
    output.table(("PROTON", "VERSIONS", "LOADED BY", "AT (UTC)"), rows)
    behind = [name for name, epoch in facts["processes"].items() if epoch < facts["epoch"]]
    if behind:
        click.echo(f"late: {', '.join(sorted(behind))}", err=True)
    return 0


def load(server: config.Api, path: str, *, replace: bool) -> int:
    """Send the model at a path; its problems are told with their places before anything is sent."""
    try:
        models = loader.load([Path(path)])
    except errors.ModelError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return 1
    if len(models) != 1:
        click.echo(f"{path} has {len(models)} protons: name the folder or file of one", err=True)
        return 1
    model = models[0]
    texts = {
        f"{m.name}-{m.version}.yaml": describe.dump(m) for m in (model, *(v.model for v in model.versions))
    }
    target = f"/gluon/v1/protons/{model.name}" if replace else "/gluon/v1/protons"
    try:
        with operate.connect(server) as client:
            method = "PUT" if replace else "POST"
            done = client.facts(target, "late", method=method, body={"files": texts})
    except http.ClientError as error:
        return operate.fail(error)
    return _said(f"{model.name} {model.version} is {'replaced' if replace else 'loaded'}", done)


def retire(server: config.Api, name: str, *, force: bool) -> int:
    """Serve a proton no more."""
    try:
        with operate.connect(server) as client:
            path = http.object_path("/gluon/v1/protons", name)
            path += "?force=true" if force else ""
            done = client.facts(path, "late", method="DELETE")
    except http.ClientError as error:
        return operate.fail(error)
    return _said(f"{name} is retired", done)


def _said(what: str, done: Any) -> int:
    click.echo(what)
    if done["late"]:
        click.echo(f"not yet on {', '.join(done['late'])}", err=True)
    return 0
