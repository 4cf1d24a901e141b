"""What differs between two models of one proton, as data: found by `diff`, used by `plan`, shown by `words`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

GIVEN_BACK = "the pool gets back the values that are stored"
"""A reason."""


class Impact(StrEnum):
    """What a change asks of a database that holds objects; the later one weighs more."""

    COMPATIBLE = "compatible"
    """Takes effect at once."""
    VALIDATION = "validation"
    """Stored data must be looked at first: some of it may not be allowed any more."""
    MIGRATION = "migration"
    """Stored data, or the table that holds it, must be rewritten."""
    REFUSED = "refused"
    """Cannot be done; `Change.cure` says what can."""


WEIGHT = {impact: weight for weight, impact in enumerate(Impact)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. `object_type` is empty for the model itself, `attribute` for the type itself.

    `attribute` is a path below the object type (`routes[].prefix`), in the words of the new model where
    it is still there. `old` and `new` are texts for people. `breaking`: a client of the old model may fail.
    `stored`: only because objects are stored; without any of this type it is no more than a migration.
    """

    object_type: str = ""
    attribute: str = ""
    aspect: str
    old: str = ""
    new: str = ""
    impact: Impact
    reason: str
    cure: str = ""
    breaking: bool = False
    stored: bool = False

    @property
    def where(self) -> str:
        """`Type.attribute`, or `model`."""
        return ".".join(part for part in (self.object_type, self.attribute) if part) or "model"

    @property
    def what(self) -> str:
        """`aspect: old → new`."""
        if not self.old and not self.new:
            return self.aspect
        return f"{self.aspect}: {self.old or 'none'} → {self.new or 'none'}"

    def facts(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {
            "where": self.where, "object_type": self.object_type, "attribute": self.attribute,
            "aspect": self.aspect, "old": self.old, "new": self.new, "impact": self.impact.value,
            "reason": self.reason, "cure": self.cure, "breaking": self.breaking,
        }  # fmt: skip


def heaviest(changes: tuple[Change, ...] | list[Change]) -> Impact | None:
    """The impact that decides; None without changes."""
    return max((c.impact for c in changes), key=WEIGHT.__getitem__, default=None)
