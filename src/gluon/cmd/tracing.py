"""Traces from a request to the relay, for OpenTelemetry. Imported only where `trace.endpoint` is set.

In: what the lane answered, batches that were committed, entries that were published. Out: finished spans. Nothing has to be handed
from one process to the next: the id of a trace, and that of its root, are made of the request's id, which the journal
has. A request that brings a trace of its own (`traceparent`) has a span there too, linked with this one.

    request ── store (lock, commit) ── publish
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from gluon import errors
from gluon.api import lane
from gluon.cmd import settings as config
from gluon.objects import journal
from gluon.store.observed import Times

try:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
except ImportError as missing:
    raise errors.GluonError("traces need the extra: pip install 'gluon[otel]'") from missing

_PARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})").fullmatch
_NANO = 1_000_000_000
_LONGEST = 200
_PATIENCE = 3
"""Seconds that a collector has to take spans."""


class Tracing:
    """Makes spans of one process. `ratio`: the share of requests that are traced, the same ones in every process."""

    def __init__(self, processor: SpanProcessor, process: str, ratio: float = 1.0) -> None:
        self._processor = processor
        self._limit = int(ratio * (1 << 64))
        self._resource = Resource.create({"service.name": "gluon", "service.instance.id": process})

    def request(self, answered: lane.Answered) -> None:
        """A `lane.Record`: the root of the trace."""
        given = _given(answered.headers)
        if not self._wanted(answered.request_id) and given is None:
            return
        end = time.time()
        facts = {
            "http.request.method": answered.method,
            "url.path": "/" + "/".join(answered.path)[:_LONGEST],
            "http.response.status_code": answered.status,
            "gluon.request_id": answered.request_id,
        }
        served: Any = getattr(answered.served, "resource", answered.served)
        name = f"{answered.method} {served.api}/{served.name}" if served is not None else answered.method
        own = root(answered.request_id)
        span = self._span(name, own, None, end - answered.seconds, end, facts, kind=SpanKind.SERVER)
        if answered.status >= 500:
            span._status = Status(StatusCode.ERROR)
        self._processor.on_end(span)
        if given is not None:
            there = _context(given.trace_id, _id64(answered.request_id, "given"))
            linked = self._span(
                name,
                there,
                given,
                end - answered.seconds,
                end,
                facts,
                kind=SpanKind.SERVER,
                links=[Link(own)],
            )
            self._processor.on_end(linked)

    def stored(self, requests: Sequence[str], times: Times) -> None:
        """`store.observed.Told`."""
        asked, had, began, ended = times
        for request in requests:
            if self._wanted(request):
                whole = _child(request, "store")
                facts = {"gluon.request_id": request, "gluon.batch.requests": len(requests)}
                self._end("store", whole, root(request), asked, ended, facts)
                self._end("lock", _child(request, "lock"), whole, asked, had, {})
                self._end("commit", _child(request, "commit"), whole, began, ended, {})

    def published(self, entries: Sequence[journal.Entry], began: float) -> None:
        """What the relay has just brought to etcd."""
        ended = time.time()
        revisions = {e.request_id: e.revision for e in entries if e.request_id}
        for request, revision in revisions.items():
            if self._wanted(request):
                facts = {"gluon.request_id": request, "gluon.revision": revision}
                self._end("publish", _child(request, "publish"), root(request), began, ended, facts)

    def close(self) -> None:
        """Send what waits."""
        self._processor.shutdown()

    def _wanted(self, request: str) -> bool:
        return _id64(request, "sample") < self._limit

    def _end(
        self,
        name: str,
        own: SpanContext,
        parent: SpanContext,
        began: float,
        ended: float,
        facts: Mapping[str, Any],
    ) -> None:
        self._processor.on_end(self._span(name, own, parent, began, ended, facts))

    def _span(
        self,
        name: str,
        own: SpanContext,
        parent: SpanContext | None,
        began: float,
        ended: float,
        facts: Mapping[str, Any],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        links: Sequence[Link] = (),
    ) -> ReadableSpan:
        return ReadableSpan(
            name, own, parent, self._resource, facts, kind=kind, links=links,
            start_time=int(began * _NANO), end_time=int(ended * _NANO),
        )  # fmt: skip


def exporting(settings: config.Trace, process: str) -> Tracing:
    """Sent by OTLP over HTTP, from a thread. Raises `GluonError` without the extra."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as missing:
        raise errors.GluonError("traces need the extra: pip install 'gluon[otel]'") from missing
    exporter = OTLPSpanExporter(endpoint=settings.endpoint, timeout=_PATIENCE)
    return Tracing(BatchSpanProcessor(exporter), process, settings.ratio)


def root(request: str) -> SpanContext:
    """The trace of a request and its first span, for whoever knows the request's id."""
    return _context(_trace(request), _id64(request, "request"))


def _child(request: str, name: str) -> SpanContext:
    return _context(_trace(request), _id64(request, name))


def _trace(request: str) -> int:
    return int.from_bytes(hashlib.blake2b(request.encode(), digest_size=16).digest()) or 1


def _id64(request: str, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{name} {request}".encode(), digest_size=8).digest()) or 1


def _context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _given(headers: Mapping[bytes, bytes]) -> SpanContext | None:
    """The trace that a request belongs to where it began, if that is recorded there (W3C Trace Context)."""
    match = _PARENT(headers.get(b"traceparent", b""))
    if match is None or not int(match[3], 16) & 1:
        return None
    found = SpanContext(
        int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    return found if found.is_valid else None
