"""Gluon beside Neutron: what it brings is nothing of Neutron's, and what it shares with Neutron may stay in its version."""

import json
import subprocess
from typing import Any

import pytest

from gluon.testing.servers import neutron

SCRIPT = """
import importlib.metadata as metadata, json
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as plain

def needs(name, extra=""):
    for line in metadata.requires(name) or ():
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            yield wanted

def closure(*names):
    found, left = set(), list(names)
    while left:
        name = plain(left.pop())
        if name not in found:
            found.add(name)
            left += [one.name for one in needs(name)]
    return sorted(found)

own = [one for extra in ("", "neutron") for one in needs("gluon", extra)]
print(json.dumps({
    "neutron": closure("neutron", "PyMySQL"),
    "gluon": closure(*[one.name for one in own]),
    "unfit": [str(one) for one in own if not one.specifier.contains(metadata.version(one.name), prereleases=True)],
}))
"""
"""Runs in Neutron's environment."""


@pytest.fixture(scope="module")
def installed() -> dict[str, Any]:
    if reason := neutron.missing():
        pytest.skip(reason)
    asked = [str(neutron.PYTHON), "-I", "-c", SCRIPT]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_brings_only_what_it_needs(installed: dict[str, Any]) -> None:
    brought = set(installed["gluon"]) - set(installed["neutron"])
    assert brought <= {"msgspec", "click", "structlog"}


def test_what_is_shared_stays_in_its_version(installed: dict[str, Any]) -> None:
    assert installed["unfit"] == []
    assert set(installed["gluon"]) & set(installed["neutron"]) == {"pyyaml"}


def test_pip_would_install_nothing_more() -> None:
    if reason := neutron.missing():
        pytest.skip(reason)
    pip = [str(neutron.PYTHON), "-m", "pip", "--disable-pip-version-check"]
    asked = [*pip, "install", "--dry-run", "--no-index", "gluon[neutron]"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Would install" not in done.stdout
    checked = subprocess.run([*pip, "check"], capture_output=True, text=True, check=False, timeout=600)
    assert [line for line in checked.stdout.splitlines() if line.startswith("gluon ")] == []
