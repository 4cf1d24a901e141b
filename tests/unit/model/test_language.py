"""The JSON Schema of the language takes every good model and refuses most broken ones."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gluon.model import describe, language, loader
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


def test_the_reference_has_it(golden: Callable[[str, str], None]) -> None:
    text = json.dumps(language.schema(), indent=2, ensure_ascii=False) + "\n"
    golden("../../docs/reference/model.schema.json", text)
