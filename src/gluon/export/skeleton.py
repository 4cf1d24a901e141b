"""The model that a designer begins with: small, complete, and every feature with a word on it.

In: a name. Out: the text of its `api.yaml`, which passes `gluon model check` and serves at once.
"""

from __future__ import annotations

import re
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*").fullmatch
"""Names that are good in a URL, on a command line and in a table's name."""

SCHEMA = ".schema.json"
"""Where the file looks for the JSON Schema of the language, beside itself."""

_FILE = Path(__file__).with_suffix(".yaml")


def text(name: str) -> str:
    """The file for a service of this name."""
    return _FILE.read_text(encoding="utf-8").replace("{name}", name)
