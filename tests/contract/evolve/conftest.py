"""Every test of this folder runs on SQLite, PostgreSQL and MariaDB; of a table of cases each row on SQLite and on one of the others,
which take turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.store.conftest import shared_url, url

__all__ = ["shared_url", "url"]

TURNS = ("postgresql", "mariadb")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    cases: dict[str, list[str]] = {}
    for item in items:
        given = (
            item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        )
        if here not in item.path.parents or "name" not in given:
            continue
        name, known = str(given["name"]), cases.setdefault(item.nodeid.partition("[")[0], [])
        if name not in known:
            known.append(name)
        turn = TURNS[known.index(name) % len(TURNS)]
        if given["url"] in TURNS and given["url"] != turn:
            item.add_marker(pytest.mark.long(f"the same row on {given['url']}"))
