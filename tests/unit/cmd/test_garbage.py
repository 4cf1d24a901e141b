"""What was found in use is not gone through again; what nobody uses goes all the same."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
from gluon.cmd import garbage

class Thing:
    pass

garbage.settle(700, 10, 10)
before = gc.get_freeze_count()
kept = [Thing() for _ in range(6000)]
alone = Thing()
alone.itself = alone
del alone
gc.collect()
assert gc.get_freeze_count() >= before + 6000
assert not any(isinstance(one, Thing) for one in gc.get_objects())
gone = gc.get_freeze_count()
del kept
assert gc.get_freeze_count() <= gone - 6000
print("held")
"""


def test_what_has_stayed_is_not_looked_at_again() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.stdout == "held\n", done.stderr
