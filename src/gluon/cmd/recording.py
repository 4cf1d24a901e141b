"""What is recorded of each answered request: the access log, the audit log, both or nothing.

In: settings. Out: `api.lane.Record`, None where nothing is wanted, which costs a request nothing. Called by `node`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from gluon.api import lane
from gluon.cmd import settings as config
from gluon.cmd.audit import Audit

log = structlog.get_logger(__name__)

_LONGEST = 500


@contextmanager
def audit(settings: config.Audit) -> Iterator[Audit | None]:
    """Open as long as requests are answered. Raises `SettingsError`."""
    if not settings.file:
        yield None
        return
    made = Audit(settings.file)
    try:
        yield made
    finally:
        made.close()


def recorder(logs: config.Logs, kept: Audit | None) -> lane.Record | None:
    if not logs.access:
        return kept.record if kept is not None else None

    def record(answered: lane.Answered) -> None:
        if kept is not None:
            kept.record(answered)
        caller = answered.caller
        log.info(
            "request",
            method=answered.method,
            path="/" + "/".join(answered.path)[:_LONGEST],
            status=answered.status,
            ms=round(answered.seconds * 1000, 1),
            project=caller.project if caller is not None else None,
            user=caller.user if caller is not None else None,
            request_id=answered.request_id,
        )

    return record
