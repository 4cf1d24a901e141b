"""Text to tokens.

In: the text of an expression. Out: tokens with their offsets, the last one of kind `end`. A character that no
token has raises `Wrong` with what other languages' habits mean here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gluon.expressions.problems import Wrong

LONGEST = 4096
"""Characters of an expression."""

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f]+|//[^\n]*)
  | (?P<float>(?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
  | (?P<hex>0[xX][0-9a-fA-F]+)
  | (?P<int>[0-9]+)
  | (?P<raw>[rR](?:"[^"\n]*"|'[^'\n]*'))
  | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<quoted>`[A-Za-z0-9_./ -]+`)
  | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]])
    """,
    re.VERBOSE,
).match

_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"'`?])|x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})"
    r"|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))"
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_HABITS = {
    "=": "equality is written ==",
    "&": "and is written &&",
    "|": "or is written ||",
    "{": "there are no maps written out in rules",
    "}": "there are no maps written out in rules",
    '"': "the text has no end: close it with a double quote, and write \\n for a new line",
    "'": "the text has no end: close it with a single quote, and write \\n for a new line",
    "`": "the name has no end: close it with a backquote",
    ";": "a rule is one expression",
    "#": "a comment begins with //",
    "^": "there are no operators on bits",
    "~": "there are no operators on bits",
}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is `number`, `string`, `name`, `quoted`, `end`, or the sign itself."""

    kind: str
    text: str
    at: int
    value: Any = None

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


def scan(text: str) -> list[Token]:
    """All tokens of `text`; spaces and comments are left out."""
    if len(text) > LONGEST:
        raise Wrong(
            f"an expression has {LONGEST:,} characters at most, this one {len(text):,}",
            offset=LONGEST,
            hint="split it into several checks",
        )
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN(text, at)
        if found is None:
            raise Wrong(f"unexpected {text[at]!r}", offset=at, hint=_HABITS.get(text[at], ""))
        kind, word = found.lastgroup, found.group()
        if kind != "space":
            tokens.append(_token(kind or "", word, at))
        at = found.end()
    tokens.append(Token("end", "", len(text)))
    return tokens


def _token(kind: str, word: str, at: int) -> Token:
    match kind:
        case "float":
            value = float(word)
            if value == float("inf"):
                raise Wrong(f"{word} is too large for a double", offset=at)
            return Token("number", word, at, value)
        case "int" | "hex":
            whole = int(word, 16 if kind == "hex" else 10) if len(word) <= 40 else 2**64
            if whole > 2**63:
                raise Wrong(f"{word[:24]} is no integer of 64 bits", offset=at)
            return Token("number", word, at, whole)
        case "raw":
            return Token("string", word, at, word[2:-1])
        case "text":
            return Token("string", word, at, _unescape(word[1:-1], at + 1))
        case "quoted":
            return Token("quoted", word, at, word[1:-1])
        case "name":
            return Token("name", word, at, word)
    return Token(word, word, at)


def _unescape(body: str, at: int) -> str:
    if "\\" not in body:
        return body
    parts, here = [], 0
    while (slash := body.find("\\", here)) >= 0:
        parts.append(body[here:slash])
        found = _ESCAPE.match(body, slash)
        if found is None:
            raise Wrong(
                f"unknown escape {body[slash : slash + 2]!r}",
                offset=at + slash,
                hint=r'a backslash itself is written \\, or the text raw: r"\d"',
            )
        simple, *codes, octal = found.groups()
        code = next((int(c, 16) for c in codes if c), int(octal, 8) if octal else None)
        if code is None:
            parts.append(_SIMPLE.get(simple, simple))
        elif code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise Wrong(f"{found.group()} is no character", offset=at + slash)
        else:
            parts.append(chr(code))
        here = found.end()
    return "".join(parts) + body[here:]
