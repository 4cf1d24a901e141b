"""The page about the backend names every option and every reason."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from gluon.backends.bgp_mpls import config

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/backends/bgp_mpls.md").read_text(encoding="utf-8")
SOURCES = ROOT / "src/gluon/backends/bgp_mpls"
REASON = re.compile(r'(?:return|_no\([\w.]+,|reason=) ?"([A-Z]\w+)"')


@pytest.mark.parametrize("option", [f.name for f in dataclasses.fields(config.Config)])
def test_an_option_is_described(option: str) -> None:
    assert f"`{option}`" in PAGE


def test_every_reason_is_described() -> None:
    found = {reason for path in SOURCES.glob("*.py") for reason in REASON.findall(path.read_text())}
    # Those of the start of a shim are in no condition.
    known = found - {"Ready", "InvalidConfiguration", "ForeignBridge", "MissingProgram", "SwitchRefused"}
    assert len(known) > 12
    assert {reason for reason in known if f"`{reason}`" not in PAGE} == set()
