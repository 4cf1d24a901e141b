"""What other tools get of each model: a difference is meant, or it is a mistake."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gluon.export import json_schema, markdown, openapi
from gluon.model import loader
from gluon.particles import tables
from gluon.store import script
from tests.golden import client_help

DATA = Path(__file__).parents[1] / "data" / "models"
MODELS = {f"{m.name}-{m.version}": m for m in (*loader.load_shipped(), *loader.load([DATA]))}

Golden = Callable[[str, str], None]

pytestmark = pytest.mark.parametrize("name", sorted(MODELS))


def pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def test_openapi(name: str, golden: Golden) -> None:
    golden(f"export/{name}/openapi.json", pretty(openapi.document(MODELS[name])))


def test_json_schema(name: str, golden: Golden) -> None:
    golden(f"export/{name}/schema.json", pretty(json_schema.document(MODELS[name])))


@pytest.mark.parametrize("database", sorted(script.DATABASES))
def test_the_tables(name: str, database: str, golden: Golden) -> None:
    golden(f"export/{name}/{database}.sql", script.script(tables.tables_of([MODELS[name]]), database))


def test_the_reference_page(name: str, golden: Golden) -> None:
    golden(f"export/{name}/reference.md", markdown.page(MODELS[name]))


def test_the_commands(name: str, golden: Golden) -> None:
    golden(f"export/{name}/protonclient.txt", client_help.text(MODELS[name]))
