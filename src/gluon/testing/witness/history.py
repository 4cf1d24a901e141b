"""What etcd went through under a prefix, as its watch tells: every value of every key, in order.

In: an etcd that was not compacted since `after`. Out: keys with their values in turn. Used to show
that nothing old ever covered something new.
"""

from __future__ import annotations

import secrets
from contextlib import aclosing
from typing import Any

import msgspec

from gluon.kv.connect import connect

_LIMIT = 20.0


async def read(url: str, prefix: str, *, after: int = 1) -> dict[str, list[dict[str, Any] | None]]:
    """The values of each key since a revision of etcd, None for a delete."""
    bus = connect([url])
    try:
        end = f"{prefix}end-{secrets.token_hex(4)}"
        await bus.put(end, b"{}")
        found: dict[str, list[dict[str, Any] | None]] = {}
        async with aclosing(bus.watch(prefix, after=after)) as stream:  # type: ignore[type-var]
            async for watched in stream:
                for event in watched.events:
                    value = msgspec.json.decode(event.value.value) if event.value else None
                    found.setdefault(event.key, []).append(value)
                if end in found:
                    break
        await bus.delete(end)
        del found[end]
        return found
    finally:
        await bus.close()


def steps_back(history: dict[str, list[dict[str, Any] | None]]) -> list[str]:
    """Where a key got an older value than it had."""
    wrong = []
    for key, values in history.items():
        newest = 0
        for value in values:
            revision = int(value["revision"]) if value is not None else newest
            if revision < newest:
                wrong.append(f"{key}: {revision} after {newest}")
            newest = revision
    return wrong
