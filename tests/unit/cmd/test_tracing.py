"""Traces: one from the request over the batch to the relay, whatever process does what; nothing where none are wanted."""

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gluon.api import lane
from gluon.cmd import node, recording, tracing
from gluon.cmd import settings as config

PORTS = b"/proton/net-l3vpn/v1.0/vpns"
HEADERS = {b"host": b"127.0.0.1", b"content-type": b"application/json"}


def vpn() -> bytes:
    return json.dumps({"tenant_id": str(uuid.uuid4()), "name": "x"}).encode()


async def until_published(exporter: InMemorySpanExporter, count: int) -> dict[str, list[ReadableSpan]]:
    async with asyncio.timeout(60):
        while True:
            by_name: dict[str, list[ReadableSpan]] = {}
            for span in exporter.get_finished_spans():
                by_name.setdefault(span.name, []).append(span)
            if len(by_name.get("publish", ())) >= count:
                return by_name
            await asyncio.sleep(0.02)


async def ask(app: Any, body: bytes, **headers: bytes) -> str:
    place = app.place(PORTS)
    more = {name.encode(): value for name, value in headers.items()}
    reply, request_id = await app.answer("POST", place, {**HEADERS, **more}, body)
    assert reply.status == (201 if body != b"{}" else 400)
    found: str = request_id
    return found


def settings_of(folder: Path, **trace: Any) -> config.Settings:
    return config.Settings(data=config.Data(directory=str(folder)), trace=config.Trace(**trace))


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    made = InMemorySpanExporter()

    def exporting(settings: config.Trace, process: str) -> tracing.Tracing:
        return tracing.Tracing(SimpleSpanProcessor(made), process, settings.ratio)

    monkeypatch.setattr(tracing, "exporting", exporting)
    return made


async def test_a_request_is_one_trace_as_far_as_the_relay(
    tmp_path: Path, exporter: InMemorySpanExporter
) -> None:
    given = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with node.open_node(settings_of(tmp_path, endpoint="memory"), url="http://127.0.0.1") as running:
        async with asyncio.timeout(60):
            while running.publisher._relay.reached is None:  # else the resync at the start publishes them all
                await asyncio.sleep(0.02)
        ids = [await ask(running.app, vpn()), await ask(running.app, vpn(), traceparent=given)]
        refused = await ask(running.app, b"{}")
        spans = await until_published(exporter, 2)
    for request_id in ids:
        root = tracing.root(request_id)
        mine = {
            name: [s for s in some if s.context and s.context.trace_id == root.trace_id]
            for name, some in spans.items()
        }
        assert {name: len(some) for name, some in mine.items()} == {
            "POST net-l3vpn/VpnService": 1, "store": 1, "lock": 1, "commit": 1, "publish": 1,
        }  # fmt: skip
        (request,) = mine["POST net-l3vpn/VpnService"]
        assert request.parent is None and request.context == root
        assert request.attributes is not None
        assert request.attributes["gluon.request_id"] == request_id
        assert request.attributes["http.response.status_code"] == 201
        (store,), (commit,), (publish,) = mine["store"], mine["commit"], mine["publish"]
        assert store.parent == root == publish.parent
        assert commit.parent == store.context
        assert (
            _times(request)[0]
            <= _times(store)[0]
            <= _times(commit)[0]
            <= _times(commit)[1]
            <= _times(request)[1]
        )
        assert _times(publish)[0] >= _times(commit)[0]
    names = spans["POST net-l3vpn/VpnService"]
    (there,) = [s for s in names if s.parent is not None]
    assert there.parent is not None and there.context is not None
    assert (there.parent.trace_id, there.parent.span_id) == (
        0x0AF7651916CD43DD8448EB211C80319C,
        0xB7AD6B7169203331,
    )
    assert there.context.trace_id == there.parent.trace_id
    assert [link.context.trace_id for link in there.links] == [tracing.root(ids[1]).trace_id]
    (bad,) = [s for s in names if s.context and s.context.trace_id == tracing.root(refused).trace_id]
    assert bad.attributes is not None and bad.attributes["http.response.status_code"] == 400


def _times(span: ReadableSpan) -> tuple[int, int]:
    assert span.start_time is not None and span.end_time is not None
    assert span.start_time <= span.end_time
    return span.start_time, span.end_time


async def test_every_process_chooses_the_same_share(exporter: InMemorySpanExporter) -> None:
    processes = [tracing.Tracing(SimpleSpanProcessor(exporter), name, 0.25) for name in ("one", "two")]
    chosen = [{n for n in range(4000) if p._wanted(f"req-{n}")} for p in processes]
    assert chosen[0] == chosen[1]
    assert 800 < len(chosen[0]) < 1200
    none = tracing.Tracing(SimpleSpanProcessor(exporter), "none", 0.0)
    assert not any(none._wanted(f"req-{n}") for n in range(100))


@pytest.mark.parametrize(
    "given",
    [b"", b"00-0-0-01", b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-01", b"x" * 5000,
     b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"],
)  # fmt: skip
def test_what_is_no_trace_context_counts_for_nothing(given: bytes) -> None:
    assert tracing._given({b"traceparent": given}) is None


async def test_without_a_collector_nothing_is_noted(tmp_path: Path) -> None:
    assert recording.tracing(config.Trace(), "x") is None
    assert recording.recorder(config.Logs(), config.Api(), None, None) is None
    async with node.open_node(settings_of(tmp_path), url="http://127.0.0.1") as running:
        assert type(running.database.inner._writer._database).__name__ == "SqliteDatabase"  # type: ignore[attr-defined]
        app = running.app
        assert isinstance(app, lane.Lane) and app._record is None
