"""Errors as answers: each says what to do."""

import json

import pytest

from gluon import errors
from gluon.api import errors as table


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
