"""The journal against the rows: the newest entry of a key says what its row says; and no secret is in the journal.

In: a checkup, the projection that relay and resync publish by. Out: its findings. What must be equal is what the two would publish:
then etcd is the same whichever of them wrote it. Of entries digests are kept, 8 bytes a key of etcd.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from gluon.integrity.findings import Checkup, Kind
from gluon.objects import codec, journal, keys
from gluon.spi import projection, tables
from gluon.store import fixed
from gluon.store.deciding import entry_of

_JOURNAL = next(t for t in fixed.TABLES if t.name == fixed.JOURNAL)
_GONE = b""
_ELDER = b"?"
"""Of an entry that is older than the model on record: it tells that there is an object, not how it looks by now."""

_CURE = "restore a backup; or take the row as right: write the object once more, then gluon resync"


async def check(checkup: Checkup, picture: projection.Projection, own: tuple[tables.Table, ...]) -> None:
    """`own`: the tables of objects that the projection knows."""
    secret = {
        key: [a.name for a in r.type.attributes.values() if a.secret]
        for key, r in checkup.known.by_name.items()
        if r.records.has_secrets
    }
    since = {r.api: r.at for r in await checkup.picture.models()}
    told: dict[str, bytes] = {}
    async for chunk in checkup.picture.scan(_JOURNAL):
        for row in chunk:
            entry = entry_of(tuple(row[c] for c in fixed.JOURNAL_COLUMNS))
            if secret:
                _secrets(checkup, entry, secret)
            if entry.intent:
                elder = entry.at < since.get(entry.api, "")
                for key, value in picture.of_entry(entry):
                    told[key] = _GONE if value is None else _ELDER if elder else _digest(value)
    for table in own:
        if table.name in checkup.picture.there:
            await _rows(checkup, picture, table, told)
    for key, value in told.items():
        if value != _GONE:
            checkup.find(
                Kind.JOURNAL, "", key, "the newest entry of the journal makes it, and there is no row", _CURE
            )


async def _rows(
    checkup: Checkup, picture: projection.Projection, table: tables.Table, told: dict[str, bytes]
) -> None:
    """Each row takes its key out of what the journal tells."""
    oldest = checkup.picture.oldest
    async for chunk in checkup.picture.scan(table):
        for row in chunk:
            for key, value in picture.of_row(table.name, row):
                if key.startswith(keys.SECRET):
                    continue
                said = told.pop(key, None)
                if said == _GONE:
                    why = "the newest entry of the journal deletes it, and its row is there"
                elif said is None:
                    revision = row.get("_revision")
                    if not isinstance(revision, int) or not oldest or revision < oldest:
                        continue  # its entries were trimmed
                    why = f"the journal, which goes back to revision {oldest}, has nothing of its revision {revision}"
                elif said not in (_ELDER, _digest(value)):
                    why = "its row says other than the newest entry of the journal"
                else:
                    continue
                checkup.find(Kind.JOURNAL, table.name, key, why, _CURE)


def _secrets(checkup: Checkup, entry: journal.Entry, secret: Mapping[tuple[str, str], list[str]]) -> None:
    for text in (entry.old, entry.new):
        names = secret.get((entry.api, entry.type), ()) if text is not None else ()
        body = codec.decode(text) if names and text is not None else {}
        for name in names:
            if body.get(name) is not None:
                checkup.find(
                    Kind.SECRETS, fixed.JOURNAL, f"{entry.api} {entry.type} {entry.key}",
                    f"the journal holds its {name} in the clear, at revision {entry.revision}",
                    "change the secret; the entry goes when the journal is trimmed",
                )  # fmt: skip


def _digest(value: bytes) -> bytes:
    return blake2b(value, digest_size=8).digest()
