"""`gluon`: the command line of operators and designers. Each command imports only what it needs.

Exit codes: 0 done, 1 it did not work (the reason is on standard error), 2 wrong usage or settings.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NoReturn, TypeVar

import click

from gluon import errors
from gluon.cli import login, output
from gluon.cmd import (
    audit_commands,
    change_commands,
    db_commands,
    garbage,
    host_commands,
    model_commands,
    nova_options,
    policy_commands,
    port_commands,
    proton_commands,
    quota_commands,
    why_commands,
)
from gluon.cmd import settings as config

F = TypeVar("F", bound=Callable[..., Any])


def _options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    def apply(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


_CONFIG = click.option("--config", "file", metavar="FILE", help="TOML file of settings; flags win over it.")
_ETCD = click.option(
    "--etcd", metavar="URL,…", help="Endpoints of etcd; without it the bus inside the process."
)
_INSECURE = click.option(
    "--insecure",
    is_flag=True,
    default=None,
    help="Serve beyond loopback without authentication, etcd without TLS.",
)
_SERVER = _options(
    _CONFIG,
    click.option("--host", help="Address to listen on (127.0.0.1)."),
    click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (2705)."),
    click.option("--data", metavar="DIR", help="Folder of the embedded database."),
    click.option(
        "--model",
        "models",
        multiple=True,
        metavar="PATH",
        help="Models instead of the shipped ones; repeatable.",
    ),
    click.option("--database", metavar="URL", help="sqlite:///PATH, postgresql://… or mysql://…"),
    click.option("--policy", metavar="FILE", help="Rules that win over those of the models (oslo.policy)."),
    _ETCD,
    _INSECURE,
    nova_options.options,
)
_CLIENT = _options(
    _CONFIG,
    click.option("--host", envvar="OS_PROTON_HOST", show_envvar=True, help="Server (127.0.0.1)."),
    click.option(
        "--port",
        envvar="OS_PROTON_PORT",
        show_envvar=True,
        type=click.IntRange(1, 65535),
        help="Its port (2705).",
    ),
    login.options,
)


def _settings(
    file: str | None,
    *,
    etcd: str | None = None,
    host: str | None = None,
    port: int | None = None,
    data: str | None = None,
    models: tuple[str, ...] = (),
    database: str | None = None,
    policy: str | None = None,
    insecure: bool | None = None,
    workers: int | None = None,
    shim: dict[str, Any] | None = None,
    **nova: Any,
) -> config.Settings:
    return config.load(
        file,
        {
            "api": {"host": host, "port": port, "insecure": insecure, "workers": workers},
            "data": {"directory": data, "database": database},
            "etcd": {"urls": _endpoints(etcd)},
            "models": {"paths": models},
            "policy": {"file": policy},
            "shim": shim or {},
            "nova": nova_options.section(nova),
        },
    )


def _endpoints(etcd: str | None) -> tuple[str, ...] | None:
    """Of an option that is given; an empty one is a mistake, not the bus inside the process."""
    if etcd is None:
        return None
    urls = tuple(url.strip() for url in etcd.split(",") if url.strip())
    if not urls:
        raise config.SettingsError(f"--etcd {etcd!r} names no endpoint: write host:port, or leave it out")
    return urls


def _run(main: Coroutine[Any, Any, None], wanted: config.Logs) -> None:
    """Run a server's main on uvloop where it is installed (a shim host need not have it)."""
    from gluon.cmd import logs

    logs.configure(level=wanted.level, style=wanted.style)
    try:
        import uvloop
    except ModuleNotFoundError:
        asyncio.run(main)
    else:
        uvloop.run(main)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="gluon")
def cli() -> None:
    """Network service APIs from YAML models, and the arbiter of their ports."""


@cli.command()
@_SERVER
@click.option("--no-shims", is_flag=True, help="Do not run the fake backend in this process.")
@click.option(
    "--ports", type=click.IntRange(0, 200), default=0, help="Make so many ports of a VPN to try it with."
)
def up(no_shims: bool, ports: int, **given: Any) -> None:
    """Everything in one process, embedded unless told otherwise."""
    settings = _settings(given.pop("file"), **given)
    with garbage.paused():
        from gluon.cmd import up as embedded

    _run(embedded.run(settings, shims=not no_shims, ports=ports), settings.logs)


