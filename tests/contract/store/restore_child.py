"""A process that restores, to be killed: `python restore_child.py URL FILE`."""

import asyncio
import sys
from pathlib import Path

from gluon.store import restoring
from tests.contract.store import world

if __name__ == "__main__":
    url, path = sys.argv[1:]
    wish = restoring.Wish(replace=True)
    asyncio.run(restoring.restore(url, Path(path), lambda _: world.TABLES, wish))
