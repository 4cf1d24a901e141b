"""Which request is being worked on: what log lines and traces of it have in common, and whose it is.

Set by `api.lane` for each request, whose task and those it makes see it. Read by `cmd.logs` and the store.
"""

from __future__ import annotations

from contextvars import ContextVar

REQUEST: ContextVar[str] = ContextVar("gluon_request", default="")
"""The request's id."""

GLOBAL: ContextVar[str] = ContextVar("gluon_global_request", default="")
"""The id that a trusted service gave it, which other services' logs have too."""

PROJECT: ContextVar[str] = ContextVar("gluon_project", default="")
"""The project of who asks: whose turn it is in the queue of the store. None for work that no request asked for."""
