"""Models as programs and people see them: a difference is meant, or it is a mistake."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gluon.model import describe, loader

DATA = Path(__file__).parents[1] / "data" / "models"
MODELS = {m.name: m for m in (*loader.load_catalog(), *loader.load([DATA]))}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_merged_model_as_yaml(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"model/{name}.yaml", describe.dump(MODELS[name]))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_description_for_programs(name: str, golden: Callable[[str, str], None]) -> None:
    golden(
        f"model/{name}.json", json.dumps(describe.describe(MODELS[name]), indent=2, ensure_ascii=False) + "\n"
    )


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_merged_model_loads_as_the_same(name: str, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(describe.dump(MODELS[name]), encoding="utf-8")
    (again,) = loader.load([tmp_path])
    for object_type in MODELS[name].types.values():
        other = again.types[object_type.name]
        facts = ("singular", "plural", "key", "generated_key", "unique", "parent", "parent_key", "policies")
        assert [getattr(other, fact) for fact in facts] == [getattr(object_type, fact) for fact in facts]
        for attribute in object_type.attributes.values():
            twin = other.attributes[attribute.name]
            assert (
                twin.value_type,
                twin.value_format,
                twin.length,
                twin.values,
                twin.minimum,
                twin.reference,
            ) == (
                attribute.value_type,
                attribute.value_format,
                attribute.length,
                attribute.values,
                attribute.minimum,
                attribute.reference,
            )
