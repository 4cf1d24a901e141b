"""The watch streams of one process, put together. Called by `node`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gluon.api import lane, watch, watching
from gluon.identity.gate import Gate
from gluon.identity.staying import Staying
from gluon.policy.engine import Engine
from gluon.proton import registry, service
from gluon.spi import store
from gluon.watch import feed
from gluon.watch.settings import Settings

_ALONE = 1.0
"""Seconds between two looks for commits of other processes where there are none: our own are heard of."""


def make(
    database: store.Store,
    known: Callable[[], registry.Registry],
    actions: service.Service,
    standings: service.Standings,
    rules: Engine,
    renew: Callable[[], Awaitable[None]],
    guarding: lane.Guard,
    *,
    alone: bool,
) -> tuple[feed.Feed, watch.Streams]:
    """`renew` brings the models up to date; `alone`: no other process writes to this database."""
    served = watching.Served(known, database, standings, renew, lambda: rules.rules)
    settings = Settings(look=_ALONE) if alone else Settings()
    made = feed.Feed(database, served, settings)
    staying = Staying(guarding) if isinstance(guarding, Gate) else None
    return made, watch.Streams(made, served, known, actions, rules, staying)
