"""Who may do what to the objects of each shipped model: every persona, every action, every object type.

Nothing is changed to find out: what is allowed is stopped by a key that is taken (409) or by an ETag of yesterday (412).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gluon
from gluon.export import samples
from gluon.model import loader
from gluon.model.types import Model, ObjectType, Role
from tests.api.personas import OTHER, PERSONAS, World, world

CATALOG = Path(gluon.__file__).parent / "catalog"
SHIPPED = {f"{m.name}-{m.version}": m for m in loader.load_shipped()}
FOLDERS = {
    f"{m.name}-{m.version}": path.parent
    for path in CATALOG.glob("*/api.yaml")
    for m in loader.load([path.parent])
}

Golden = Callable[[str, str], None]
_SAID = {200: "yes", 201: "yes", 204: "yes", 409: "yes", 412: "yes", 403: "no", 404: "unseen"}
_STALE = '"1"'


@pytest.mark.parametrize("name", sorted(SHIPPED))
async def test_who_may_do_what(name: str, golden: Golden, tmp_path: Path) -> None:
    async with world(tmp_path, [FOLDERS[name]]) as running:
        model = SHIPPED[name]
        bodies = samples.creates(model)
        for kind, body in bodies.items():
            await running.made("admin", _path(model, model.types[kind]), body)
        lines = ["type\taction\t" + "\t".join(PERSONAS)]
        for kind, body in bodies.items():
            lines += [f"{kind}\t{line}" for line in await _lines(running, model, model.types[kind], body)]
    golden(f"policy/{name}.tsv", "\n".join(lines) + "\n")


def _path(model: Model, kind: ObjectType) -> str:
    return f"/proton/{model.name}/v{model.version}/{kind.plural}"


async def _lines(running: World, model: Model, kind: ObjectType, body: dict[str, Any]) -> list[str]:
    path = _path(model, kind)
    at = f"{path}/{body[kind.key]}"
    change = samples.changes(kind) or {}
    project = kind.role(Role.PROJECT) or ""
    found = {
        "create": await _each(running, "POST", path, body),
        "create without project": await _each(
            running, "POST", path, {k: v for k, v in body.items() if k != project}
        ),
        "create for another": await _each(running, "POST", path, {**body, project: OTHER}),
        "get": await _each(running, "GET", at),
        "status": await _each(running, "GET", f"{at}/status"),
        "update": await _each(running, "PUT", at, change),
        "give away": await _each(running, "PUT", at, {project: OTHER}, stale=False),
        "delete": await _each(running, "DELETE", at),
    }
    rows = ["\t".join([action, *said]) for action, said in found.items()]
    counts, hidden = [], []
    for who in PERSONAS:
        listed = await running.ask(who, "GET", path)
        counts.append(str(len(listed.body[kind.plural])) if listed.status == 200 else _SAID[listed.status])
        shown = await running.ask(who, "GET", at)
        left = [n for n in kind.attributes if n not in shown.body] if shown.status == 200 else []
        hidden.append(",".join(left) or "-")
    rows += ["\t".join(["list", *counts]), "\t".join(["hidden", *hidden])]
    for attribute in kind.attributes.values():
        if "set" in attribute.policies:
            said = await _each(running, "PUT", at, {attribute.name: "{}"}, stale=False)
            made = await _each(running, "POST", path, {**body, attribute.name: "{}"})
            rows += [
                "\t".join([f"set {attribute.name}", *said]),
                "\t".join([f"create with {attribute.name}", *made]),
            ]
    return rows


async def _each(
    running: World, method: str, target: str, body: dict[str, Any] | None = None, *, stale: bool = True
) -> list[str]:
    said = []
    for who in PERSONAS:
        more = {"if-match": _STALE} if stale and method in ("PUT", "DELETE") else {}
        answer = await running.ask(who, method, target, body, more)
        said.append(_SAID.get(answer.status) or f"{answer.status} {answer.body['code']}")
    return said
