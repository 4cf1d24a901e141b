"""Text with a rule: date-time, JSON, URI, e-mail. The text is kept as it is, only checked."""

from __future__ import annotations

import datetime as dt
import re

import msgspec

_TIME_PART = re.compile(r"\d{4}-?\d{2}-?\d{2}[Tt ]\d{2}").match
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]((?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2})"
    r"(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
).fullmatch
_URI = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?"
    r"(?:[A-Za-z0-9._~:/?@!$&'()*+,;=\[\]-]|%[0-9A-Fa-f]{2})*"
    r"(?:\#(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
).fullmatch
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]").sub
"""What a terminal obeys, or a reader takes for the end of a line or another direction."""
_EMAIL = re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+").fullmatch


def shown(text: str, *, lines: bool = False) -> str:
    """Text of others, for a terminal or a log: what would not be seen is written as JSON may write it. `lines`: of several,
    whose ends are ours."""
    if lines:
        return "\n".join(map(shown, text.split("\n")))
    return text if text.isprintable() else _UNSEEN(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def parse_date_time(text: str) -> str:
    """A date and a time as ISO 8601 writes them (RFC 3339 is one of these forms)."""
    if _TIME_PART(text):
        try:
            dt.datetime.fromisoformat(text.upper())
        except ValueError:
            pass
        else:
            return text
    raise ValueError(f"{text!r} is not a date and time such as 2024-05-17T12:00:00Z")


def parse_instant(text: str) -> str:
    """A point in time as RFC 3339 writes it, in UTC: `2024-05-17T12:00:00Z`, fractions without zeros at the end."""
    match = _RFC3339(text)
    if match:
        try:
            zone = "+00:00" if match[4] in "Zz" else match[4]
            moment = dt.datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}").astimezone(dt.UTC)
        except (ValueError, OverflowError):  # no such day or second; before year 1 or after 9999 in UTC
            pass
        else:
            fraction = (match[3] or "").rstrip("0")
            return f"{moment.replace(tzinfo=None).isoformat()}{'.' if fraction else ''}{fraction}Z"
    raise ValueError(f"{text!r} is not a date and time with its zone such as 2024-05-17T12:00:00Z")


def parse_document(text: str) -> str:
    """A JSON document as text; an empty text is none."""
    if not text:
        raise ValueError("an empty text is not JSON")
    return parse_json(text)


def parse_json(text: str) -> str:
    """A JSON document as text; an empty text stands for none."""
    if text:
        try:
            msgspec.json.decode(text)
        except (ValueError, RecursionError):  # bad syntax; nested too deep to be read
            raise ValueError(f"{text!r} is not JSON") from None
    return text


def parse_uri(text: str) -> str:
    """A URI or a relative reference (RFC 3986)."""
    if text and _URI(text):
        return text
    raise ValueError(f"{text!r} is not a URI such as https://example.net/a")


def parse_email(text: str) -> str:
    """An address `name@domain`."""
    if _EMAIL(text):
        return text
    raise ValueError(f"{text!r} is not an e-mail address such as name@example.net")
