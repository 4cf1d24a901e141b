"""Who sees what of a watch: members of projects, attributes with rules, an attacker. In one process, with callers of our own."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gluon.api import watch
from gluon.cmd import node
from gluon.cmd import settings as config
from gluon.spi import policy

MODEL = """
file_version: "2.0"
imports: base-2.0
info: {name: net-shelf, version: "2.0", description: Books.}
objects:
  Book:
    extends: BaseObject
    api: {name: book, plural_name: books}
    attributes:
      title: {type: string, length: 40}
      price: {type: int32, policies: {get: "role:seller"}}
  Note:
    api: {name: note, plural_name: notes}
    attributes:
      id: {type: uuid, primary: true}
      text: {type: string}
"""
PRICE = 1_777_777_777
"""Longer than what a random key has in it now and then."""
BOOKS, ALL = "/proton/net-shelf/v2.0/books", "/gluon/v1/watch"
P, Q = "0f8c5a51-3ad3-4b7b-9a5f-6f2f1f1f4a01", "0f8c5a51-3ad3-4b7b-9a5f-6f2f1f1f4a02"
Event = dict[str, Any]


def caller(project: str | None, *roles: str, admin: bool = False) -> policy.Caller:
    return policy.Caller(user="u", project=project, roles=frozenset(roles), admin=admin)


CALLERS = {
    b"admin": caller(None, "admin", admin=True),
    b"p": caller(P, "member", "reader"),
    b"q": caller(Q, "member", "reader"),
    b"seller": caller(P, "member", "reader", "seller"),
    b"nobody": caller(None),
    b"stranger": caller(P),
}


class ByName:
    """A guard that believes the name in a header."""

    open: frozenset[str] = frozenset()

    def admit(self, method: str, headers: Mapping[bytes, bytes]) -> policy.Caller:
        return CALLERS[headers[b"x-name"]]


class Api:
    """An ASGI app, called in this process."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def scope(self, name: str, method: str, path: str) -> dict[str, Any]:
        raw, _, query = path.partition("?")
        headers = [(b"x-name", name.encode()), (b"content-type", b"application/json")]
        return {
            "type": "http", "http_version": "1.1", "method": method, "path": raw, "raw_path": raw.encode(),
            "query_string": query.encode(), "headers": headers, "root_path": "", "scheme": "http",
            "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 2), "asgi": {"version": "3.0"},
        }  # fmt: skip

    async def ask(self, name: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        events: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}

        async def send(event: dict[str, Any]) -> None:
            events.append(event)

        await self._app(self.scope(name, method, path), receive, send)
        data = b"".join(event.get("body", b"") for event in events)
        return events[0]["status"], json.loads(data) if data else None

    @asynccontextmanager
    async def watch(self, name: str, path: str) -> AsyncIterator["Heard"]:
        heard, gone = Heard(), asyncio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        task = asyncio.create_task(self._app(self.scope(name, "GET", path), receive, heard.send))
        try:
            await heard.started()
            yield heard
        finally:
            gone.set()
            await asyncio.wait_for(task, 60)


