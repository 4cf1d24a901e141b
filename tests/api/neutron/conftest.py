"""A cloud for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.neutron.cloud import Cloud, opened


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    async with opened(tmp_path) as running:
        yield running
