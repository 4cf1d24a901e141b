"""Differences and plans as people and programs read them. Pure; used by commands and by a server that refuses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gluon.evolve.changes import Change, Impact, heaviest
from gluon.evolve.plan import Kind, Plan

_MEANING = {
    None: "nothing differs",
    Impact.COMPATIBLE: "compatible: takes effect at once",
    Impact.VALIDATION: "stored objects must be looked at first: gluon db upgrade does",
    Impact.MIGRATION: "stored objects must be rewritten: gluon db upgrade does",
    Impact.REFUSED: "cannot be done as it is",
}


def lines(changes: Sequence[Change]) -> Iterator[str]:
    """A table of the changes, and what they come to."""
    rows = [(c.impact.value, "breaking" if c.breaking else "", c.where, c.what, _why(c)) for c in changes]
    widths = [max(len(row[n]) for row in rows) if rows else 0 for n in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True)]
        yield "  ".join([*(cell for cell, width in zip(cells, widths, strict=True) if width), row[4]])
    yield _MEANING[heaviest(list(changes))]


def _why(change: Change) -> str:
    return f"{change.reason}; {change.cure}" if change.cure else change.reason


def steps(plan: Plan) -> Iterator[str]:
    """The steps, numbered, with rows; what stands in the way comes first, then what clients will notice."""
    for api, change in plan.refused:
        yield f"refused  {api} {change.where}: {change.what} ({_why(change)})"
    if plan.refused:
        yield "nothing can be done before that is cured"
        return
    for api, changes in plan.changes.items():
        for change in changes:
            if change.breaking:
                yield f"breaking  {api} {change.where}: {change.what} ({_why(change)})"
    if not plan.steps:
        yield "nothing to do: the database has these models"
    for n, step in enumerate(plan.steps, 1):
        of = f"{step.api} {step.object_type}" if step.object_type else ""
        rows = f"{step.rows} rows" if step.kind is not Kind.SWITCH else ""
        yield "  ".join(part for part in (f"{n}.", step.kind.value.ljust(6), of, rows, step.words) if part)
    if plan.left and not any(s.kind is Kind.DROP for s in plan.steps):
        yield f"   then nothing uses {', '.join(plan.left)}: gluon db upgrade --drop drops what is left"


def facts(plan: Plan) -> dict[str, Any]:
    """A plan as JSON-able data."""
    return {
        "digest": plan.digest,
        "at_once": plan.at_once,
        "changes": {api: [c.facts() for c in found] for api, found in plan.changes.items()},
        "refused": [{"api": api, **c.facts()} for api, c in plan.refused],
        "steps": [
            {
                "kind": s.kind.value, "api": s.api, "object_type": s.object_type, "table": s.table,
                "columns": list(s.columns), "unique": s.unique, "rows": s.rows, "words": s.words,
            }
            for s in plan.steps
        ],
        "left": list(plan.left),
    }  # fmt: skip


def refusal(plan: Plan) -> list[str]:
    """Why a server does not start with these models, and what to do."""
    cure = (
        "change the model as it says, then:"
        if plan.refused
        else "with the same --model, --config and --database:"
    )
    head = "the database holds objects of other models, and these need more than a start:"
    return [head, *steps(plan), f"look at it with `gluon db plan`, {cure} `gluon db upgrade`"]
