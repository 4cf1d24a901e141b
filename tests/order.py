"""Which tests go to a worker together, and in what order: whoever waits longest starts first, so that nobody ends late.

In: test ids. Out: units of work for pytest-xdist. The tests of a file share servers, so they stay together; those that
share nothing but take long are units of their own. Called by `tests/conftest.py` only.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ALONE = (
    "tests/api/fuzz/",
    "tests/fault/",
    "tests/api/test_protons.py",
    "tests/contract/evolve/",
    "tests/contract/publisher/",
    "tests/contract/store/",
    "tests/contract/testing/",
    "tests/docs/test_tutorials.py",
    "tests/packet/bgp_mpls/test_conformance.py",
)
"""Each test by itself."""

TOGETHER = ("tests/packet/system/",)
"""All files of the folder as one: they share a set-up of half a minute."""

FIRST = (
    "tests/packet/system/",
    "tests/api/fuzz/",
    "tests/fault/evolve/",
    "tests/fault/system/",
    "tests/api/test_keystone.py",
    "tests/packet/",
    "tests/fault/",
    "tests/docs/",
    "tests/api/",
    "tests/contract/",
)
"""Longest first; what is not named comes last."""


def unit(test: str) -> str:
    """The name of the unit that a test belongs to."""
    for folder in TOGETHER:
        if test.startswith(folder):
            return folder
    return test if test.startswith(ALONE) else test.partition("::")[0]


def rank(test: str) -> int:
    """The place of a test among all: lowest first."""
    return next((place for place, start in enumerate(FIRST) if test.startswith(start)), len(FIRST))


def scheduler(config: pytest.Config, log: Any) -> Any:
    """pytest-xdist's scheduler of whole units, with ours."""
    config.option.loadscopereorder = False  # it would sort them by how many tests they have
    made = LoadScopeScheduling(config, log)
    made._split_scope = unit
    return made
