"""Errors as answers: each says what to do."""

import json

import pytest

from gluon import errors
from gluon.api import errors as table
from gluon.api import guard, message


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (errors.Unavailable("the database does not answer"), "send the request again"),
        (errors.StaleModel("the models were replaced meanwhile"), "send the request again"),
        (errors.OutcomeUnknown("the database did not say whether it was written"), "look whether"),
    ],
)
def test_an_answer_that_is_no_answer_says_what_to_do(error: errors.Unavailable, cure: str) -> None:
    answer = table.reply(error, {}, "req-1")
    assert answer.status == 503
    assert (b"retry-after", b"1") in answer.headers
    assert answer.body is not None
    assert json.loads(answer.body)["hint"].startswith(cure)


@pytest.mark.parametrize(
    "body", [b'{"a": 1e400}', b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 99_999, b'{"a": "\xff"}']
)
def test_what_is_no_json_is_told_with_what_is(body: bytes) -> None:
    request = message.Request(
        method="POST",
        path=(),
        query=b"",
        headers={b"content-type": message.JSON},
        caller=guard.ADMIN,
        body=body,
        id="r",
    )
    with pytest.raises(errors.Invalid) as raised:
        table.json_body(request)
    (problem,) = raised.value.problems
    assert "no lone surrogate" in problem.hint
