"""OVSDB's protocol against a small server: chunks, echo, updates, errors, an end in the middle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gluon.backends.bgp_mpls import ovsdb
from gluon.backends.bgp_mpls.ovs import Flow, Interface, Switch, _flow, _interfaces
from gluon.errors import GiveUp

Answer = Callable[[dict[str, Any]], list[Any]]
UUID = "6c0ffee0-0000-4000-8000-000000000001"


@asynccontextmanager
async def server(socket: Path, answer: Answer) -> AsyncIterator[str]:
    """Sends what `answer` says, three bytes at a time; None ends the connection."""

    ended: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.Event())
        over = ended[-1]
        try:
            await talk(reader, writer)
        finally:
            writer.close()
            over.set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder, text = json.JSONDecoder(), ""
        while data := await reader.read(1000):
            text += data.decode()
            while text:
                request, end = decoder.raw_decode(text)
                text = text[end:]
                for message in answer(request):
                    if message is None:
                        return
                    encoded = json.dumps(message, ensure_ascii=False).encode()
                    for start in range(0, len(encoded), 3):
                        writer.write(encoded[start : start + 3])
                        await writer.drain()
                        await asyncio.sleep(0)

    async with await asyncio.start_unix_server(serve, socket):
        yield f"unix:{socket}"
        for over in ended:
            await over.wait()


def reply(request: dict[str, Any], result: Any) -> dict[str, Any]:
    return {"id": request["id"], "result": result, "error": None}


async def test_answers_in_pieces_are_put_together_and_echo_is_answered(tmp_path: Path) -> None:
    echoes: list[Any] = []

    def answer(request: dict[str, Any]) -> list[Any]:
        if "method" not in request:
            echoes.append(request["result"])
            return []
        return [
            {"method": "echo", "params": ["are you there"], "id": "e"},
            reply(request, [{"rows": ["größe"]}]),
        ]

    async with server(tmp_path / "db", answer) as address, ovsdb.connect(address) as connection:
        assert await connection.transact({"op": "select"}) == [{"rows": ["größe"]}]
        await connection.transact({"op": "select"})

    assert echoes[0] == ["are you there"]


async def test_monitor_keeps_rows_up_to_date(tmp_path: Path) -> None:
    def answer(request: dict[str, Any]) -> list[Any]:
        def update(change: dict[str, Any]) -> dict[str, Any]:
            return {"method": "update", "params": [None, {"Bridge": {UUID: change}}], "id": None}

        old = {"name": "br", "ports": ["set", []], "external_ids": ["map", [["k", "v"]]]}
        new = {"name": "br", "ports": ["uuid", "p1"], "external_ids": ["map", []]}
        return [reply(request, {"Bridge": {UUID: {"new": old}}}), update({"new": new}), update({"old": new})]

    async with server(tmp_path / "db", answer) as address, ovsdb.connect(address) as connection:
        seen = []
        async with aclosing(connection.monitor({"Bridge": ["name"]})) as states:
            async for tables in states:
                seen.append(dict(tables["Bridge"]))
                if len(seen) == 3:
                    break

    assert seen == [
        {UUID: {"name": "br", "ports": (), "external_ids": {"k": "v"}}},
        {UUID: {"name": "br", "ports": "p1", "external_ids": {}}},
        {},
    ]


async def test_refused_operation_is_given_up(tmp_path: Path) -> None:
    def answer(request: dict[str, Any]) -> list[Any]:
        return [reply(request, [{"error": "constraint violation", "details": "no such bridge"}])]

    async with server(tmp_path / "db", answer) as address, ovsdb.connect(address) as connection:
        with pytest.raises(GiveUp, match="constraint violation: no such bridge"):
            await connection.transact({"op": "insert"})


async def test_server_that_ends_or_never_was_is_gone(tmp_path: Path) -> None:
    async with server(tmp_path / "db", lambda _: [None]) as address, ovsdb.connect(address) as connection:
        with pytest.raises(ovsdb.DatabaseGone):
            await connection.transact({"op": "select"})
    with pytest.raises(ovsdb.DatabaseGone):
        await Switch(db=f"unix:{tmp_path}/none", run_dir=tmp_path, bridge="br").interfaces()


async def test_silent_server_is_gone_after_the_time_limit(tmp_path: Path) -> None:
    async with (
        server(tmp_path / "db", lambda _: []) as address,
        ovsdb.connect(address, timeout=0.1) as connection,
    ):
        with pytest.raises(ovsdb.DatabaseGone, match="no answer"):
            await connection.transact({"op": "select"})


async def test_wrong_address_is_given_up() -> None:
    with pytest.raises(GiveUp, match="no address of an ovsdb-server"):
        async with ovsdb.connect("db.sock"):
            pass


def test_only_interfaces_of_the_bridge_are_told() -> None:
    tables: ovsdb.Tables = {
        "Bridge": {
            "b1": {"name": "br", "ports": ("p0", "p1"), "external_ids": {}},
            "b2": {"name": "other", "ports": "p2", "external_ids": {}},
        },
        "Port": {"p0": {"interfaces": "i0"}, "p1": {"interfaces": "i1"}, "p2": {"interfaces": "i2"}},
        "Interface": {
            "i0": {"name": "br", "ofport": 65534, "link_state": "up", "external_ids": {}},
            "i1": {"name": "tap1", "ofport": (), "link_state": (), "external_ids": {"iface-id": "x"}},
            "i2": {"name": "tap2", "ofport": 3, "link_state": "up", "external_ids": {}},
        },
    }

    assert _interfaces(tables, "br") == {
        "tap1": Interface(name="tap1", ofport=None, link_up=False, external_ids={"iface-id": "x"})
    }
    assert _interfaces(tables, "other")["tap2"].usable


def test_flow_is_read_without_its_counters() -> None:
    line = " cookie=0x1f, duration=1.2s, table=0, n_packets=3, n_bytes=9, idle_age=1, priority=5,ip,nw_dst=10.0.0.1 actions=output:1"

    assert _flow(line) == Flow(cookie=31, text="table=0,priority=5,ip,nw_dst=10.0.0.1 actions=output:1")
    assert _flow("OFPST_FLOW reply (OF1.5) (xid=0x2):") is None
