"""Rows and bodies of objects with nested values and secrets."""

import dataclasses

import msgspec

from gluon.model import types
from gluon.objects import codec
from gluon.particles import records, tables
from gluon.spi import tables as spi
from tests.unit.model.test_strict import SUBNETS, TAGS, T, attribute, object_type

_KIND = object_type(
    attribute("project_id", role=types.Role.PROJECT),
    attribute("name", required=True, nullable=False),
    attribute("maybe", required=True),
    SUBNETS,
    TAGS,
    attribute("password", secret=True),
    attribute("keys", T.LIST, items=attribute("key"), secret=True),
    attribute("ids", T.LIST, items=attribute("id", T.INTEGER), default=[1, 2]),
)
KIND = dataclasses.replace(_KIND, roles={types.Role.PROJECT: "project_id"})
MODEL = types.Model(file_version="2.0", name="test", version="1", types={"Thing": KIND}, digest="d")
RECORDS = records.Records(MODEL, KIND)
VALUES = {
    "id": "i",
    "project_id": "p",
    "name": "n",
    "subnets": [{"cidr": "10.0.0.0/8", "dhcp": True, "dns": ["::1"], "note": None}],
    "tags": {"a": "x", "ä": "y"},
    "password": "hunter2",
    "keys": ["hunter3"],
}
ROW = RECORDS.row(VALUES, {}, revision=5, now="2026-01-01T00:00:00.000000")


def test_a_row_holds_scalars_only() -> None:
    assert ROW["subnets"] == '[{"cidr":"10.0.0.0/8","dhcp":true,"dns":["::1"],"note":null}]'
    assert ROW["tags"] == '{"a":"x","ä":"y"}'
    assert ROW["_project"] == "p"
    assert ROW["ids"] is None
    assert set(ROW) == {c.name for c in tables.table(MODEL, KIND).columns}


def test_a_body_shows_nested_values_and_no_secret() -> None:
    shown = {
        **VALUES,
        "maybe": None,
        "ids": None,
        "password": None,
        "keys": None,
        "created_at": "2026-01-01T00:00:00.000000",
        "updated_at": "2026-01-01T00:00:00.000000",
    }
    document = RECORDS.document(ROW)
    assert codec.decode(document) == shown
    assert list(codec.decode(document)) == [*KIND.attributes, "created_at", "updated_at"]
    assert msgspec.json.encode(RECORDS.body(ROW)) == document
    assert b"hunter" not in document
    assert RECORDS.plain(ROW) == shown


def test_the_values_of_a_row_are_plain_data() -> None:
    values = RECORDS.values_of(ROW)
    assert dict(values) == {**VALUES, "maybe": None, "ids": None}
    assert values["tags"] is values["tags"]
    assert len(values) == len(KIND.attributes)


def test_equal_values_are_no_change() -> None:
    assert RECORDS.changed(ROW, VALUES, {}, revision=6, now="x") is None
    after = RECORDS.changed(ROW, {"tags": {"a": "x"}, "password": None}, {}, revision=6, now="x")
    assert after is not None
    assert (after["tags"], after["password"], after["_revision"]) == ('{"a":"x"}', None, 6)
    assert ROW["tags"] == '{"a":"x","ä":"y"}'


def test_columns_are_of_the_values_types() -> None:
    columns = {c.name: c for c in tables.table(MODEL, KIND).columns}
    assert {n: c.type for n, c in columns.items() if c.type is spi.ColumnType.DOCUMENT} == dict.fromkeys(
        ("subnets", "tags", "keys", "ids", "_written"), spi.ColumnType.DOCUMENT
    )
    assert [n for n, c in columns.items() if not c.nullable] == [
        "id", "name", "_revision", "_created", "_updated"
    ]  # fmt: skip
    assert columns["ids"].default == "[1,2]"


def test_secrets_alone_and_with_the_others() -> None:
    assert RECORDS.has_secrets
    assert codec.decode(codec.encode(RECORDS.secrets(ROW))) == {"password": "hunter2", "keys": ["hunter3"]}
    assert RECORDS.whole(ROW) == {**RECORDS.plain(ROW), "password": "hunter2", "keys": ["hunter3"]}
    nothing = {**ROW, "password": None, "keys": None}
    assert RECORDS.secrets(nothing) == {"password": None, "keys": None}


def test_a_body_without_hidden_attributes_is_the_whole_one_with_them_left_out() -> None:
    whole = codec.decode(RECORDS.document(ROW))
    written = {**ROW, tables.WRITTEN: '{"name":"N"}'}
    for hidden in (
        {"name"},
        {"subnets", "password"},
        {"maybe", "tags", "keys", "ids"},
        set(whole) - {"id", "name"},
    ):
        told = {name: value for name, value in whole.items() if name not in hidden}
        for _ in range(2):
            assert RECORDS.document(ROW, frozenset(hidden)) == codec.encode(told)
        shown = {**told, "name": "N"} if "name" in told else told
        assert codec.decode(RECORDS.document(written, frozenset(hidden))) == shown
