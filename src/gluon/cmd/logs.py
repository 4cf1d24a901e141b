"""Logging of all commands: a constant message plus named values; JSON lines unless a person looks."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(*, level: str = "info") -> None:
    """Set up structlog on standard error. Call once, in a main."""
    human = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        # a plain traceback: one with the values of variables could show a secret
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if human
        else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not human:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
