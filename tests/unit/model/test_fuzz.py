"""Whatever a file holds, loading gives models or `ModelError`, never anything else; and it is quick."""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gluon import errors
from gluon.model import loader, source
from gluon.model.find import CATALOG
from gluon.model.problems import Problems

WORDS = [
    "file_version", "imports", "info", "objects", "name", "version", "author", "api", "extends", "attributes",
    "policies", "plural_name", "parent", "parent_key", "type", "primary", "required", "length", "values", "format",
    "min", "max", "create", "list", "role", "A", "B", "BaseObject", "BasePort", "BaseServiceBinding", "id", "uuid",
    "string", "integer", "enum", "mac", "int32", "1.0", "base/base.yaml", "rule:admin", "status", "tenant_id",
]  # fmt: skip

scalars = (
    st.sampled_from(WORDS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
)
trees = st.recursive(
    scalars,
    lambda t: st.lists(t, max_size=4) | st.dictionaries(st.sampled_from(WORDS), t, max_size=6),
    max_leaves=40,
)
attributes = st.dictionaries(
    st.sampled_from(WORDS), st.dictionaries(st.sampled_from(WORDS[14:22]), trees), max_size=4
)
objects = st.dictionaries(
    st.sampled_from(["A", "B", "C", "BasePort"]),
    st.fixed_dictionaries(
        {"attributes": attributes},
        optional={
            "api": trees | st.just({"name": "a"}),
            "extends": st.sampled_from(["A", "B", "C"]),
            "policies": trees,
        },
    ),
)
models = st.fixed_dictionaries(
    {"file_version": st.just("1.0"), "info": st.just({"name": "m", "version": "1"}), "objects": objects},
    optional={"imports": scalars},
)


def load_or_refuse(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    try:
        models = loader.load([path])
    except errors.ModelError as error:
        refused = error.problems
    else:
        assert models
        return
    assert refused
    assert all(p.line >= 1 and p.column >= 1 and p.message for p in refused)


same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@same_folder
@given(tree=trees | models)
def test_any_tree_loads_or_is_refused(tmp_path: Path, tree: object) -> None:
    load_or_refuse(tmp_path / "m.yaml", yaml.safe_dump(tree, allow_unicode=True))


@same_folder
@given(text=st.text(alphabet="abx:-[]{}&*!|>'\"%#,? \n\t<=", max_size=80))
def test_any_text_loads_or_is_refused(tmp_path: Path, text: str) -> None:
    load_or_refuse(tmp_path / "m.yaml", text)


@same_folder
@given(data=st.data())
def test_a_damaged_model_loads_or_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    text = (CATALOG / "net-l3vpn" / "api.yaml").read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text) - 1))
    until = data.draw(st.integers(at, min(len(text), at + 40)))
    load_or_refuse(tmp_path / "m.yaml", text[:at] + data.draw(st.text(max_size=5)) + text[until:])


@given(tree=trees)
def test_nodes_hold_what_yaml_holds(tree: object) -> None:
    text = yaml.safe_dump(tree)
    problems = Problems()
    node = source.parse(text, "f", problems)
    if not problems:
        assert node is not None
        assert node.size <= source.MAX_NODES


@pytest.mark.parametrize("count", [100, pytest.param(500, marks=pytest.mark.long("500 models"))])
def test_hundreds_of_models_load_in_seconds(tmp_path: Path, count: int) -> None:
    text = (CATALOG / "net-l3vpn" / "api.yaml").read_text(encoding="utf-8")
    for i in range(count):
        folder = tmp_path / f"m{i}"
        folder.mkdir()
        (folder / "api.yaml").write_text(text.replace("name: net-l3vpn", f"name: m{i}"), encoding="utf-8")
    started = time.process_time()
    assert len(loader.load([tmp_path])) == count
    assert time.process_time() - started < 4 + count / 50, "it is 8 ms each"
