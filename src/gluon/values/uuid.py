"""UUIDs: any form that Python's `uuid` takes in, lower case with dashes out."""

from __future__ import annotations

import re

_NORMAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
# Longer than any usual form: prefix, braces and a dash after each octet.
_LONGEST = 64
_DIGITS = re.compile(r"[0-9A-Fa-f]{32}").fullmatch


def parse(text: str) -> str:
    """The UUID in its usual form; dashes, braces and a `urn:uuid:` prefix may be there or not."""
    if _NORMAL(text):
        return text
    digits = text.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "")
    if len(text) > _LONGEST or not _DIGITS(digits):
        raise ValueError(f"{text!r} is not a UUID")
    digits = digits.lower()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
