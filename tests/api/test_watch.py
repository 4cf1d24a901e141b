"""Watching over HTTP: collections, all of them, old versions, filters, tokens, forms, and what is refused."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from gluon.testing.process import wait_until
from gluon.testing.product import GluonServer
from tests.api.streams import Refused, Stream

OLD = """
file_version: "1.0"
imports: base/base.yaml
info: {name: net-shelf, version: "1.0", description: Shelves and books.}
objects:
  Tome:
    api: {name: tome, plural_name: tomes}
    attributes:
      id: {type: uuid, primary: true}
      tenant_id: {type: uuid, required: true}
      name: {type: string, length: 40}
"""
NEW = """
file_version: "2.0"
imports: base-2.0
info: {name: net-shelf, version: "2.0", description: Shelves and books.}
versions:
  "1.0":
    types:
      Tome: {is: Book, attributes: {tenant_id: project_id, name: title}}
objects:
  Shelf:
    extends: BaseObject
    api: {name: shelf, plural_name: shelves}
    attributes:
      code: {type: string, length: 40}
  Book:
    extends: BaseObject
    api: {name: book, plural_name: books}
    attributes:
      shelf_id: {type: Shelf, on_delete: cascade, listed_as: standing}
      title: {type: string, length: 40}
      pages: {type: int32}
      pin: {type: string, secret: true}
      tags: {type: list, items: {type: string}}
  Page:
    extends: BaseObject
    api: {name: page, plural_name: pages, parent: Book, parent_key: book_id}
    attributes:
      book_id: {type: Book, required: true, on_delete: cascade}
      text: {type: string}
