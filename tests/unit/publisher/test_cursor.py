"""The cursor's text, and what is concluded from it."""

import dataclasses

import pytest

from gluon.objects import journal
from gluon.publisher import cursor
from gluon.publisher.cursor import Cursor, Verdict, judge


def entry(revision: int, *, n: int = 0, at: str = "2030-01-01T00:00:00.000000") -> journal.Entry:
    return journal.Entry(
        revision=revision,
        n=n,
        op=journal.Operation.CREATE,
        api="t",
        type="Thing",
        key="a",
        project=None,
        who="me",
        request_id="r1",
        intent=True,
        old=None,
        new=b"{}",
        at=at,
    )


def position(revision: int, oldest: int, incarnation: str = "inc") -> journal.Position:
    return journal.Position(incarnation=incarnation, revision=revision, oldest=oldest)


def at(revision: int, *, resync: str = "", incarnation: str = "inc") -> Cursor:
    digest = cursor.digest_of(entry(revision))
    return Cursor(incarnation=incarnation, revision=revision, digest=digest, resync=resync)


@pytest.mark.parametrize("resync", ["", "0a1b2c"])
@pytest.mark.parametrize("incarnation", ["abc", "with.dots.in-it"])
def test_a_cursor_survives_its_text(incarnation: str, resync: str) -> None:
    found = at(7, resync=resync, incarnation=incarnation)
    assert cursor.parse(found.encode()) == found


@pytest.mark.parametrize("value", [b"", b"x", b"a.b", b"a.b.c", b"a.-1.c", b".1.c", b"a.1.", b"\xff.1.c"])
def test_a_text_that_is_no_cursor_counts_as_none(value: bytes) -> None:
    assert cursor.parse(value) is None


def test_without_a_cursor_it_resyncs() -> None:
    assert judge(None, (), position(5, 1)) is Verdict.RESYNC


def test_it_goes_on_when_the_journal_has_the_row() -> None:
    assert judge(at(5), [entry(5)], position(9, 1)) is Verdict.GO_ON


def test_any_row_of_the_revision_may_be_the_one_named() -> None:
    assert judge(at(5), [entry(5), entry(5, n=1)], position(9, 1)) is Verdict.GO_ON


def test_a_cursor_beyond_the_database_is_a_broken_history() -> None:
    assert judge(at(10), (), position(9, 1)) is Verdict.REBASE
    assert judge(at(10, incarnation="other"), (), position(9, 1)) is Verdict.REBASE
    assert judge(at(10, resync="a"), (), position(9, 1)) is Verdict.REBASE


def test_an_unlike_row_is_a_broken_history() -> None:
    assert judge(at(5), [entry(5, at="2031-01-01T00:00:00.000000")], position(9, 1)) is Verdict.REBASE


def test_a_revision_that_the_whole_journal_does_not_have_is_a_broken_history() -> None:
    assert judge(at(5), (), position(9, 3)) is Verdict.REBASE


def test_a_trimmed_row_is_none() -> None:
    assert judge(at(5), (), position(9, 6)) is Verdict.RESYNC
    assert judge(at(5), (), position(9, 0)) is Verdict.RESYNC


def test_another_incarnation_is_a_new_history() -> None:
    assert judge(at(5, incarnation="other"), (), position(9, 1)) is Verdict.NEW_HISTORY


def test_an_unfinished_resync_begins_again() -> None:
    assert judge(at(5, resync="a"), [entry(5)], position(9, 1)) is Verdict.RESYNC


def test_a_new_database_goes_on_from_nothing() -> None:
    nothing = cursor.at(position(0, 0), ())
    assert nothing.digest == cursor.NO_ROW
    assert judge(nothing, (), position(0, 0)) is Verdict.GO_ON


def test_no_row_with_a_journal_that_may_have_lost_some_resyncs() -> None:
    nothing = dataclasses.replace(at(5), digest=cursor.NO_ROW)
    assert judge(nothing, (), position(9, 7)) is Verdict.RESYNC
    assert judge(nothing, (), position(9, 6)) is Verdict.GO_ON
