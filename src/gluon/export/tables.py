"""Markdown's tables and lists. In: texts of cells. Out: text that renders as meant, whatever the texts hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def code(text: str) -> str:
    """A text as code, backticks in it too."""
    fence = "``" if "`" in text else "`"
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def row(*cells: str) -> str:
    """One line of a table."""
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |\n"


def table(head: Sequence[str], rows: Iterable[str]) -> str:
    """A table with its heading, and an empty line after it."""
    return row(*head) + "|" + "---|" * len(head) + "\n" + "".join(rows) + "\n"


def list_of(lines: Iterable[str]) -> str:
    """A list, and an empty line after it."""
    return "".join(f"* {line}\n" for line in lines) + "\n"
