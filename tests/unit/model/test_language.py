"""The JSON Schema of the language takes every good model and refuses most broken ones."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gluon.model import describe, fieldtypes, keywords, language, loader, manual
from gluon.model.find import CATALOG
from tests.unit.model.conftest import DATA

HERE = Path(__file__).parent
GOOD = sorted([*CATALOG.rglob("*.yaml"), *DATA.rglob("*.yaml"), *(HERE / "good").glob("*.yaml")])
BROKEN = sorted((HERE / "broken").glob("*.yaml"))


class Plain(yaml.SafeLoader):
    """YAML 1.2 as editors read it: no times, no base 60, `on` and `no` are texts."""


Plain.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?([0-9]+\.[0-9]*|[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+)", "-+0123456789"),
    ("null", r"~|null||Null|NULL", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    Plain.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


def read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Plain)  # noqa: S506 - a SafeLoader


def problems(content: Any) -> Iterator[str]:
    checker = jsonschema.Draft202012Validator(language.schema())
    for error in checker.iter_errors(content):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message}"


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(language.schema())


@pytest.mark.parametrize("path", GOOD, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_good_model_passes(path: Path) -> None:
    assert list(problems(read(path))) == []


@pytest.mark.parametrize("path", sorted((HERE / "good").glob("*.yaml")), ids=lambda p: p.name)
def test_a_dumped_model_passes(path: Path) -> None:
    (model,) = loader.load([path])
    assert list(problems(yaml.load(describe.dump(model), Loader=Plain))) == []  # noqa: S506 - a SafeLoader


def test_most_broken_models_fail() -> None:
    """What one file cannot say alone (references, inheritance, expressions) is left to the loader."""
    passed = []
    for path in BROKEN:
        try:
            if not list(problems(read(path))):
                passed.append(path.stem)
        except (yaml.YAMLError, RecursionError):
            continue  # the loader has words for it, the schema is not asked
    assert len(passed) < len(BROKEN) * 0.4, passed


def test_the_reference_leaves_no_key_and_no_type_out() -> None:
    page = manual.page()
    tables = [table for table in vars(keywords).values() if isinstance(table, keywords.Keys)]
    assert len(tables) > 10
    missing = [
        k.name for t in tables for k in t.rows.values() if f"| `{k.name}` | " not in page or not k.about
    ]
    assert missing == []
    assert [w for w in fieldtypes.WORDS["2.0"] if f"| `{w}` | " not in page] == []


def test_the_model_of_the_reference_is_good(tmp_path: Path) -> None:
    text = manual.page().split("```yaml\n")[1].split("```")[0]
    (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
    (model,) = loader.load([tmp_path], shape=True)
    assert list(model.types) == ["Port", "Interface", "Network"]
