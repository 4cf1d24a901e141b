"""What was found in use is seldom gone through again; what nobody uses goes all the same, and at last what only refers to itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import gc, weakref
from gluon.cmd import garbage

class Thing:
    pass

garbage.settle(700, 10, 10)
gc.disable()  # it looks when it is told to
usual = gc.get_freeze_count()
"""
STAYS = """
kept = [Thing() for _ in range(6000)]
alone = Thing()
alone.itself = alone
gone = weakref.ref(alone)
del alone
gc.collect()
assert gone() is None
past = gc.get_freeze_count()
assert past >= usual + 6000
assert not any(isinstance(one, Thing) for one in gc.get_objects())
del kept
assert gc.get_freeze_count() <= past - 6000
"""
ENDS = """
ring = [Thing() for _ in range(6000)]
ring[0].all = ring
ended = weakref.ref(ring[0])
gc.collect()
del ring
gc.collect()
assert ended() is not None, "nobody has looked at it again"
kept = [Thing() for _ in range(2 * usual)]
for _ in range(2):
    gc.collect()
assert ended() is None
assert not any(isinstance(one, Thing) for one in gc.get_objects()), "and they are gone past again"
"""


@pytest.mark.parametrize("program", [STAYS, ENDS])
def test_what_is_looked_at(program: str) -> None:
    words = [sys.executable, "-c", f"{BEGIN}{program}print('held')"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout == "held\n", done.stderr
