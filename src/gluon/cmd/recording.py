"""What is recorded of each answered request: access log, audit log, traces, or nothing.

In: settings. Out: `api.lane.Record`, None where nothing is wanted, which costs a request nothing. Called by `node`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import structlog

from gluon.api import lane
from gluon.cmd import settings as config
from gluon.cmd.audit import Audit
from gluon.cmd.clients import Clients
from gluon.objects import journal
from gluon.store.observed import Times

log = structlog.get_logger(__name__)

_LONGEST = 500


class Tracing(Protocol):
    """`tracing.Tracing`, which is imported only where traces are wanted."""

    def request(self, answered: lane.Answered) -> None: ...

    def stored(self, requests: Sequence[str], times: Times) -> None: ...

    def published(self, entries: Sequence[journal.Entry], began: float) -> None: ...

    def close(self) -> None: ...


@contextmanager
def audit(settings: config.Audit, api: config.Api) -> Iterator[Audit | None]:
    """Open as long as requests are answered. Raises `SettingsError`."""
    if not settings.file:
        yield None
        return
    made = Audit(settings.file, Clients(api.proxies, api.proxy_header))
    try:
        yield made
    finally:
        made.close()


def tracing(settings: config.Trace, process: str) -> Tracing | None:
    """To be closed after the store. Raises `GluonError` where the extra is not installed."""
    if not settings.endpoint:
        return None
    from gluon.cmd import tracing as traces  # noqa: PLC0415 - an extra, and slow to import

    return traces.exporting(settings, process)


def recorder(
    logs: config.Logs, api: config.Api, kept: Audit | None, traces: Tracing | None
) -> lane.Record | None:
    """Raises `SettingsError`."""
    parts = [part for part in (
        kept.record if kept is not None else None,
        traces.request if traces is not None else None,
        _access(Clients(api.proxies, api.proxy_header)) if logs.access else None,
    ) if part is not None]  # fmt: skip
    if len(parts) < 2:
        return parts[0] if parts else None

    def record(answered: lane.Answered) -> None:
        for part in parts:
            part(answered)

    return record


def _access(clients: Clients) -> lane.Record:
    def record(answered: lane.Answered) -> None:
        caller = answered.caller
        log.info(
            "request",
            method=answered.method,
            path="/" + "/".join(answered.path)[:_LONGEST],
            status=answered.status,
            ms=round(answered.seconds * 1000, 1),
            project=caller.project if caller is not None else None,
            user=caller.user if caller is not None else None,
            client=clients.of(answered.headers).address,
            request_id=answered.request_id,
        )

    return record
