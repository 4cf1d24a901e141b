"""Every test of this folder runs on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from tests.contract.store.conftest import shared_url, url

__all__ = ["shared_url", "url"]
