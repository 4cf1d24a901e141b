"""Where a character of a text stands in the file: a scalar and an offset into its value in, its place out.

Quotes, escapes, folded lines and blocks are followed back to the characters that they were written
with. Called for expressions, whose problems have offsets.
"""

from __future__ import annotations

import re

from gluon.model.problems import Mark
from gluon.model.source import Scalar

_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)


def place(scalar: Scalar, offset: int) -> Mark:
    """The place of the character at `offset` of the scalar's text."""
    lines = scalar.raw.split("\n")
    if scalar.style in {"|", ">"}:
        return _in_block(scalar, lines, offset)
    if len(lines) == 1:
        return _moved(scalar.mark, 0, scalar.mark.column + _raw_offset(scalar, offset))
    left = offset
    for number, line in enumerate(lines):
        content = line.strip()
        start = len(line) - len(line.lstrip()) + 1 if number else scalar.mark.column
        quote = 1 if scalar.style and not number else 0
        if left <= len(content) - quote:
            return _moved(scalar.mark, number, start + quote + left)
        left -= len(content) - quote + 1
    return scalar.mark


def _in_block(scalar: Scalar, lines: list[str], offset: int) -> Mark:
    """Content starts in the line after `|` or `>`, below its indentation."""
    content = lines[1:]
    indents = [len(line) - len(line.lstrip(" ")) for line in content if line.strip()]
    indent = indents[0] if indents else 0
    left = offset
    for number, line in enumerate(content, start=1):
        if left <= len(line) - indent:
            return _moved(scalar.mark, number, indent + left + 1)
        left -= max(len(line) - indent, 0) + 1
    return _moved(scalar.mark, 1, indent + 1)


def _moved(mark: Mark, lines: int, column: int) -> Mark:
    return Mark(file=mark.file, line=mark.line + lines, column=column)


def _raw_offset(scalar: Scalar, offset: int) -> int:
    """Characters before the one at `offset` as they were written in one line."""
    if scalar.style == "'":
        return 1 + offset + scalar.text[:offset].count("'")
    if scalar.style != '"':
        return offset
    at = 1
    for _ in range(offset):
        escape = _ESCAPE.match(scalar.raw, at)
        at = escape.end() if escape else at + 1
    return at
