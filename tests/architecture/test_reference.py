"""The pages under docs/reference say what the code says."""

import subprocess
import sys

from tests.architecture import tree


def test_the_reference_is_current() -> None:
    command = [sys.executable, "scripts/reference.py", "--check"]
    done = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
