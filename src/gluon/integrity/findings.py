"""A finding: what is not as it must be, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gluon.model.types import Model
from gluon.particles import tables as model_tables
from gluon.proton import registry
from gluon.spi import tables
from gluon.store.picture import Picture

MOST = 20
"""Findings of one kind and table that are told one by one; the rest is counted."""


class Kind(StrEnum):
    """What is looked at, in this order."""

    SCHEMA = "schema"
    REFERENCES = "references"
    UNIQUE = "unique"
    POOLS = "pools"
    QUOTAS = "quotas"
    JOURNAL = "journal"
    PORTS = "ports"
    NETWORKS = "networks"
    PLACES = "places"
    SECRETS = "secrets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`where`: a table, or an object as `<api> <type> <key>`. `mendable`: `--repair` cures it."""

    kind: Kind
    where: str
    message: str
    cure: str
    mendable: bool = False

    def facts(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value, "where": self.where, "message": self.message, "cure": self.cure,
            "mendable": self.mendable,
        }  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Checkup:
    """One look at a database: what is known of it, and what was found so far."""

    picture: Picture
    models: tuple[Model, ...]
    known: registry.Registry
    others: tuple[tables.Table, ...]
    findings: list[Finding] = field(default_factory=list)
    more: dict[tuple[Kind, str], int] = field(default_factory=dict)
    """By kind and table: how many there are in all, where that is more than are told."""
    unreadable: bool = False
    """Some rows are, so that not all was looked at."""

    @property
    def wanted(self) -> tuple[tables.Table, ...]:
        return (*self.others, *model_tables.tables_of(self.models))

    def find(
        self, kind: Kind, table: str, where: str, message: str, cure: str, *, mendable: bool = False
    ) -> None:
        """One more, told as long as there are few of its kind and table."""
        place = (kind, table)
        self.more[place] = self.more.get(place, 0) + 1
        if self.more[place] <= MOST:
            self.findings.append(
                Finding(kind=kind, where=where, message=message, cure=cure, mendable=mendable)
            )

    @property
    def untold(self) -> dict[str, int]:
        """How many more there are, by kind and table."""
        return {f"{k} {t}": n - MOST for (k, t), n in self.more.items() if n > MOST}

    @property
    def total(self) -> int:
        return sum(self.more.values())


def named(resource: registry.Resource, key: object) -> str:
    """An object, for people."""
    return f"{resource.api} {resource.name} {key}"
