"""The rate limits of a process, from the settings. Called by `node`."""

from __future__ import annotations

from gluon.api.rates import Rate, Rates
from gluon.cmd import settings as config
from gluon.spi.policy import normal_project


def of(settings: config.Settings) -> Rates | None:
    """None where no project has a limit. The workers of a host have equal shares."""
    limits, share = settings.limits, settings.api.workers
    if not limits.rate and not any(limits.projects.values()):
        return None

    def made(rate: float) -> Rate:
        return Rate(rate=rate / share, burst=max(1.0, (limits.burst or rate) / share))

    single = {normal_project(project): made(rate) for project, rate in limits.projects.items()}
    return Rates(made(limits.rate), single)
