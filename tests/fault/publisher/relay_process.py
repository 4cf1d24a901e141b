"""A process that relays and nothing else, to be killed: `relay_process.py DATABASE_URL ETCD_URL`."""

from __future__ import annotations

import asyncio
import sys

from gluon import store
from gluon.kv.connect import connect
from tests.unit.publisher.parts import THING, persist, relay_of


async def main(database_url: str, etcd_url: str) -> None:
    database = store.open(database_url)
    await database.install((THING,), ())
    await persist(relay_of(database, connect([etcd_url])))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
