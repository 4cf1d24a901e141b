"""Whatever a file of 2.0 holds, loading gives models or `ModelError`; what loads, loads again from its dump."""

from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gluon import errors
from gluon.model import describe, keywords, loader
from gluon.model.fieldtypes import NEW, POOLED, WORDS
from gluon.model.types import Model

SHOP = Path(__file__).parent / "good" / "shop.yaml"
TABLES = (
    keywords.OBJECT, keywords.API, keywords.ATTRIBUTE, keywords.POOL, keywords.CHECK,
    keywords.ACTION, keywords.HOOKS, keywords.NEUTRON, keywords.UNIQUE,
)  # fmt: skip
KEYS = sorted({key for table in TABLES for key in table.rows})
TEXTS = [
    *WORDS[NEW], "A", "B", "x", "y", "BasePort", "base-2.0", "rule:admin", "self.x == 5", "a.b", "vnis", "x.vnis",
    "10.0.0.0/8", "1-9", "65000:1", "{}", "[a-z]+", "on", "no", "010", "project", "global", "cascade", "unset", "write",
]  # fmt: skip

scalars = (
    st.sampled_from(TEXTS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
)
trees = st.recursive(
    scalars,
    lambda t: st.lists(t, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, "x", "y"]), t, max_size=5),
    max_leaves=10,
)
HEAD = {"file_version": "2.0", "imports": "base-2.0", "info": {"name": "m", "version": "1"}}

attributes = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from([*WORDS[NEW], "A", "B"])}, optional=dict.fromkeys(KEYS[:12], trees)
    ),
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["list", "map", "object"])},
        optional={
            "items": inner,
            "attributes": st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2),
        },
    ),
    max_leaves=4,
)
objects = st.fixed_dictionaries(
    {"attributes": st.dictionaries(st.sampled_from(["x", "y", "id"]), attributes, max_size=3)},
    optional={
        "api": st.just({"name": "a"}) | trees,
        "extends": st.sampled_from(["A", "B", "BasePort", "BaseServiceBinding"]),
        **dict.fromkeys(
            ("unique", "checks", "pools", "actions", "hooks", "neutron", "examples", "policies"), trees
        ),
    },
)
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def attempt(path: Path) -> tuple[tuple[Model, ...], tuple[errors.ModelProblem, ...]]:
    try:
        return loader.load([path]), ()
    except errors.ModelError as error:
        return (), error.problems


def load_or_refuse(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    models, refused = attempt(path)
    assert models or refused
    assert all(p.line >= 1 and p.column >= 1 and p.message for p in refused)
    for model in models:
        path.write_text(describe.dump(model), encoding="utf-8")
        assert loader.load([path])[0].digest == model.digest


@same_folder
@given(parts=st.dictionaries(st.sampled_from(["A", "B", "C", "BasePort"]), objects, max_size=3), pools=trees)
def test_any_tree_loads_or_is_refused(tmp_path: Path, parts: object, pools: object) -> None:
    whole = {**HEAD, "objects": parts, "pools": pools}
    load_or_refuse(tmp_path / "m.yaml", yaml.safe_dump(whole, allow_unicode=True))


@same_folder
@given(data=st.data())
def test_a_damaged_model_loads_or_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    text = SHOP.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text) - 1))
    until = data.draw(st.integers(at, min(len(text), at + 40)))
    load_or_refuse(tmp_path / "m.yaml", text[:at] + data.draw(st.text(max_size=5)) + text[until:])


@same_folder
@given(data=st.data())
def test_a_word_for_another_loads_or_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    words = SHOP.read_text(encoding="utf-8").split(" ")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(words) - 1))
        words[at] = data.draw(st.sampled_from([*TEXTS, *KEYS, *words]))
    load_or_refuse(tmp_path / "m.yaml", " ".join(words))


names = st.sampled_from(["a", "b", "c", "d"])


def whole_attribute(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"type": st.sampled_from(["list", "map"]), "items": inner}
    ) | st.fixed_dictionaries(
        {"type": st.just("object"), "attributes": st.dictionaries(names, inner, min_size=1, max_size=2)}
    )


plain = (
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "int32", "int64", "asn", "vni", "number"])},
        optional={
            "min": st.integers(100, 110),
            "max": st.integers(120, 130),
            "description": st.text(max_size=9),
        },
    )
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "json", "uri", "email", "date-time"])},
        optional={
            "length": st.integers(20, 30),
            "min_length": st.integers(0, 5),
            "pattern": st.just("[a-z]*"),
        },
    )
    | st.fixed_dictionaries({"type": st.sampled_from([*POOLED, "cidr", "uuid", "boolean", "Other"])})
    | st.fixed_dictionaries(
        {
            "type": st.just("enum"),
            "values": st.lists(st.sampled_from(["on", "1", "a b", "null"]), min_size=1, unique=True),
        }
    )
)
flags = st.fixed_dictionaries(
    {}, optional={key: st.booleans() for key in ("nullable", "immutable", "secret", "read_only")}
)
top = st.builds(lambda a, b: {**a, **b}, st.recursive(plain, whole_attribute, max_leaves=4), flags)
parts = st.fixed_dictionaries(
    {},
    optional={
        "quota": st.integers(0, 9),
        "checks": st.lists(
            st.fixed_dictionaries({"rule": st.just("self.name != 'a'"), "message": st.text(min_size=1)}),
            max_size=2,
        ),
        "hooks": st.dictionaries(st.sampled_from(["check", "before", "after"]), st.just(["a.b"])),
        "unique": st.just([["name", "project_id"]]),
        "description": st.text(max_size=20),
        "extends": st.sampled_from(["BasePort", "BaseService", "BaseObject"]),
    },
)


@same_folder
@given(attributes=st.dictionaries(names, top, min_size=1), parts=parts)
def test_a_model_loads_again_from_its_dump(
    tmp_path: Path, attributes: dict[str, object], parts: dict[str, object]
) -> None:
    thing = {"extends": "BaseObject", **parts, "api": {"name": "thing"}, "attributes": attributes}
    other = {"api": {"name": "other"}, "attributes": {"x": {"type": "string"}}}
    path = tmp_path / "m.yaml"
    path.write_text(
        yaml.safe_dump({**HEAD, "objects": {"Thing": thing, "Other": other}}, allow_unicode=True),
        encoding="utf-8",
    )
    models, refused = attempt(path)
    # Empty texts are all that is wrong with these.
    assert all(" is empty" in p.message for p in refused), refused
    if not models:
        return
    (model,) = models
    path.write_text(describe.dump(model), encoding="utf-8")
    (again,) = loader.load([path])
    assert again.digest == model.digest
    assert describe.dump(again) == describe.dump(model)
