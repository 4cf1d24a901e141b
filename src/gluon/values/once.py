"""YAML of plain values in which each key of a mapping stands once: of two the second would count and the first be lost.

In: text. Out: `Loader` for `yaml.load`, which raises `Twice` with the place of the second key.
"""

from __future__ import annotations

from typing import Any

import yaml

_MERGE = "tag:yaml.org,2002:merge"


class Twice(yaml.constructor.ConstructorError):
    """A key is given twice."""


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader, the fast one where there is one."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._looked: set[int] = set()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Called for each mapping before it is read; `<<` brings entries in, which own ones win over."""
        if id(node) not in self._looked:
            self._looked.add(id(node))
            _check(node)
        super().flatten_mapping(node)


def _check(node: yaml.MappingNode) -> None:
    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            continue
        if (key.tag, key.value) in seen:
            raise Twice(
                "while reading a mapping",
                node.start_mark,
                f"the key '{key.value}' is given twice",
                key.start_mark,
            )
        seen.add((key.tag, key.value))
