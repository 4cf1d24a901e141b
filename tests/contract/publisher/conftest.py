"""Real databases and both buses under the publisher."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gluon import store
from gluon.kv.connect import connect
from gluon.spi import bus
from tests.unit.publisher.parts import THING

FIXTURES = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}


@pytest.fixture(
    params=[("sqlite", "memory"), ("sqlite", "etcd"), ("postgresql", "etcd"), ("mariadb", "etcd")],
    ids="-".join,
)
def kinds(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Which database and which bus."""
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
async def database(
    kinds: tuple[str, str], request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[store.SqlStore]:
    kind, _ = kinds
    url = f"sqlite:///{tmp_path}/gluon.db" if kind == "sqlite" else request.getfixturevalue(FIXTURES[kind])
    opened = store.open(url)
    await opened.install((THING,), ())
    yield opened
    await opened.close()


@pytest.fixture
async def target(kinds: tuple[str, str], request: pytest.FixtureRequest) -> AsyncIterator[bus.Bus]:
    _, kind = kinds
    made = connect([request.getfixturevalue("etcd_url")] if kind == "etcd" else None)
    yield made
    await made.close()
