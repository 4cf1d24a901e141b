"""Log lines: one event is one line, whatever clients write; each line of a request has its id."""

import contextvars
import json
import logging
import subprocess
import sys

import pytest

SCRIPT = """
import logging, sys, structlog
from gluon.cmd import logs
from gluon.spi import context
logs.configure(level=sys.argv[1], style=sys.argv[2])
log = structlog.get_logger("gluon")
context.REQUEST.set("req-1")
context.GLOBAL.set("req-2")
log.debug("not seen")
log.info("said", name='a\\nlevel=error event="x"\\x1b[31m\\u2028', n=1)
logging.getLogger("other").warning("by %s", "another\\nlibrary")
try:
    secret = "hidden"
    raise ValueError("wrong")
except ValueError:
    log.exception("failed")
"""


def said(level: str, style: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, level, style], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stderr


def test_json_lines() -> None:
    lines = [json.loads(line) for line in said("info", "json").splitlines()]
    assert [line["event"] for line in lines] == ["said", "by another\nlibrary", "failed"]
    assert {line["request_id"] for line in lines} == {"req-1"}
    assert {line["global_request_id"] for line in lines} == {"req-2"}
    assert all(line["timestamp"].endswith("Z") and line["level"] for line in lines)
    assert "hidden" not in lines[2]["exception"] and "ValueError: wrong" in lines[2]["exception"]


def test_console_lines() -> None:
    text = said("info", "console")
    first, second, *_ = text.splitlines()
    assert "\x1b" not in text
    assert "said" in first and "\\x0a" in first and "\\x1b" in first and "req-1" in first
    assert "another" in second and "library" in second
    assert "hidden" not in text


@pytest.mark.parametrize("level", ["warning", "error"])
def test_less_is_logged_at_a_higher_level(level: str) -> None:
    events = [json.loads(line)["event"] for line in said(level, "json").splitlines()]
    assert events == {"warning": ["by another\nlibrary", "failed"], "error": ["failed"]}[level]


def test_no_request_no_id() -> None:
    from gluon.cmd import logs

    assert contextvars.Context().run(logs._of_request, logging, "info", {"event": "x"}) == {"event": "x"}
