"""What shims are told of other versions, and what they make of it, is what the API would show."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given

from gluon.model import conversions as facts
from gluon.model import types
from gluon.objects import codec
from gluon.versions import forms
from tests.unit.versions.test_converter import HERE, LINES, SAID, THERE, attribute, bodies_here, object_type


def model(there: types.ObjectType = THERE, here: types.ObjectType = HERE, **more: Any) -> types.Model:
    old = types.Model(file_version="1.0", name="net", version="1.0", types={"Old": there}, digest="o")
    told = {"Old": facts.TypeFacts(name="Line", attributes=more.get("said", SAID.attributes))}
    version = types.Version(model=old, types=told)
    return types.Model(
        file_version="2.0", name="net", version="2.0", types={"Line": here}, versions=(version,), digest="n"
    )


OLD = dataclasses.replace(THERE, name="Old")
TOLD = codec.decode(codec.encode(forms.told(model(OLD))))


def test_a_version_in_which_every_object_has_a_place_is_offered() -> None:
    assert forms.offered(model(OLD)) == ("2.0", "1.0")


@given(bodies_here)
def test_a_shim_sees_what_a_client_sees(body: dict[str, Any]) -> None:
    shown = forms.forms(TOLD)["1.0"].types["Line"]
    assert shown.name == "Old"
    assert shown.down(body) == LINES.down(body)


def test_what_is_not_published_is_not_made_up() -> None:
    shown = forms.forms(TOLD)["1.0"].types["Line"]
    assert shown.down({"id": "x", "mtu": 3, "created_at": "now"}) == {
        "id": "x",
        "mtu": 3,
        "legacy": "yes",
        "created_at": "now",
    }


@pytest.mark.parametrize(
    ("there", "here", "why"),
    [
        (attribute("gone", required=True), attribute("x"), "no place"),
        (attribute("a"), attribute("a", types.AttributeType.INTEGER), "integer in the stored"),
        (
            attribute("a", types.AttributeType.ENUM, values=("b",)),
            attribute("a", types.AttributeType.ENUM, values=("b", "c")),
            "no value for c",
        ),
        (
            attribute("a", types.AttributeType.LIST, items=attribute("i")),
            attribute("a", types.AttributeType.LIST, items=attribute("i", types.AttributeType.INTEGER)),
            "other values",
        ),
    ],
)
def test_a_version_that_would_lose_something_is_not_offered(
    there: types.Attribute, here: types.Attribute, why: str
) -> None:
    found = model(object_type(there), object_type(here), said={})
    (loss,) = forms.losses(found.versions[0], found)
    assert why in loss
    assert forms.offered(found) == ("2.0",)
    assert forms.told(found) == {}


def test_a_missing_attribute_that_may_be_missing_is_no_loss() -> None:
    found = model(object_type(attribute("gone")), object_type(attribute("x")), said={})
    assert forms.offered(found) == ("2.0", "1.0")


def test_what_is_no_conversion_is_refused() -> None:
    broken: tuple[dict[str, Any], ...] = (
        {"1.0": 3},
        {"1.0": {"Old": {}}},
        {"1.0": {"Old": {"is": "L", "attributes": {"a": {}}}}},
    )
    for wrong in broken:
        with pytest.raises(ValueError, match="no conversions"):
            forms.forms(wrong)