@cli.command()
@_SERVER
@click.option("--workers", type=int, help="API processes (1).")
def server(**given: Any) -> None:
    """API and publisher, without shims."""
    settings = _settings(given.pop("file"), **given)
    with garbage.paused():
        from gluon.cmd import server as serving

    serving.check(settings)
    _run(serving.run(settings), settings.logs)


@cli.command()
@_CONFIG
@click.option("--backend", metavar="NAME", help="What to program: an entry point of group gluon.backends.")
@click.option("--name", metavar="CONTROLLER", help="Name to serve under (the backend's).")
@click.option("--instance", help="This process among those of one controller.")
@click.option(
    "--api", "apis", multiple=True, metavar="NAME", help="Proton to serve; repeatable (all it knows)."
)
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="Host to serve, or *; repeatable.")
@click.option("--level", type=int, help="Of the controllers that share a binding (0).")
@_ETCD
@_INSECURE
def shim(file: str | None, etcd: str | None, insecure: bool | None, **given: Any) -> None:
    """Follow etcd and program one backend."""
    settings = _settings(file, etcd=etcd, insecure=insecure, shim=given)
    with garbage.paused():
        from gluon.cmd import shim as following

    _run(following.run(settings), settings.logs)


model_commands.model.add_command(db_commands.diff)
cli.add_command(model_commands.model)
cli.add_command(db_commands.db)
cli.add_command(audit_commands.audit)
cli.add_command(proton_commands.group(_CLIENT, _settings))
cli.add_command(change_commands.group(_CLIENT, _settings))
cli.add_command(quota_commands.group(_CLIENT, _settings))
cli.add_command(port_commands.command(_CLIENT, _settings))
cli.add_command(why_commands.command(_CLIENT, _settings))
cli.add_command(host_commands.group(_CLIENT, _settings))
cli.add_command(policy_commands.group(_settings))


@cli.group("config")
def config_group() -> None:
    """Look at settings."""


@config_group.command("sample")
def config_sample() -> None:
    """A documented file with every setting."""
    click.echo(config.sample())


@cli.command()
@_CLIENT
def resync(file: str | None, host: str | None, port: int | None) -> None:
    """Compare etcd with the database and repair it."""
    from gluon.cmd import operate

    sys.exit(operate.resync(_settings(file, host=host, port=port).api))


@cli.command()
@output.json_option
@_CLIENT
def status(as_json: bool, file: str | None, host: str | None, port: int | None) -> None:
    """How the server, the publisher and the shims stand."""
    from gluon.cmd import operate

    sys.exit(operate.status(_settings(file, host=host, port=port).api, as_json=as_json))


@cli.command()
@click.argument("what", metavar="[API[/TYPE]]", default="")
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Of a type as in lists; without a type api, type, project, op. Repeatable.",
)
@click.option("--since", metavar="TOKEN", help="Go on from the token of an event or a list, not from now.")
@_CLIENT
def watch(
    what: str,
    filters: tuple[str, ...],
    since: str | None,
    file: str | None,
    host: str | None,
    port: int | None,
) -> None:
    """Print what changes, one JSON object a line."""
    from gluon.cmd import watching

    sys.exit(watching.watch(_settings(file, host=host, port=port).api, what, filters, since))


def main() -> None:
    """Entry point of `gluon`."""
    output.begin()
    try:
        cli(standalone_mode=True)
    except (errors.GluonError, OSError) as error:
        _end([error])
    except BaseExceptionGroup as group:
        found = _known(group)
        if not found:
            raise
        _end(found)


def _end(found: Sequence[BaseException]) -> NoReturn:
    """Say what went wrong, and a driver's word on it (the system's is part of what we say)."""
    for error in found:
        cause = error.__cause__ if isinstance(error, errors.Unavailable) else None
        why = f": {cause}" if cause is not None and not isinstance(cause, OSError) else ""
        click.echo(f"gluon: {error}{why}", err=True)
    output.end()
    sys.exit(2 if all(isinstance(error, errors.WrongSetting) for error in found) else 1)


def _known(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The errors that are no mistake of ours, if the group holds nothing else."""
    leaves: list[BaseException] = []
    for error in group.exceptions:
        leaves += _known(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves if all(isinstance(e, (errors.GluonError, OSError)) for e in leaves) else []


if __name__ == "__main__":
    main()
