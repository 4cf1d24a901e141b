"""Every model that passes the checks has tables in every database: the widest that do."""

from functools import cache
from pathlib import Path

import pytest

from gluon import errors
from gluon.model import loader
from gluon.testing.product import GluonServer

KINDS = {
    "Words": "{type: enum, values: [a, b]}",
    "Texts": "{type: string, length: 100}",
    "Longs": "{type: string, length: 4000}",
    "Numbers": "{type: number}",
    "Lists": "{type: list, items: {type: string}}",
    "Links": "{type: Words}",
    "Found": "{type: string, indexed: true}",
    "Single": "{type: integer, unique: true}",
}


def model(counts: dict[str, int]) -> str:
    def object_type(name: str, count: int) -> str:
        attributes = "".join(f"      a{n}: {KINDS[name]}\n" for n in range(count))
        return f"  {name}:\n    extends: BaseObject\n    api: {{name: {name.lower()}, plural_name: {name}}}\n    attributes:\n{attributes}"

    types = "".join(object_type(name, count) for name, count in counts.items())
    return f'file_version: "2.0"\nimports: base-2.0\ninfo: {{name: wide, version: "1"}}\nobjects:\n{types}'


def taken(text: str) -> bool:
    try:
        loader.load_texts({"wide": text})
    except errors.ModelError:
        return False
    return True


@cache
def most(name: str) -> int:
    """How many attributes of a kind one type may have."""
    least, beyond = 1, 2000
    while beyond - least > 1:
        middle = (least + beyond) // 2
        counts = {"Words": 1, name: middle}
        least, beyond = (middle, beyond) if taken(model(counts)) else (least, middle)
    return least


@pytest.mark.parametrize("database", ["postgres_url", "mariadb_url", ""])
def test_a_server_starts_with_the_widest_types(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "api.yaml").write_text(model({name: most(name) for name in KINDS}))
    where = ("--database", request.getfixturevalue(database)) if database else ()
    with GluonServer("up", "--no-shims", "--model", str(tmp_path), *where) as server:
        for name in KINDS:
            project = {"project_id": "5c0f3a52-6d5e-4a4b-9f0c-1a2b3c4d5e6f"}
            status, made = server.request("POST", f"/proton/wide/v1/{name}", project)
            assert status == 201, made
