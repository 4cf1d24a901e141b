"""Logging of all commands: a constant message plus named values; JSON lines unless a person looks.

In: settings. Out: structlog and the standard library's logging, both to standard error. Invariant: one event is one line,
whatever clients put into its values, and each line of a request has its id.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Any

import structlog

from gluon.spi import context

_ESCAPED = {n: f"\\x{n:02x}" for n in (*range(32), *range(127, 160), 0x2028, 0x2029)}


def configure(*, level: str = "info", style: str = "auto") -> None:
    """Call once, in a main. `style`: json, console, or auto, which is console where standard error is a terminal."""
    human = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        # a plain traceback: one with the values of variables could show a secret
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if human
        else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _of_request,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _one_line if human else structlog.processors.format_exc_info,
    ]
    threshold = logging.getLevelName(level.upper())
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _Lines(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, threshold), force=True)


class _Lines(structlog.PrintLogger):
    """A line that cannot be written, for the disk is full or its reader gone, fails nothing of what it tells: there is nobody to
    be told."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def _of_request(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    request = context.REQUEST.get()
    if request:
        event.setdefault("request_id", request)
        if given := context.GLOBAL.get():
            event["global_request_id"] = given
    return event


def _one_line(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Control characters are shown, not obeyed, by the terminal of who reads."""
    for name, value in event.items():
        if isinstance(value, str) and name != "exception":
            event[name] = value.translate(_ESCAPED)
    return event
