"""The demo as a newcomer runs it, with packets and without."""

import subprocess
import sys

import pytest

from gluon.testing.lab import needs, unmet_needs


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gluon.testing.demo", *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.packet
def test_the_demo_with_packets() -> None:
    if why := unmet_needs(*needs.SWITCH, *needs.SPEAKER, "etcd"):
        pytest.skip(why)
    done = demo()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MPLS labels on the wire between A and B: " in done.stdout
    assert "All is as it must be" in done.stdout


def test_the_demo_without_packets() -> None:
    done = demo("--fake")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "red2" in done.stdout
    assert "All is as it must be" in done.stdout
