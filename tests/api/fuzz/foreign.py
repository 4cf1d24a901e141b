"""Objects of another project, which a member's requests name again and again and may learn nothing of.

In: a server and a model. Out: one object of each type, and a file that `accept` reads in the process of schemathesis.
Invariant: each is as it was made, whatever was asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gluon.export import samples
from gluon.model import types
from gluon.testing.product import GluonServer

ADMIN, MEMBER = "admin-token-of-the-fuzz", "member-token-of-the-fuzz"
OWN = samples.PROJECT
OTHER = "0f7e1d2c-3b4a-4958-8677-a6b5c4d3e2f1"

_TOKENS = f"""
tokens:
  - {{token: {ADMIN}, user: root, roles: [admin]}}
  - {{token: {MEMBER}, user: alice, project: {OWN}, roles: [member, reader]}}
"""


def settings(folder: Path) -> Path:
    """Of a server that knows both by a file of tokens."""
    tokens = folder / "tokens"
    tokens.write_text(_TOKENS, encoding="utf-8")
    tokens.chmod(0o600)
    found = folder / "gluon.toml"
    found.write_text(f'[identity]\nmethods = ["tokens"]\n[tokens]\nfile = "{tokens}"\n', encoding="utf-8")
    return found


class Foreign:
    """`made`: the path of each object, with its ETag and body."""

    def __init__(self, server: GluonServer, model: types.Model) -> None:
        self._server = server
        self.made: dict[str, tuple[str, Any]] = {}
        keys: dict[str, str] = {}
        base = f"/proton/{model.name}/v{model.version}"
        for name, body in samples.creates(model).items():
            kind = model.types[name]
            project = kind.role(types.Role.PROJECT)
            if project is None:
                continue  # what is of no project is everybody's
            wanted = {n: v for n, v in body.items() if n not in {"host_id", "device_id"}} | {project: OTHER}
            status, answer = self._ask("POST", f"{base}/{kind.plural}", wanted)
            assert status == 201, answer
            keys[name] = str(answer[kind.key])
            path = f"{base}/{kind.plural}/{keys[name]}"
            self.made[path] = self._look(path)
        self.told = {
            "project": OTHER,
            "collections": {model.types[n].plural: key for n, key in keys.items()},
            "references": _references(model, keys),
        }

    def write(self, path: Path) -> Path:
        path.write_text(json.dumps(self.told), encoding="utf-8")
        return path

    def check(self) -> None:
        """Nobody has changed any."""
        for path, was in self.made.items():
            assert self._look(path) == was, path

    def _look(self, path: str) -> tuple[str, Any]:
        status, headers, body = self._server.exchange("GET", path, headers={"x-auth-token": ADMIN})
        assert status == 200, body
        return headers["etag"], body

    def _ask(self, verb: str, path: str, body: Any) -> tuple[int, Any]:
        return self._server.request(verb, path, body, headers={"x-auth-token": ADMIN})


def _references(model: types.Model, keys: Mapping[str, str]) -> dict[str, str]:
    """By the name of the attribute."""
    found = {}
    for kind in model.types.values():
        for attribute in kind.references:
            if attribute.reference in keys:
                found[attribute.name] = keys[attribute.reference or ""]
    return found
