"""Up to where others were told of the journal: Nova, and the hooks that run after a commit. None can be further than the journal is.

In: a checkup. Out: its findings; `beyond` also tells `mending` which. What lies between would never be told.
"""

from __future__ import annotations

from gluon.integrity.findings import Checkup, Kind
from gluon.nova import place
from gluon.publisher import aftermath
from gluon.store.ddl import quoted

_WHO = {place.NAME: "Nova", aftermath.HOOK: "a hook"}


async def check(checkup: Checkup) -> None:
    for table, name, revision in await beyond(checkup):
        checkup.find(
            Kind.PLACES, table, f"{table} {name}",
            f"{_WHO[table]} was told of all up to revision {revision}, and the database is at {checkup.picture.revision}",
            "gluon db check --repair has it told again", mendable=True,
        )  # fmt: skip


async def beyond(checkup: Checkup) -> list[tuple[str, str, int]]:
    """Table, name and revision of each place that is after the end."""
    found: list[tuple[str, str, int]] = []
    for table in _WHO:
        if table in checkup.picture.there:
            rows = await checkup.picture.fetch(
                f"SELECT name, revision FROM {quoted(table)} WHERE incarnation = ? AND revision > ?",
                checkup.picture.incarnation,
                checkup.picture.revision,
            )
            found += [(table, str(name), int(revision)) for name, revision in rows]
    return found


async def mend(checkup: Checkup) -> int:
    """Each begins again: whoever is told may hear twice, and misses nothing."""
    wrong = await beyond(checkup)
    for table, name, _ in wrong:
        await checkup.picture.fetch(f"UPDATE {quoted(table)} SET revision = 0 WHERE name = ?", name)
    return len(wrong)
