"""Whole systems: they measure how long it takes to recover."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from gluon.testing.fixtures import require_programs
from gluon.testing.servers import EtcdServer
from tests.fault.system.site import Site

FIXTURES = {"postgresql": "postgres_server", "mariadb": "mariadb_server"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.fault)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the processes said."""
    report = yield
    site = getattr(item, "funcargs", {}).get("site") or getattr(item, "funcargs", {}).get("own_site")
    if report.failed and isinstance(site, Site):
        report.sections.append(("logs of the system", site.logs()))
    return report


@pytest.fixture
def etcd() -> Iterator[EtcdServer]:
    """An etcd of this test alone: it may be stopped, wiped and set back."""
    require_programs("etcd", "etcdctl")
    with EtcdServer() as server:
        yield server


@pytest.fixture
def kind() -> str:
    """Which database; tests that want others parametrize it."""
    return "postgresql"


@pytest.fixture
def site(kind: str, etcd: EtcdServer, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    sql = request.getfixturevalue(FIXTURES[kind]) if kind in FIXTURES else None
    with Site(sql, etcd, tmp_path) as made:
        yield made
