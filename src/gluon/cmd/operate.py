"""`gluon status` and `gluon resync`: what an operator asks of a running server."""

from __future__ import annotations

import time
from typing import Any

import click

from gluon.cli import login, output
from gluon.client import http
from gluon.cmd import settings as config
from gluon.cmd import told
from gluon.values.text import shown

_PATIENCE = 300.0


def status(server: config.Api, *, as_json: bool) -> int:
    """Print the numbers that matter. 0 all well, 1 not reached or something is down."""
    try:
        with connect(server) as client:
            facts = _facts(client)
    except http.ClientError as error:
        return fail(error)
    database, publishing = facts["database"], facts["publisher"]
    if as_json:
        output.document(facts)
        return 1 if publishing.get("error") else 0
    rows = [
        ("database revision", f"{database['revision']} (incarnation {database['incarnation']})"),
        ("publisher", publishing.get("leader") or "no leader"),
        ("published", f"{publishing.get('revision')} ({publishing.get('lag')} revisions behind)"),
        ("resync", "running" if publishing.get("resyncing") else "none"),
        ("etcd", publishing.get("error") or f"{publishing.get('size', 0) / 1e6:.1f} MB"),
        *policy_rows(facts.get("policy") or {}),
        *(("etcd alarm", alarm) for alarm in publishing.get("alarms") or ()),
        *(row for s in facts["shims"] for row in _shim(s)),
    ]
    if not facts["shims"]:
        rows.append(("shims", "none registered"))
    rows += [("away", _away(host)) for host in facts.get("away") or ()]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(shown(f"{name:<{width}}  {value}"))
    for line in told.lines(facts.get("processes") or (), facts.get("shared") or {}):
        click.echo(line)
    return 1 if publishing.get("error") else 0


def policy_rows(policy: dict[str, Any]) -> list[tuple[str, str]]:
    """Which rules count, and what is wrong with them."""
    if not policy.get("file"):
        told = "rules of the models"
    else:
        told = f"{policy['file']}: {policy['rules']} rules, read at {policy['read_at']}"
    rows = [("policy", told)]
    if policy.get("error"):
        rows.append(("  not used", policy["error"].replace("\n", "; ")))
    rows += [("  problem", problem) for problem in policy.get("problems", ())]
    return rows


def _shim(shim: dict[str, Any]) -> list[tuple[str, str]]:
    """What it serves, and what it cannot."""
    apis = ", ".join(f"{api} {'/'.join(v) or 'any'}" for api, v in sorted(shim["apis"].items()))
    told = f"{shim['instance']}: {apis} on {', '.join(shim['hosts'])}"
    refused = [("  refuses", why) for _, why in sorted(shim.get("refused", {}).items())]
    return [(f"shim {shim['controller']}", told), *refused]


def _away(host: dict[str, Any]) -> str:
    """A host of which shims have reported, and that none serves."""
    return f"host {host['host']}, of which {host['controller']} has {host['reports']} reports: start its shim, or `gluon hosts forget`"


def resync(server: config.Api) -> int:
    """Ask for a resync and wait until it is done."""
    end = time.monotonic() + _PATIENCE
    try:
        with connect(server) as client:
            began = _facts(client)["publisher"]
            client.request("POST", "/gluon/v1/resync", {})
            while time.monotonic() < end:
                facts = _facts(client)
                now = facts["publisher"]
                if not facts["resync_wanted"] and not now["resyncing"]:
                    click.echo(f"etcd agrees with the database at revision {now['revision']}")
                    return 0
                time.sleep(0.2)
    except http.ClientError as error:
        return fail(error)
    click.echo(f"no resync within {_PATIENCE:.0f} s; cursor was {began.get('cursor')}", err=True)
    return 1


def connect(server: config.Api) -> http.Client:
    """Of the server that these settings describe; who listens everywhere is reached here."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)
    return login.connect(http.address(host, server.port), timeout=30)


def _facts(client: http.Client) -> dict[str, Any]:
    return client.facts("/gluon/v1/status", "database", "publisher", "shims", "resync_wanted")


def fail(error: http.ClientError) -> int:
    """Say what a server refused; the exit status."""
    for line in error.lines if isinstance(error, http.ApiError) else [str(error)]:
        click.echo(shown(f"gluon: {line}"), err=True)
    return 1