"""
V2, V1 = "/proton/net-shelf/v2.0", "/proton/net-shelf/v1.0"
ALL = "/gluon/v1/watch"
SOME = "0f8c5a51-3ad3-4b7b-9a5f-6f2f1f1f4a01"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GluonServer]:
    folder = tmp_path_factory.mktemp("models")
    for name, text in (("one", OLD), ("two", NEW)):
        (folder / name).mkdir()
        (folder / name / "api.yaml").write_text(text, encoding="utf-8")
    with GluonServer("server", "--model", str(folder)) as running:
        yield running


@pytest.fixture
def project() -> str:
    return str(uuid.uuid4())


def ask(server: GluonServer, method: str, path: str, body: Any = None, **more: Any) -> Any:
    status, answer = server.request(method, path, body, **more)
    assert 200 <= status < 300, answer
    return answer


def test_a_collection_is_watched_from_its_list_on(server: GluonServer, project: str) -> None:
    first = ask(server, "POST", f"{V2}/books", {"title": "a", "project_id": project, "pin": "geheim"})
    _, headers, listed = server.exchange("GET", f"{V2}/books?project_id={project}")
    assert listed["books"] == [first]
    changed = ask(server, "PUT", f"{V2}/books/{first['id']}", {"pages": 3, "pin": "ganz geheim"})
    with Stream(
        server.port, f"{V2}/books?watch=true&project_id={project}&resume={headers['x-gluon-resume']}"
    ) as watch:
        assert watch.kind == "application/x-ndjson"
        assert watch.event()["type"] == "BOOKMARK"
        event = watch.change()
        assert {
            "type": "MODIFIED",
            "key": first["id"],
            "object": changed,
            "old": first,
        }.items() <= event.items()
        assert (event["api"], event["version"], event["kind"]) == ("net-shelf", "2.0", "Book")
        second = ask(server, "POST", f"{V2}/books", {"title": "b", "project_id": project})
        assert watch.change()["object"] == second
        ask(server, "DELETE", f"{V2}/books/{first['id']}")
        gone = watch.change()
        assert (gone["type"], gone["object"]) == ("DELETED", changed)
    with Stream(server.port, f"{V2}/books?watch=true&resume={event['resume']}") as again:
        assert [e["type"] for e in again.changes(2)] == ["ADDED", "DELETED"]
        assert "geheim" not in json.dumps([event, gone])


def test_an_object_leaves_and_enters_a_filter(server: GluonServer, project: str) -> None:
    with Stream(server.port, f"{V2}/books?watch=true&title__startswith=web&project_id={project}") as watch:
        watch.event()
        book = ask(server, "POST", f"{V2}/books", {"title": "mail", "project_id": project})
        path = f"{V2}/books/{book['id']}"
        for title in ("web1", "web2", "mail", "web3"):
            ask(server, "PUT", path, {"title": title})
        ask(server, "DELETE", path)
        events = [(e["type"], e["object"]["title"], e["op"]) for e in watch.changes(5)]
    assert events == [
        ("ADDED", "web1", "update"),
        ("MODIFIED", "web2", "update"),
        ("DELETED", "web2", "update"),
        ("ADDED", "web3", "update"),
        ("DELETED", "web3", "delete"),
    ]


def test_an_old_version_is_watched_in_its_own_words(server: GluonServer, project: str) -> None:
    with Stream(server.port, f"{V1}/tomes?watch=true") as watch:
        watch.event()
        made = ask(server, "POST", f"{V1}/tomes", {"tenant_id": project, "name": "x"})
        event = watch.change()
        assert (event["version"], event["kind"], event["plural"]) == ("1.0", "Tome", "tomes")
        assert event["object"] == made
        ask(server, "PUT", f"{V2}/books/{made['id']}", {"title": "y"})
        event = watch.change()
        assert (event["object"]["name"], event["old"]["name"]) == ("y", "x")


def test_what_is_below_an_object_is_watched(server: GluonServer, project: str) -> None:
    shelf = ask(server, "POST", f"{V2}/shelves", {"code": "s", "project_id": project})
    book = ask(server, "POST", f"{V2}/books", {"shelf_id": shelf["id"], "project_id": project})
    other = ask(server, "POST", f"{V2}/books", {"project_id": project})
    with (
        Stream(server.port, f"{V2}/books/{book['id']}/pages?watch=true") as pages,
        Stream(server.port, f"{V2}/shelves/{shelf['id']}/standing?watch=true") as standing,
    ):
        pages.event(), standing.event()
        for one in (other, book):
            ask(
                server,
                "POST",
                f"{V2}/pages",
                {"book_id": one["id"], "text": one["id"], "project_id": project},
            )
        assert pages.change()["object"]["text"] == book["id"]
        ask(server, "PUT", f"{V2}/books/{other['id']}", {"shelf_id": shelf["id"]})
        assert (event := standing.change())["type"] == "ADDED"
        assert event["key"] == other["id"]
    with pytest.raises(Refused, match="404"):
        Stream(server.port, f"{V2}/books/{uuid.uuid4()}/pages?watch=true")


def test_all_is_watched_by_api_type_project_and_kind_of_change(server: GluonServer, project: str) -> None:
    query = f"?api=net-shelf&type=Book&type=Shelf&project={project}&op=create&op=delete"
    with Stream(server.port, ALL + query) as watch, Stream(server.port, ALL) as everything:
        everything.event(), watch.event()
        book = ask(server, "POST", f"{V2}/books", {"project_id": project})
        ask(server, "POST", f"{V2}/books", {"project_id": str(uuid.uuid4())})
        ask(server, "POST", f"{V2}/pages", {"book_id": book["id"], "project_id": project})
        ask(server, "PUT", f"{V2}/books/{book['id']}", {"title": "t"})
        ask(server, "DELETE", f"{V2}/books/{book['id']}")
        found = [(e["kind"], e["type"]) for e in watch.changes(2)]
        assert found == [("Book", "ADDED"), ("Book", "DELETED")]
        seen = [(e["kind"], e["type"]) for e in everything.changes(6)]
        assert sorted(seen[4:]) == [("Book", "DELETED"), ("Page", "DELETED")]  # one unit


def test_server_sent_events_go_on_from_the_last_id(server: GluonServer, project: str) -> None:
    events = {"accept": "text/event-stream"}
    with Stream(server.port, f"{V2}/books?watch=true", events) as watch:
        assert watch.kind == "text/event-stream"
        block = read_block(watch)
        assert block["event"] == "BOOKMARK"
    for title in ("a", "b"):
        ask(server, "POST", f"{V2}/books", {"title": title, "project_id": project})
    stale = f"{V2}/books?watch=true&resume={uuid.uuid4().hex}.1.00"  # as a browser sends it again
    with Stream(server.port, stale, {**events, "last-event-id": block["id"]}) as watch:
        blocks = [read_block(watch) for _ in range(3)]
    assert [b["event"] for b in blocks] == ["BOOKMARK", "ADDED", "ADDED"]
    assert [json.loads(b["data"])["object"]["title"] for b in blocks[1:]] == ["a", "b"]
    assert all(b["id"] == json.loads(b["data"])["resume"] for b in blocks)


def read_block(watch: Stream) -> dict[str, str]:
    found = {}
    while (line := watch.line().decode()) != "\n":
        name, _, value = line.rstrip("\n").partition(": ")
        found[name] = value
    return found


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        (f"{V2}/books?watch=true&limit=3", 400, "means nothing to a watch"),
        (f"{V2}/books?watch=true&pin=1", 400, "not known"),
        (f"{V2}/books?watch=true&nope=1", 400, "not known"),
        (f"{V2}/books?watch=maybe", 400, "to watch, say watch=true"),
        (f"{V2}/books?resume=x", 400, "to watch, say watch=true"),
        (f"{V2}/books?watch=true&resume=a&resume=b", 400, "twice"),
        (f"{V2}/books?watch=true&resume=' OR 1=1", 400, "no token"),
        (f"{V2}/books?watch=true&resume={'9' * 40_000}", 400, "no token"),
        (f"{V2}/books?watch=true&resume=%00%ff", 400, "UTF-8"),
        (f"{V2}/books?watch=true&resume={'a' * 32}.1.{'0' * 16}", 410, "another history"),
        (f"{V2}/books/{SOME}?watch=true", 400, "one object"),
        (f"{V2}/books/{SOME}/nope?watch=true", 404, "nope"),
        (f"{V1}/tomes?watch=true&name=x", 400, "unknown"),
        (f"{ALL}?api=nope", 400, "known: net-shelf"),
        (f"{ALL}?type=Nope&op=make&x=1", 400, "not known"),
    ],
)
def test_what_means_nothing_is_refused(server: GluonServer, path: str, status: int, says: str) -> None:
    path = path.replace(" ", "%20").replace("'", "%27")
    with pytest.raises(Refused) as refused:
        Stream(server.port, path)
    assert refused.value.status == status
    assert says in json.dumps(refused.value.body)


def test_other_forms_are_not_acceptable(server: GluonServer) -> None:
    with pytest.raises(Refused, match="406"):
        Stream(server.port, ALL, {"accept": "text/html"})


def test_the_token_of_another_place_in_history_is_gone(server: GluonServer) -> None:
    token = server.exchange("GET", f"{V2}/books")[1]["x-gluon-resume"]
    incarnation, revision, models = token.split(".")
    for forged in (f"{incarnation}.{int(revision) + 1000}.{models}", f"{incarnation}.{revision}.ff"):
        with pytest.raises(Refused) as refused:
            Stream(server.port, f"{V2}/books?watch=true&resume={forged}")
        assert (refused.value.status, refused.value.body["code"]) == (410, "expired")
        assert "list again" in refused.value.body["hint"]


def test_lists_of_all_kinds_have_a_token(server: GluonServer, project: str) -> None:
    shelf = ask(server, "POST", f"{V2}/shelves", {"code": "s", "project_id": project})
    paths = (f"{V2}/books", f"{V1}/tomes", f"{V2}/shelves/{shelf['id']}/standing", f"{V2}/books?limit=0")
    for path in paths:
        token = server.exchange("GET", path)[1]["x-gluon-resume"]
        assert int(token.split(".")[1]) > 0
    assert "x-gluon-resume" not in server.exchange("GET", f"{V2}/shelves/{shelf['id']}")[1]


def test_a_unit_is_told_whole_and_a_rejected_one_not_at_all(server: GluonServer, project: str) -> None:
    with Stream(server.port, f"{V2}/books?watch=true&project_id={project}") as watch:
        watch.event()
        bodies = [{"title": str(n), "project_id": project} for n in range(40)]
        assert server.request("POST", f"{V2}/books", {"books": [*bodies, {"title": 7}]})[0] == 400
        ask(server, "POST", f"{V2}/books", {"books": bodies})
        events = watch.changes(40)
    assert [e["object"]["title"] for e in events] == [str(n) for n in range(40)]
    assert len({e["revision"] for e in events}) == 1


def test_a_client_that_leaves_is_forgotten(server: GluonServer) -> None:
    wait_until(lambda: watchers(server) == 0, "those of other tests are gone", limit=20)
    streams = [Stream(server.port, ALL) for _ in range(5)]
    assert watchers(server) == 5
    for stream in streams:
        stream.close()
    wait_until(lambda: watchers(server) == 0, "they are forgotten", limit=20)


def watchers(server: GluonServer) -> int:
    lines = server.request("GET", "/metrics")[1].splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("gluon_watchers{"))
