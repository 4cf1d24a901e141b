"""Every way from one mix of `required`, `nullable` and `default` to another, in 1.0 and 2.0: what nulls become."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gluon.evolve import convert, diff, storage
from gluon.evolve.changes import Impact, heaviest
from gluon.model.types import Attribute
from gluon.particles import records, tables
from tests.unit.evolve.models import T, attribute, model, object_type

Mix = tuple[bool, bool, int | None, bool]
"""`required`, `nullable`, `default`, and whether it is of language 1.0."""

MIXES: list[Mix] = [(r, n, d, False) for r in (False, True) for n in (False, True) for d in (None, 7)]
MIXES += [(False, True, None, True), (True, True, None, True)]
PLACES = ["of the type", "of an object"]


def _attribute(mix: Mix) -> Attribute:
    required, nullable, default, kept = mix
    return attribute("size", T.INTEGER, required=required, nullable=nullable, default=default, kept=kept)


def _holds_null(mix: Mix) -> bool:
    """As columns have it, and bodies that are stored."""
    required, nullable, _, kept = mix
    return not required if kept else nullable


@pytest.mark.parametrize("value", [None, 3])
@pytest.mark.parametrize(("old", "new"), list(itertools.product(MIXES, MIXES)))
def test_a_stored_value_stays_and_a_null_becomes_what_the_new_model_allows(
    old: Mix, new: Mix, value: int | None
) -> None:
    if value is None and not _holds_null(old):
        return
    before, after = (model(object_type("Box", _attribute(mix))) for mix in (old, new))
    kinds = before.types["Box"], after.types["Box"]
    row = records.Records(before, kinds[0]).row({"id": "i", "size": value}, {}, revision=1, now="n")
    expected: Any = value
    if value is None and not _holds_null(new):
        expected = new[2]
    converter = convert.Converter(before, after, *kinds)
    changes = diff.diff(before, after)
    if value is None and not _holds_null(new) and expected is None:
        assert heaviest(list(changes)) in {Impact.VALIDATION, Impact.MIGRATION}
        with pytest.raises(convert.Unfit, match="size"):
            converter.make(row)
        return
    assert converter.make(row).row["size"] == expected
    if expected != value or _holds_null(old) != _holds_null(new):
        short = storage.shortfalls(*(tables.table(m, k) for m, k in zip((before, after), kinds, strict=True)))
        assert heaviest(list(changes)) is not Impact.COMPATIBLE and "size" in short


@pytest.mark.parametrize("mix", MIXES[:8])
@pytest.mark.parametrize("place", PLACES)
def test_a_new_attribute_is_refused_only_where_nothing_can_be_stored_for_it(mix: Mix, place: str) -> None:
    size = _attribute(mix)
    if place == "of the type":
        old, new = model(object_type("Box")), model(object_type("Box", size))
    else:
        one, other = ({"name": attribute("name")}, {"name": attribute("name"), "size": size})
        old, new = (model(object_type("Box", attribute("inner", T.OBJECT, members=m))) for m in (one, other))
    (change,) = diff.diff(old, new)
    refused = not _holds_null(mix) and mix[2] is None
    rewritten = Impact.MIGRATION if place == "of an object" else Impact.COMPATIBLE
    assert change.impact is (Impact.REFUSED if refused else rewritten)
    assert change.breaking is ((mix[0] and mix[2] is None) or refused)


def test_documents_get_their_new_members() -> None:
    members = {"name": attribute("name")}
    more = {**members, "rank": attribute("rank", T.INTEGER, default=3), "note": attribute("note")}
    old, new = (model(object_type("Box", attribute("inner", T.OBJECT, members=m))) for m in (members, more))
    kinds = old.types["Box"], new.types["Box"]
    row = records.Records(old, kinds[0]).row({"id": "i", "inner": {"name": "n"}}, {}, revision=1, now="n")
    made = convert.Converter(old, new, *kinds).make(row)
    assert records.Records(new, kinds[1]).values_of(made.row)["inner"] == {
        "name": "n",
        "rank": 3,
        "note": None,
    }


def test_words_in_a_nested_object_rewrite_nothing() -> None:
    members = {"name": attribute("name")}
    said = {"name": attribute("name", description="what it is called")}
    old, new = (model(object_type("Box", attribute("inner", T.OBJECT, members=m))) for m in (members, said))
    assert heaviest(list(diff.diff(old, new))) is Impact.COMPATIBLE
    assert not storage.moved(old.types["Box"], new.types["Box"])
