"""The options by which every command says who asks, and where: `--token`, `--os-cloud`, `--url`.

In: the command line and the environment. Out: a client that logs in when a server asks. Used by `protonclient` and `gluon`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from gluon.client import http, login

F = TypeVar("F", bound=Callable[..., Any])
_META = "gluon.login."
_SAID = {"url": "GLUON_URL", "token": "GLUON_TOKEN", "os_cloud": "OS_CLOUD"}
"""Options, and where they may be said too; `--help` lists commands before it has read either."""


def _keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """For `connect`, whichever command it is."""
    if value:
        ctx.meta[f"{_META}{param.name}"] = value


def _said(name: str, text: str, metavar: str | None = None) -> Callable[[F], F]:
    """An option that is for `connect` alone."""
    variable = _SAID[name]
    return click.option(
        f"--{name.replace('_', '-')}", envvar=variable, show_envvar=True, is_eager=True, expose_value=False, callback=_keep,
        metavar=metavar, help=text,
    )  # fmt: skip


_ADDED = (
    _said("url", "Server, where it is not http://HOST:PORT."),
    _said("token", "Token to be known by; without it OS_* or a cloud."),
    _said("os_cloud", "Cloud of clouds.yaml to get a token of.", "NAME"),
)


def options(function: F) -> F:
    """Adds the options to a command; its function hears nothing of them."""
    for add in _ADDED:
        function = add(function)
    return function


def connect(base: str, *, timeout: float = 60.0) -> http.Client:
    """A client of the server at `base`, or at the URL that was given. Raises `ClientError`."""
    ctx = click.get_current_context(silent=True)
    said = {} if ctx is None else ctx.meta
    url, token, cloud = (
        said.get(f"{_META}{name}") or os.environ.get(variable, "") for name, variable in _SAID.items()
    )
    known = login.Login(os.environ, token=token, cloud=cloud)
    return http.Client(url or base, timeout=timeout, login=known, environment=os.environ)
