"""The interface that is made with a port is judged: once where all are alike, each where they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gluon import errors
from gluon.arbiter import assign, ledger
from gluon.model import loader
from gluon.policy.engine import Engine
from gluon.proton import registry, service
from gluon.spi import policy, store
from tests.unit.proton.parts import Nobody

PROJECT = "7a1f7d4e-0e13-4d5c-9f24-e0f6d9b6f3a1"
MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-judged, version: "1.0", description: Interfaces with rules., author: {name: Test}}
objects:
  Port:
    extends: BasePort
    description: A port.
    api: {name: port, plural_name: ports}
  Interface:
    extends: BaseInterface
    description: An interface.
    api: {name: interface, plural_name: interfaces}
    attributes:
      port_id: {type: Port, on_delete: cascade}
    checks:
      - {rule: RULE, message: no such interface}
"""


class View:
    """An empty database. What a port refers to is the port itself, so nothing is asked for."""

    revision, now, incarnation = 1, "2026-11-21T10:11:12.131415", "i"

    def get(self, table: str, *key: store.Value) -> None:
        return None

    def rows(self, table: str, columns: object, values: object) -> tuple[()]:
        return ()


def made(folder: Path, rule: str, *names: str) -> list[Any]:
    """Which ports are made, in turn."""
    place = folder / "net-judged"
    place.mkdir()
    (place / "api.yaml").write_text(MODEL.replace("RULE", f'"{rule}"'), encoding="utf-8")
    models = loader.load([place])
    port = registry.Registry(models).made["net-judged"]["Port"]
    given: list[Any] = []

    class Queue:
        def hand(self, unit: store.Unit, project: str, answer: object) -> None:
            given.append(unit)

    books = ledger.Ledger(assign.Assigner(Nobody(), {}))
    actions = service.Service(None, Engine(models), books, None, Queue())  # type: ignore[arg-type]
    caller = policy.Caller(user="u", admin=True)
    answer: Any = None
    for name in names:
        body = {"project_id": PROJECT, "name": name}
        actions.begin(actions.context(port, caller, "req"), body, answer)
    told: list[Any] = []
    for unit in given:
        try:
            told.append(len(unit.decide(View()).entries))
        except errors.Rejected as refusal:
            told.append(type(refusal))
    return told


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("self.segmentation_id == 0", [2, 2, 2]),
        ("self.segmentation_type == 'vlan'", [errors.Conflict] * 3),
        ("self.name != 'b_default'", [2, errors.Conflict, 2]),
        ("!has(self.name) || self.name.size() < 30", [2, 2, 2]),
    ],
)
def test_each_keeps_its_rules(tmp_path: Path, rule: str, told: list[Any]) -> None:
    assert made(tmp_path, rule, "a", "b", "c") == told
