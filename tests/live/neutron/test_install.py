"""Gluon beside Neutron: it needs nothing that Neutron's environment has in another version."""

import subprocess

import pytest

from gluon.testing.servers import neutron


def test_the_extra_changes_no_version_in_neutrons_environment() -> None:
    if reason := neutron.missing():
        pytest.skip(reason)
    pip = [str(neutron.PYTHON), "-m", "pip", "--disable-pip-version-check"]
    asked = [*pip, "install", "--dry-run", "--no-index", "gluon[neutron]"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Would install" not in done.stdout
    checked = subprocess.run([*pip, "check"], capture_output=True, text=True, check=False, timeout=120)
    assert [line for line in checked.stdout.splitlines() if line.startswith("gluon ")] == []
