"""Text with a rule: kept as it is, or refused."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.values import text


@given(st.datetimes(timezones=st.sampled_from([None, dt.UTC])), st.sampled_from("T t"))
def test_a_date_and_time_of_iso_8601_is_taken(value: dt.datetime, separator: str) -> None:
    written = value.isoformat(separator if separator != "t" else "T").replace("T", separator)
    assert text.parse_date_time(written) == written


@pytest.mark.parametrize(
    "written", ["2024-05-17T12:00:00Z", "2024-05-17T12:00:00.25+02:00", "20240517T120000Z"]
)
def test_usual_forms_of_date_and_time_are_taken(written: str) -> None:
    assert text.parse_date_time(written) == written


@pytest.mark.parametrize(
    "written", ["", "now", "2024-05-17", "12:00", "2024-13-17T12:00:00", "2024-05-17T25:00:00"]
)
def test_what_is_no_date_and_time_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a date and time"):
        text.parse_date_time(written)


@given(
    st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(), st.lists, max_leaves=5)
)
def test_json_is_taken_as_it_is_written(value: object) -> None:
    written = json.dumps(value)
    if "\\ud" not in written:  # lone surrogates
        assert text.parse_json(written) == written


def test_an_empty_text_stands_for_no_json() -> None:
    assert not text.parse_json("")


@pytest.mark.parametrize("written", ["{", "NaN", "{a: 1}", "1 2", "[" * 100_000])
def test_what_is_no_json_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not JSON"):
        text.parse_json(written)


@pytest.mark.parametrize(
    "written", ["http://example.net/a?b=c#d", "urn:uuid:1", "mailto:a@b.c", "/a/b", "a%20b", "http://[::1]/"]
)
def test_uris_and_relative_references_are_taken(written: str) -> None:
    assert text.parse_uri(written) == written


@pytest.mark.parametrize("written", ["", "a b", "http://a/<b>", "%zz", "a#b#c", "ä"])
def test_what_is_no_uri_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a URI"):
        text.parse_uri(written)


def test_an_email_address_is_taken() -> None:
    assert text.parse_email("a.b+c@example.co.uk") == "a.b+c@example.co.uk"


@pytest.mark.parametrize("written", ["", "a", "a@b", "@b.c", "a b@c.d", "a@b.c\n", "a@b..c"])
def test_what_is_no_email_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        text.parse_email(written)
