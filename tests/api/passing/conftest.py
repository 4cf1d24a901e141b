"""Gluon in front of a small server: one for all tests of a file."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.api.neutron.cloud import Cloud, opened
from tests.api.passing.small import Small, small


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Small]:
    async with small() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory, running: Small) -> AsyncIterator[Cloud]:
    async with opened(tmp_path_factory.mktemp("gluon"), behind=running.url) as found:
        app: Any = found.world._app
        app._whose.patience = 600.0  # nothing here depends on how busy the machine is
        yield found


@pytest.fixture
def behind(running: Small) -> Iterator[Small]:
    """As it was at the start, once the test is over."""
    yield running
    running.reset()
