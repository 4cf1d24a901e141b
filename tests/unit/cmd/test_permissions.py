"""Whose files may be read or changed by whom: what holds secrets, and what says who may do what."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gluon import store
from gluon.cmd import policies, settings
from gluon.identity import keyset


def others(path: Path) -> int:
    """What who is not the owner may do."""
    return path.stat().st_mode & 0o077


async def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = store.open(f"sqlite:///{tmp_path}/state/gluon.db")
        await database.install((), ())
    finally:
        os.umask(before)
    try:
        found = {path.name: others(path) for path in (tmp_path / "state").iterdir()}
        assert {"gluon.db", "gluon.db.lock", "gluon.db-wal"} <= found.keys()
        assert not any(found.values()), found
        assert not others(tmp_path / "state")
    finally:
        await database.close()


async def test_a_database_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "gluon.db"
    path.touch()
    path.chmod(0o640)
    database = store.open(f"sqlite:///{path}")
    await database.install((), ())
    await database.close()
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_says_who_may_do_what_is_not_everybodys_to_change(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("{}")
    path.chmod(0o646)
    with pytest.raises(settings.SettingsError, match="everybody may change it"):
        policies.read(str(path))
    with pytest.raises(keyset.KeysError, match="everybody may change it"):
        keyset.Keys(str(path))
    path.chmod(0o644)
    assert policies.read(str(path)) == {}
