"""Who sees what: entering and leaving a view, and nothing of what is out of sight."""

import json
from typing import Any

import pytest

from gluon.objects import codec, journal
from gluon.watch import told
from gluon.watch.interest import Interest, View
from gluon.watch.told import Event, Told
from tests.unit.watch.world import made_kind, thing

KIND = made_kind()


def change(old: dict[str, Any] | None, new: dict[str, Any] | None) -> Told:
    entry = journal.Entry(
        revision=5, n=0, op=journal.Operation.UPDATE, api="t", type="Thing", key="a", project=(new or old or {})["owner"],
        who="w", request_id="r", intent=True, old=None, new=None, at="",
    )  # fmt: skip
    return Told(
        entry,
        KIND,
        key="a",
        old=None if old is None else codec.encode(old),
        new=None if new is None else codec.encode(new),
        project=entry.project,
        token=lambda revision: f"i.{revision}.00",
        whole=True,
        last=True,
    )


def line(view: View, old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any] | None:
    found = Interest(told.LINES, lambda _: view, only=KIND).line(change(old, new))
    return None if found is None else json.loads(found)


OURS, THEIRS = thing("a", "p", "ours"), thing("a", "q", "theirs")
OF_P = View(projects=frozenset({"p", None}))


@pytest.mark.parametrize(
    ("old", "new", "event"),
    [
        (None, OURS, "ADDED"),
        (OURS, {**OURS, "number": 1}, "MODIFIED"),
        (OURS, None, "DELETED"),
        (None, THEIRS, None),
        (THEIRS, {**THEIRS, "number": 1}, None),
        (THEIRS, None, None),
        (OURS, THEIRS, "DELETED"),
        (THEIRS, OURS, "ADDED"),
        (thing("a", None, "shared"), {**THEIRS}, "DELETED"),
    ],
)
def test_a_project_sees_what_is_its_own_and_nothing_else(
    old: dict[str, Any] | None, new: dict[str, Any] | None, event: str | None
) -> None:
    found = line(OF_P, old, new)
    assert (found and found["type"]) == event
    if found is not None:
        assert "theirs" not in json.dumps(found)
        assert ("old" in found) is (event == "MODIFIED")


def test_an_object_that_leaves_a_filter_is_deleted_from_the_view() -> None:
    named = View(matches=lambda body: body["name"] == "x")
    x, y = thing("a", "p", "x"), thing("a", "p", "y")
    events = [(line(named, *pair) or {}).get("type") for pair in ((x, x), (x, y), (y, y), (y, x), (y, None))]
    assert events == ["MODIFIED", "DELETED", None, "ADDED", None]
    assert (line(named, x, y) or {})["object"] == x


def test_hidden_attributes_are_in_neither_object_and_their_change_is_none() -> None:
    hides = View(hidden=lambda project, body: frozenset({"number"}))
    before = thing("a", "p", "x", 1)
    found = line(hides, before, {**before, "name": "y", "number": 2})
    assert found is not None
    assert "number" not in found["object"]
    assert "number" not in found["old"]
    assert line(hides, before, {**before, "number": 2}) is None


def test_lines_are_made_once_for_all_who_share_a_shape() -> None:
    one = change(None, OURS)
    assert one.line(told.LINES, Event.ADDED, 5) is one.line(told.LINES, Event.ADDED, 5)


def test_server_sent_events_have_an_id_a_name_and_one_line_of_data() -> None:
    text = change(None, thing("a", "p", "a\nb\r\u2028")).line(told.SSE, Event.ADDED, 5)
    assert text is not None
    assert text.endswith(b"\n\n")
    assert b"\r" not in text
    head, event, data, *rest = text.decode().split("\n")
    assert (head, event, rest) == ("id: i.5.00", "event: ADDED", ["", ""])
    assert json.loads(data.removeprefix("data: "))["object"]["name"] == "a\nb\r\u2028"
