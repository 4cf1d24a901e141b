"""The article of a name: "a Port", "an Interface". In: a name of a model. Out: text. For messages and documents."""

from __future__ import annotations

_LIKE_YOU = ("uni", "use", "usa", "uu", "ut", "eu", "one")
"""Beginnings that are written with a vowel and spoken with none."""


def a(name: str) -> str:
    """The name with its article."""
    spoken = name.lower()
    return f"an {name}" if spoken[:1] in set("aeiou") and not spoken.startswith(_LIKE_YOU) else f"a {name}"
