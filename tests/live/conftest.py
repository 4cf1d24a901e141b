"""Who names a suite wants it run: what another suite would skip for want of a program has failed here."""

from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        report.outcome = "failed"
        report.longrepr = report.longrepr[2]  # why
    return report
