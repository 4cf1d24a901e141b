"""What an admin does to the protons of a running server: load, replace, retire.

In: texts of a model. Out: the models on record changed, and answered once every living process serves them,
or after two seconds with the names of those that are late. Called by the routes under `/gluon/v1/protons`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gluon import errors
from gluon.cmd import parsing
from gluon.cmd.presence import Presence
from gluon.cmd.protons import Protons
from gluon.evolve.survey import loaded
from gluon.model.types import Model
from gluon.spi import policy
from gluon.spi.upgrade import Upgradable

_PATIENCE = 2.0
"""Seconds that an answer waits for processes that are late."""


class Administration:
    """The protons of one process, and through the database those of all."""

    def __init__(self, database: Upgradable, protons: Protons, presence: Presence) -> None:
        self._database = database
        self._protons = protons
        self._presence = presence

    async def loaded(self) -> dict[str, Any]:
        """Who loaded which model, when, and which epoch each process serves."""
        served = {m.name: m for m in self._protons.models}
        records = await loaded(self._database)
        try:
            processes = await self._presence.epochs()
        except errors.BusError:
            processes = {}
        return {
            "loaded": [
                {
                    "name": kept.api,
                    "version": kept.version,
                    "versions": [v.model.version for v in served[kept.api].versions],
                    "digest": kept.digest,
                    "by": kept.who or "the server's own files",
                    "at": kept.at,
                }
                for kept in records
                if kept.api in served
            ],
            "epoch": self._protons.epoch,
            "processes": processes,
        }

    async def load(self, texts: Mapping[str, str], api: str | None, caller: policy.Caller) -> dict[str, Any]:
        """A new model served, or that of `api` replaced. Raises `Invalid` with every problem of the texts."""
        _admin(caller)
        model = await _one(texts)
        if api is not None and model.name != api:
            raise errors.Conflict(f"the model is one of {model.name}, not of {api}", code="name")
        epoch = await self._protons.load(self._database, model, caller.user, replace=api is not None)
        facts = {"name": model.name, "version": model.version, "digest": model.digest}
        return facts | await self._settled(epoch)

    async def retire(self, api: str, force: bool, caller: policy.Caller) -> dict[str, Any]:
        """A model served no more."""
        _admin(caller)
        epoch = await self._protons.retire(self._database, api, force=force)
        return {"name": api} | await self._settled(epoch)

    async def _settled(self, epoch: int) -> dict[str, Any]:
        return {"epoch": epoch, "late": await self._presence.late(epoch, limit=_PATIENCE)}


def _admin(caller: policy.Caller) -> None:
    if not caller.admin:
        raise errors.Forbidden("only an admin may change which protons there are")


async def _one(texts: Mapping[str, str]) -> Model:
    """The one proton that the texts make, with its other versions."""
    try:
        models = await parsing.parse(texts)
    except errors.ModelError as error:
        raise errors.Invalid(
            [
                errors.FieldProblem(
                    pointer=f"/files/{p.file.replace('~', '~0').replace('/', '~1')}",
                    code="model",
                    message=f"{p.file}:{p.line}:{p.column}: {p.message}",
                    hint=p.hint,
                )
                for p in error.problems
            ]
        ) from None
    if len(models) != 1:
        names = ", ".join(m.name for m in models) or "none"
        raise errors.Invalid(
            [
                errors.FieldProblem(
                    pointer="/files",
                    code="model",
                    message=f"the files make {len(models)} protons ({names})",
                    hint="load one at a time; all versions of one belong together",
                )
            ]
        )
    return models[0]
