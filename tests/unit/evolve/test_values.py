"""Texts that read as a value of another type become it; others say why they do not."""

from __future__ import annotations

from typing import Any

import pytest

from gluon.evolve import convert
from tests.unit.evolve.models import T, attribute, model, object_type

NUMBERS = {"1.5": 1.5, " 7\n": 7.0, "-0": 0.0, "+.5": 0.5, "5.": 5.0, "1e22": 1e22, "2E-3": 0.002}
NO_NUMBERS = ("", " ", "x", "nan", "inf", "-1e400", "0x10", "1_0", "1,5", "٣", "1 2")


def _made(text: str, kind: T) -> Any:
    old, new = (model(object_type("Box", attribute("size", k))) for k in (T.STRING, kind))
    way = convert.Converter(old, new, old.types["Box"], new.types["Box"])
    row = way.old.row({"id": "i", "size": text}, {}, revision=1, now="n")
    return way.new.values_of(way.make(row).row)["size"]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_text_that_reads_as_a_number_becomes_it(text: str) -> None:
    assert _made(text, T.NUMBER) == NUMBERS[text]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_a_text_that_is_no_number_does_not_fit(text: str) -> None:
    with pytest.raises(convert.Unfit, match="is no number"):
        _made(text, T.NUMBER)
