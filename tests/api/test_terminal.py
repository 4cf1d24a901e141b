"""What members have written reaches the operator's terminal as no order and makes no line of its own, whichever command tells of it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gluon.cmd.main import cli
from tests.api.personas import world

EVIL = "x\x9b31m\u202e\nforged"
MODEL = """
file_version: "2.0"
imports: base-2.0
info: {{name: net-shop, version: "2.0", description: Shelves and books.}}
objects:
  Shelf:
    api: {{name: shelf, plural_name: shelves}}
    attributes:
      name: {{type: string, length: 60, primary: true}}
      project_id: {{type: uuid, required: true, role: project}}
  Book:
    api: {{name: book, plural_name: books}}
    attributes:
      name: {{type: string, length: 60, primary: true}}
      project_id: {{type: uuid, required: true, role: project}}
      shelf: {{type: Shelf}}
      code: {{type: string, length: {length}}}
"""


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A folder with a database, and a model that its objects do not fit."""
    for name, length in (("served", 30), ("narrow", 3)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "api.yaml").write_text(MODEL.format(length=length), encoding="utf-8")

    async def fill() -> None:
        async with world(tmp_path, [tmp_path / "served"]) as site:
            base = "/proton/net-shop/v2.0"
            await site.made("member", f"{base}/shelves", {"name": EVIL})
            await site.made("member", f"{base}/books", {"name": EVIL, "shelf": EVIL, "code": EVIL})

    asyncio.run(fill())
    return tmp_path


def said(folder: Path, *words: str) -> Result:
    result = CliRunner().invoke(cli, [*words, "--data", str(folder)])
    lines = result.output.splitlines()
    assert all(line.isprintable() for line in lines), result.output
    assert not [line for line in lines if line.startswith("forged")], result.output
    assert "\\u009b31m" in result.output, result.output
    return result


def test_an_upgrade_that_is_stopped(stored: Path) -> None:
    assert said(stored, "db", "upgrade", "--yes", "--model", str(stored / "narrow")).exit_code == 1


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_check_that_finds_something(stored: Path, style: str) -> None:
    with closing(sqlite3.connect(stored / "gluon.db")) as database:
        database.execute('DELETE FROM "net_shop_Shelf"')
        database.commit()
    model = str(stored / "served")
    assert said(stored, "db", "check", "--format", style, "--model", model).exit_code == 3


@pytest.mark.parametrize("style", ["text", "json"])
def test_the_journal(stored: Path, style: str) -> None:
    assert said(stored, "audit", "--format", style).exit_code == 0
