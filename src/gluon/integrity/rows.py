"""What the database itself should hold: schema, references, unique groups; and the counts of quotas.

In: a checkup. Out: its findings. Everything is counted by the database, so memory stays flat.
"""

from __future__ import annotations

from gluon.integrity.findings import MOST, Checkup, Kind, named
from gluon.particles import tables as model_tables
from gluon.proton import registry
from gluon.proton.tables import USAGE
from gluon.spi import tables
from gluon.store.ddl import listed, quoted

_RESTORE = "restore a backup, or repair the row by hand with servers stopped"


def schema(checkup: Checkup) -> None:
    """Tables, columns, indexes and references are those that the models need."""
    found = checkup.picture.difference(checkup.wanted)
    for reason in found.reasons:
        checkup.find(
            Kind.SCHEMA, "", reason.split(" ", 1)[0], reason, "restore a backup into an empty database"
        )
    for sql in found.statements:
        name = sql.split("\n", 1)[0]
        checkup.find(
            Kind.SCHEMA,
            "",
            name,
            f"the schema lacks what this would make: {name}",
            "start a server: it makes what is missing",
        )


async def references(checkup: Checkup) -> None:
    """Whatever refers to something refers to what is there."""
    by_name = {t.name: t for t in checkup.wanted}
    for table in by_name.values():
        for foreign in table.foreign:
            if table.name in checkup.picture.there and foreign.table in checkup.picture.there:
                await _dangling(checkup, table, foreign, by_name[foreign.table])
    for api in checkup.known.made.values():
        for resource in api.values():
            await _links(checkup, resource)


async def _dangling(
    checkup: Checkup, table: tables.Table, foreign: tables.ForeignKey, target: tables.Table
) -> None:
    column, key = quoted(foreign.column), quoted(target.key[0])
    rows = await checkup.picture.fetch(
        f"SELECT a.{quoted(table.key[0])}, a.{column} FROM {quoted(table.name)} a LEFT JOIN {quoted(target.name)} b"
        f" ON b.{key} = a.{column} WHERE a.{column} IS NOT NULL AND b.{key} IS NULL"
        f" ORDER BY a.{quoted(table.key[0])} LIMIT {MOST * 50}"
    )
    for owner, value in rows:
        checkup.find(
            Kind.REFERENCES, table.name, f"{table.name} {owner}",
            f"{foreign.column} refers to {target.name} {value}, which is not there", _RESTORE,
        )  # fmt: skip


async def _links(checkup: Checkup, resource: registry.Resource) -> None:
    """The rows of a link table are those that the values of its owners make."""
    there = checkup.picture.there
    links = [r for r in resource.links if r.link_table in there and resource.table in there]
    if not links:
        return
    table = model_tables.table(resource.model, resource.type)
    for reference in links:
        kept: dict[object, set[object]] = {}
        rows = await checkup.picture.fetch(
            f"SELECT {listed((model_tables.OWNER, model_tables.TARGET))} FROM {quoted(reference.link_table)}"
        )
        for owner, target in rows:
            kept.setdefault(owner, set()).add(target)
        async for chunk in checkup.picture.scan(table):
            for row in chunk:
                key = row[reference.owner_key]
                wanted = {target for _, target in reference.held(row)}
                if wanted != kept.pop(key, set()):
                    checkup.find(
                        Kind.REFERENCES, reference.link_table, named(resource, key),
                        f"{reference.name} and the table {reference.link_table} disagree",
                        f"write {reference.attribute} of the object once more with another value, then with its own",
                    )  # fmt: skip


async def unique(checkup: Checkup) -> None:
    """No two rows share what must be unique; null is unlike null."""
    for table in checkup.wanted:
        for columns in table.unique:
            if table.name not in checkup.picture.there:
                continue
            given = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in columns)
            rows = await checkup.picture.fetch(
                f"SELECT {listed(columns)}, COUNT(*) FROM {quoted(table.name)} WHERE {given}"
                f" GROUP BY {listed(columns)} HAVING COUNT(*) > 1 LIMIT {MOST * 5}"
            )
            for *values, count in rows:
                told = ", ".join(f"{c.lstrip('_')} {v!r}" for c, v in zip(columns, values, strict=True))
                checkup.find(
                    Kind.UNIQUE, table.name, table.name, f"{count} objects have {told}",
                    "change or delete all of them but one",
                )  # fmt: skip


async def quotas(checkup: Checkup) -> None:
    """The counts of quotas are those of the rows. A count that was never written is taken from the rows."""
    if USAGE not in checkup.picture.there:
        return
    kept = {
        (api, name, project): int(n)
        for api, name, project, n in await checkup.picture.fetch(
            f"SELECT api, type, project, n FROM {quoted(USAGE)}"
        )
    }
    for (api, name), resource in checkup.known.by_name.items():
        if resource.type.quota is None or resource.table not in checkup.picture.there:
            continue
        rows = await checkup.picture.fetch(
            f"SELECT COALESCE(_project, ''), COUNT(*) FROM {quoted(resource.table)} GROUP BY COALESCE(_project, '')"
        )
        counted = {project: int(n) for project, n in rows}
        for project in sorted({*counted, *(p for a, t, p in kept if (a, t) == (api, name))}):
            said = kept.get((api, name, project))
            if said is not None and said != counted.get(project, 0):
                checkup.find(
                    Kind.QUOTAS, resource.table, f"{api} {name}",
                    f"project '{project}' has {counted.get(project, 0)} objects, its count says {said}",
                    "gluon db check --repair counts them anew", mendable=True,
                )  # fmt: skip
