"""What holds for every test: command line options, Hypothesis profiles, golden files, and nothing left running.

Fixtures for servers, hosts and models come from `gluon.testing` and from the folders below.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests import effort, leftovers, order

pytest_plugins = ["gluon.testing.fixtures"]

GOLDEN = Path(__file__).parent / "golden"
LIVE = Path(__file__).parent / "live"
WITHOUT = str(Path(__file__).parent / "without")

# Here too: a traceback that it lays out keeps an event loop, and all that is timed in it, waiting for a second.
sys.path.insert(0, WITHOUT)

# A shared machine may be slow at any moment: an example is judged by its result, not by its time. The same examples
# each time: what passes here passes elsewhere, and `--long` looks for others.
hypothesis.settings.register_profile(
    "default",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    max_examples=effort.USUAL,
    derandomize=True,
    database=None,
)
hypothesis.settings.register_profile(
    "long",
    parent=hypothesis.settings.get_profile("default"),
    max_examples=effort.LONG,
    derandomize=False,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run tests marked long")
    parser.addoption(
        "--live", default="", metavar="NAME", help="tests/live/NAME, with a real one: nova, neutron"
    )
    parser.addoption("--golden-update", action="store_true", help="rewrite golden files instead of comparing")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "default")
    leftovers.mark_this_run(os.environ)
    if not getattr(config.option, "numprocesses", None):  # who starts workers leaves it to them
        os.environ["PYTHONPATH"] = os.pathsep.join([WITHOUT, *filter(None, [os.environ.get("PYTHONPATH")])])


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What needs a real Nova or Neutron is no test of a run without them."""
    return (
        True
        if collection_path.parent == LIVE and collection_path.name != config.getoption("--live")
        else None
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: order.rank(item.nodeid))
    if config.getoption("--long"):
        return
    for item in items:
        if marker := item.get_closest_marker("long"):
            (what,) = marker.args
            item.add_marker(pytest.mark.skip(reason=f"{what}: ./dev test --long runs it"))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return order.scheduler(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a server that a test started still lives (asked once, by the controlling process)."""
    if hasattr(session.config, "workerinput"):
        return
    session.config.stash[left] = leftovers.find(os.environ, seconds=10.0)
    if session.config.stash[left] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    running = config.stash.get(left, [])
    if running:
        terminalreporter.section("left running by the tests", red=True)
        for line in running:
            terminalreporter.write_line(line)


left = pytest.StashKey[list[str]]()

Golden = Callable[[str, str], None]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with the file of that name under `tests/golden`; `./dev golden` rewrites the file."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--golden-update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"no golden file {name}: ./dev golden writes it"
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; if that is meant: ./dev golden"

    return compare
