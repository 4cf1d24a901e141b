"""VLANs, VNIs, AS numbers and MPLS labels: their spaces and their texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.model import fieldtypes
from gluon.model.types import Format
from gluon.values import identifier

SPACES = {
    Format.VLAN: identifier.VLAN,
    Format.VNI: identifier.VNI,
    Format.ASN: identifier.ASN,
    Format.MPLS_LABEL: identifier.MPLS_LABEL,
}


@pytest.mark.parametrize("space", SPACES.values(), ids=lambda space: str(space.name))
@given(data=st.data())
def test_a_number_has_one_text(space: identifier.Space, data: st.DataObject) -> None:
    number = data.draw(st.integers(space.low, space.high))
    assert space.parse(space.text(number)) == number == space.check(number)


@pytest.mark.parametrize("space", SPACES.values(), ids=lambda space: str(space.name))
def test_numbers_outside_are_refused(space: identifier.Space) -> None:
    for number in (space.low - 1, space.high + 1):
        with pytest.raises(ValueError, match=f"from {space.low} to {space.high}"):
            space.check(number)
    for text in ("", "x", "-1", " 5", "5 ", "+5", "1_0", "٥", "99999999999"):
        with pytest.raises(ValueError):
            space.parse(text)


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_a_dotted_as_number_is_its_integer(high: int, low: int) -> None:
    text = f"{high}.{low}"
    if (high, low) in {(0, 0), (0xFFFF, 0xFFFF)}:
        with pytest.raises(ValueError, match="from 1 to 4294967294"):
            identifier.ASN.parse(text)
    else:
        assert identifier.ASN.parse(text) == high * 65536 + low


@pytest.mark.parametrize("text", ["1.", ".1", "1.65536", "65536.1", "1.1.1", "1.1e3"])
def test_what_is_no_dotted_as_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        identifier.ASN.parse(text)


def test_only_as_numbers_have_dots() -> None:
    with pytest.raises(ValueError):
        identifier.VNI.parse("1.10")


@pytest.mark.parametrize("format_", SPACES, ids=str)
def test_the_language_has_the_same_ranges(format_: Format) -> None:
    space = SPACES[format_]
    assert fieldtypes.RANGES.get(format_, (space.low, space.high)) == (space.low, space.high)
