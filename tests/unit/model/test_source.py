"""YAML read safely: places, keys given twice, aliases, tags, depth, size."""

import pytest

from gluon import errors
from gluon.model import source
from gluon.model.problems import Problems


def parse(text: str) -> tuple[source.Node | None, list[str]]:
    problems = Problems()
    node = source.parse(text, "f", problems)
    try:
        problems.raise_found()
    except errors.ModelError as error:
        return node, str(error).splitlines()
    return node, []


def refused(text: str) -> str:
    _, problems = parse(text)
    (problem,) = problems
    return problem


def test_every_node_knows_its_place() -> None:
    node, _ = parse("a: 1\nb:\n  - x\n  - {c: y}\n")
    assert isinstance(node, source.Mapping)
    (_, _), (key, items) = node.entries
    assert (key.mark.line, key.mark.column) == (2, 1)
    assert isinstance(items, source.Sequence)
    inner = items.items[1]
    assert isinstance(inner, source.Mapping)
    assert (inner.entries[0][1].mark.line, inner.entries[0][1].mark.column) == (4, 9)


def test_plain_and_quoted_scalars_are_told_apart() -> None:
    node, _ = parse("[yes, 'yes', 1, '1', ~, 1.0, x]")
    assert isinstance(node, source.Sequence)
    tags = [item.tag for item in node.items if isinstance(item, source.Scalar)]
    assert tags == ["bool", "str", "int", "str", "null", "float", "str"]


def test_aliases_and_merge_keys_are_followed() -> None:
    node, problems = parse("a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\nd: {<<: [*x, {r: 4}]}")
    assert problems == []
    assert isinstance(node, source.Mapping)
    found = {
        key.text: {k.text: v.text for k, v in value.entries if isinstance(v, source.Scalar)}
        for key, value in node.entries
        if isinstance(value, source.Mapping)
    }
    assert found["b"] == {"p": "1", "q": "2"}
    assert found["c"] == {"p": "1", "q": "3"}
    assert found["d"] == {"p": "1", "q": "2", "r": "4"}


def test_a_key_given_twice_is_refused() -> None:
    assert refused("a: 1\nb: 2\na: 3") == "f:3:1: the key 'a' is given twice (it stands in line 1 already)"


def test_a_tag_of_another_language_is_refused() -> None:
    assert refused("a: !!python/object/apply:os.system [x]").startswith("f:1:4: the tag")
    assert refused("a: !mine x").startswith("f:1:4: the tag '!mine'")


def test_a_tag_of_yaml_itself_is_taken() -> None:
    node, problems = parse("!!map {a: !!str 1.0}")
    assert problems == []
    assert isinstance(node, source.Mapping)
    value = node.entries[0][1]
    assert isinstance(value, source.Scalar)
    assert (value.text, value.tag) == ("1.0", "str")


def test_many_aliases_of_aliases_are_refused_at_once() -> None:
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 20)]
    assert "nodes once its aliases are followed" in refused("\n".join(["a0: &a0 [x, x]", *levels]))


@pytest.mark.parametrize("text", ["&a [*a]", "&a {b: *a}", "*a", "a: *b\nb: &b 1"])
def test_an_alias_of_itself_or_of_nothing_is_refused(text: str) -> None:
    assert "the alias" in refused(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
def test_depth_is_bounded(text: str) -> None:
    assert "nested" in refused(text) or "not YAML" in refused(text)


def test_size_is_bounded() -> None:
    assert "larger" in refused("a" * (source.MAX_BYTES + 1))


def test_a_second_document_is_refused() -> None:
    assert refused("a: 1\n---\nb: 2").startswith("f:2:1: a second document")


def test_keys_must_be_texts() -> None:
    assert refused("? [a]\n: 1") == "f:1:3: a key must be a plain name"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: b: c", "f:1:5"),
        ("a: 1\n b: 2", "f:2:3"),
        ("a: '", "f:1:"),
        ("a:\n\t- b", "f:2:1"),
        ("x: \x00", "f:1:4"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(text: str, place: str) -> None:
    assert refused(text).startswith(place)
