"""What others have written reaches no terminal as an order, and makes no line of its own."""

from __future__ import annotations

from typing import Any

import click
import pytest

from gluon.cli import commands
from gluon.client import http
from gluon.cmd import change_work, operate

EVIL = "x\x1b[2J\x9b31m\u202e\nforged"


def test_of_a_change_set() -> None:
    one: dict[str, Any] = {
        "op": "update", "api": "net-l2", "type": "Network", "key": EVIL, "as": EVIL, "reason": EVIL, "old": {"name": "a"},
        "body": {"name": EVIL},
    }  # fmt: skip
    answer = {
        "state": "applied", "id": "1", "who": EVIL, "revision": 1, "changes": [one], "consequences": [], "withheld": 0, "allocations": [],
        "not_undone": [{"attribute": "a", "type": "T", "key": EVIL, "why": EVIL}],
    }  # fmt: skip
    for line in change_work.told(answer):
        assert click.unstyle(line).isprintable()


def test_of_a_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    refused = http.ApiError(409, {"detail": EVIL, "hint": EVIL})
    assert operate.fail(refused) == 1
    said = capsys.readouterr().err
    assert said.replace("\n", "").isprintable() and "forged" not in {
        line.strip() for line in said.splitlines()
    }


def test_of_a_server_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """The words may be those of whoever answered, Keystone or a proxy."""
    with pytest.raises(SystemExit):
        commands.fail(http.ClientError(EVIL))
    said = capsys.readouterr().err
    assert said.removesuffix("\n").isprintable()