class Heard:
    def __init__(self) -> None:
        self.status = 0
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.said = ""

    async def send(self, event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
        elif self.status == 200:
            self.said += event["body"].decode()
            for line in event["body"].splitlines():
                self.events.put_nowait(json.loads(line))

    async def started(self) -> None:
        if (await asyncio.wait_for(self.events.get(), 60))["type"] != "BOOKMARK":
            raise AssertionError

    async def change(self) -> Event:
        return await asyncio.wait_for(self.events.get(), 60)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    (tmp_path / "api.yaml").write_text(MODEL, encoding="utf-8")
    settings = config.Settings(
        data=config.Data(database=f"sqlite:///{tmp_path}/gluon.db"), models=config.Models((str(tmp_path),))
    )
    async with node.open_node(settings, url="http://127.0.0.1:1") as running:
        running.app._guard = ByName()  # type: ignore[attr-defined]
        yield Api(running.app)


async def made(api: Api, name: str, **body: Any) -> dict[str, Any]:
    status, answer = await api.ask(name, "POST", BOOKS, body)
    assert status == 201, answer
    return dict(answer)


@pytest.mark.parametrize("path", [f"{BOOKS}?watch=true", ALL, f"{ALL}?project={Q}", f"{ALL}?project={P}"])
async def test_a_project_hears_of_its_own_objects_alone(api: Api, path: str) -> None:
    async with api.watch("p", path) as heard, api.watch("admin", ALL) as admins:
        await made(api, "q", title="of q")
        own = await made(api, "p", title="of p")
        assert (await api.ask("admin", "PUT", f"{BOOKS}/{own['id']}", {"title": "still of p"}))[0] == 200
        moved = {"project_id": Q, "title": "of q now"}
        assert (await api.ask("admin", "PUT", f"{BOOKS}/{own['id']}", moved))[0] == 200
        assert (await api.ask("admin", "DELETE", f"{BOOKS}/{own['id']}"))[0] == 204
        assert [(await admins.change())["type"] for _ in range(5)]
        if f"project={Q}" in path:
            assert heard.events.empty()
            return
        wanted = [("ADDED", "of p"), ("MODIFIED", "still of p"), ("DELETED", "still of p")]
        events = [await heard.change() for _ in wanted]
        assert [(e["type"], e["object"]["title"]) for e in events] == wanted
        assert Q not in heard.said
        assert "of q" not in heard.said


async def test_objects_of_no_project_are_told_to_all_who_may_list_them(api: Api) -> None:
    notes = "/proton/net-shelf/v2.0/notes"
    async with api.watch("p", ALL) as heard, api.watch("q", f"{notes}?watch=true") as others:
        for name, text in (("p", "of p"), ("admin", "of all"), ("q", "of q")):
            assert (await api.ask(name, "POST", notes, {"text": text}))[0] == 201
        assert [(await heard.change())["object"]["text"] for _ in range(2)] == ["of p", "of all"]
        assert [(await others.change())["object"]["text"] for _ in range(2)] == ["of all", "of q"]


async def test_an_object_that_is_moved_here_comes_without_its_past(api: Api) -> None:
    foreign = await made(api, "q", title="secret plan")
    async with api.watch("p", f"{BOOKS}?watch=true") as heard:
        await api.ask("admin", "PUT", f"{BOOKS}/{foreign['id']}", {"project_id": P, "title": "harmless"})
        event = await heard.change()
        assert (event["type"], "old" in event) == ("ADDED", False)
        assert "secret plan" not in heard.said


async def test_attributes_that_may_not_be_read_are_not_told(api: Api) -> None:
    async with (
        api.watch("p", f"{BOOKS}?watch=true") as heard,
        api.watch("seller", f"{BOOKS}?watch=true") as seller,
    ):
        book = await made(api, "seller", title="a", price=1)
        await api.ask("admin", "PUT", f"{BOOKS}/{book['id']}", {"price": PRICE})
        await api.ask("admin", "PUT", f"{BOOKS}/{book['id']}", {"title": "b"})
        assert [(await seller.change())["object"]["price"] for _ in range(3)] == [1, PRICE, PRICE]
        events = [await heard.change() for _ in range(2)]
        assert [(e["type"], e["object"]["title"]) for e in events] == [("ADDED", "a"), ("MODIFIED", "b")]
        assert "price" not in heard.said
        assert str(PRICE) not in heard.said


@pytest.mark.parametrize("name", ["nobody", "stranger"])
async def test_who_may_list_nothing_may_watch_nothing(api: Api, name: str) -> None:
    status = (await api.ask(name, "GET", BOOKS))[0]
    if status == 200:
        pytest.fail("the rules let this caller list, so this test asks nothing")
    assert (await api.ask(name, "GET", f"{BOOKS}?watch=true"))[0] == status == 403
    async with api.watch(name, ALL) as heard, api.watch("admin", ALL) as admins:
        await made(api, "p", title="x")
        await admins.change()
        assert heard.events.empty()


async def test_a_filter_by_what_may_not_be_read_is_refused_as_by_a_list(api: Api) -> None:
    listed = await api.ask("p", "GET", f"{BOOKS}?price=1")
    watched = await api.ask("p", "GET", f"{BOOKS}?watch=true&price=1")
    assert listed[0] == watched[0] == 403
    assert listed[1]["detail"] == watched[1]["detail"]


async def test_a_project_keeps_no_other_from_watching(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PROJECT", 2)
    async with AsyncExitStack() as stack:
        for path in (f"{BOOKS}?watch=true", ALL):
            await stack.enter_async_context(api.watch("p", path))
        for path in (f"{BOOKS}?watch=true", ALL):
            assert (await api.ask("seller", "GET", path))[0] == 503
        for name in ("q", "admin", "admin", "admin", "q"):
            await stack.enter_async_context(api.watch(name, ALL))
    async with api.watch("p", ALL), api.watch("p", ALL):
        assert (await api.ask("p", "GET", ALL))[0] == 503


async def test_a_token_of_one_caller_opens_nothing_to_another(api: Api) -> None:
    async with api.watch("q", f"{BOOKS}?watch=true") as theirs:
        await made(api, "q", title="of q")
        token = (await theirs.change())["resume"]
    incarnation, revision, models = token.split(".")
    for place in (int(revision) - 1, 0):  # also one that somebody has made up
        before = f"{incarnation}.{place}.{models}"
        for path in (f"{BOOKS}?watch=true&", f"{ALL}?", f"{ALL}?project={Q}&project={P}&"):
            async with api.watch("p", f"{path}resume={before}") as heard:
                own = await made(api, "p", title="of p")
                while (await heard.change())["key"] != own["id"]:
                    continue
                assert "of q" not in heard.said and Q not in heard.said
