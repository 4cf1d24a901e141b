"""Patterns of texts: the syntax of Python's `re` with ASCII classes, matched against the whole text.

`compile_pattern` is what acceptors use, `problem` what the loader asks first.
"""

from __future__ import annotations

import re


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Raises `ValueError` with the reason for a pattern that `re` does not take."""
    try:
        return re.compile(pattern, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None


def problem(pattern: str, length: int) -> str:
    """Why a pattern cannot be used for texts of up to `length` characters, or empty text."""
    try:
        compile_pattern(pattern)
    except ValueError as error:
        return str(error)
    return ""
