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


offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))


@given(st.datetimes(timezones=offsets), st.sampled_from("Tt "))
def test_an_instant_has_one_text(moment: dt.datetime, separator: str) -> None:
    written = moment.isoformat().replace("T", separator)
    try:
        expected = moment.astimezone(dt.UTC)
    except OverflowError:  # before the year 1 or after 9999 in UTC
        with pytest.raises(ValueError, match="is not a date and time"):
            text.parse_instant(written)
        return
    normal = text.parse_instant(written)
    assert dt.datetime.fromisoformat(normal) == expected
    assert text.parse_instant(normal) == normal
    assert text.parse_instant(expected.isoformat()) == normal


@pytest.mark.parametrize(
    "written",
    ["2024-05-17", "2024-05-17T12:00:00", "2024-05-17T12:00Z", "2024-02-30T00:00:00Z", "2024-05-17T24:00:00Z",
     "2024-05-17T12:00:60Z", "20240517T120000Z", "2024-05-17T12:00:00+0200", "2024-05-17T12:00:00,5Z", ""],
)  # fmt: skip
def test_what_is_no_instant_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a date and time"):
        text.parse_instant(written)


def test_digits_of_a_second_are_kept_to_the_last() -> None:
    assert text.parse_instant("2024-05-17T12:00:00.123456780Z") == "2024-05-17T12:00:00.12345678Z"
    assert text.parse_instant("0001-01-01T00:00:00.000+00:00") == "0001-01-01T00:00:00Z"


def test_an_empty_text_is_no_document() -> None:
    assert text.parse_document("{}") == "{}"
    for written in ("", "{"):
        with pytest.raises(ValueError, match="JSON"):
            text.parse_document(written)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("plain", "plain"),
        ("Zürich 東京 😀", "Zürich 東京 😀"),
        ("a\x1b[31mb", "a\\u001b[31mb"),
        ("a\x9b31m", "a\\u009b31m"),
        ("a\nb\rc\td", "a\\u000ab\\u000dc\\u0009d"),
        ("\u2028\u2029\u202e\u2066\x7f", "\\u2028\\u2029\\u202e\\u2066\\u007f"),
        ("zero\u200dwidth", "zero\u200dwidth"),  # joins letters and signs of people
    ],
)
def test_what_a_terminal_would_obey_is_shown(said: str, told: str) -> None:
    assert text.shown(said) == told


def test_what_is_shown_is_the_same_json() -> None:
    body = {"name": "a\x9b31m\u2028\u202e\n", "more": ["\x1b", "ü"]}
    said = json.dumps(body, ensure_ascii=False, indent=2)
    assert json.loads(text.shown(said, lines=True)) == body
