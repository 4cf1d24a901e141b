"""`gluon audit`: who changed what, as the journal of the database has it.

In: a database, filters. Out: a line for each change, oldest first, on standard output. Called by `audit_commands`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import click

from gluon.objects import codec, journal
from gluon.spi import store
from gluon.spi.policy import normal_project
from gluon.store.ddl import listed
from gluon.store.deciding import entry_of
from gluon.store.fixed import JOURNAL_COLUMNS
from gluon.store.picture import Picture, look
from gluon.values.text import shown

_CHUNK = 1000
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to tell; empty: everything. `since` is a time as the journal has it, or a revision."""

    api: str = ""
    type: str = ""
    key: str = ""
    who: str = ""
    project: str = ""
    request: str = ""
    since: str = ""
    limit: int = 0

    def conditions(self) -> tuple[list[str], list[store.Value]]:
        """SQL, with its arguments."""
        equal = (
            ("api", self.api), ("type", self.type), ("key", self.key), ("who", self.who),
            ("project", normal_project(self.project)), ("request_id", self.request),
        )  # fmt: skip
        texts = [f"{listed([column])} = ?" for column, value in equal if value]
        values: list[store.Value] = [value for _, value in equal if value]
        if self.since and not self.since.isdigit():
            texts.append("at >= ?")
            values.append(self.since)
        return texts, values


def show(url: str, filters: Filters, *, as_json: bool) -> int:
    """Print the changes."""

    async def main() -> None:
        async with look(url) as picture:
            async for entry in _entries(picture, filters):
                click.echo(shown(json.dumps(facts(entry), ensure_ascii=False)) if as_json else told(entry))

    asyncio.run(main())
    return 0


async def _entries(picture: Picture, filters: Filters) -> AsyncIterator[journal.Entry]:
    """By revision; with a limit the newest ones."""
    texts, values = filters.conditions()
    place = (int(filters.since) if filters.since.isdigit() else 0, -1)
    if filters.limit:
        place = max(place, await _begin(picture, texts, values, filters.limit))
    names = listed(JOURNAL_COLUMNS)
    while True:
        where = " AND ".join(["(revision > ? OR (revision = ? AND n > ?))", *texts])
        rows = await picture.fetch(
            f"SELECT {names} FROM journal WHERE revision >= ? AND {where} ORDER BY revision, n LIMIT {_CHUNK}",
            place[0], place[0], *place, *values,
        )  # fmt: skip
        for row in rows:
            entry = entry_of(row)
            place = (entry.revision, entry.n)
            yield entry
        if len(rows) < _CHUNK:
            return


async def _begin(
    picture: Picture, texts: list[str], values: list[store.Value], limit: int
) -> tuple[int, int]:
    """The place before the change that is the `limit`-th from the end."""
    where = f" WHERE {' AND '.join(texts)}" if texts else ""
    rows = await picture.fetch(
        f"SELECT revision, n FROM journal{where} ORDER BY revision DESC, n DESC LIMIT 1 OFFSET {limit - 1}",
        *values,
    )
    return (int(rows[0][0]), int(rows[0][1]) - 1) if rows else (0, -1)


def facts(entry: journal.Entry) -> dict[str, Any]:
    """Plain data. The journal holds no secrets."""
    return {
        "revision": entry.revision, "at": entry.at, "who": entry.who, "request_id": entry.request_id,
        "op": entry.op.value, "api": entry.api, "type": entry.type, "key": entry.key, "project": entry.project,
        "intent": entry.intent, "changed": changed(entry),
    }  # fmt: skip


def changed(entry: journal.Entry) -> dict[str, Any]:
    """By attribute what it was and is; of a new object what is not null."""
    old = codec.decode(entry.old) if entry.old else {}
    new = codec.decode(entry.new) if entry.new else {}
    if not isinstance(old, dict) or not isinstance(new, dict):
        return {}
    if entry.new is None:
        return {}
    return {
        name: [old.get(name), new.get(name)]
        for name in {**new, **old}
        if old.get(name) != new.get(name) and name != "updated_at"
    }


def told(entry: journal.Entry) -> str:
    """One line. What clients wrote is quoted, so that it cannot look like a line of ours."""
    parts = [
        f"{name}: {_quoted(was)} → {_quoted(is_)}" if entry.old else f"{name}: {_quoted(is_)}"
        for name, (was, is_) in changed(entry).items()
    ]
    what = f"{entry.op.value} {entry.api} {entry.type} {_plain(entry.key)}"
    return f"{entry.revision}  {entry.at}  {_plain(entry.who)}  {what}  {'; '.join(parts)}".rstrip()


def _plain(text: str) -> str:
    return text if text.isprintable() and text else json.dumps(text)


def _quoted(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
