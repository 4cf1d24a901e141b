"""`gluon db check --repair` beside the servers of a database whose pools were changed by hand: nobody gets what another has."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import gluon
from gluon.cmd import main
from gluon.store.picture import alter
from gluon.testing.product import GluonServer

MODEL = Path(gluon.__file__).parent / "catalog" / "net-l2"
V = "/proton/net-l2/v2.0"
PROJECT = str(uuid.UUID(int=7))


@pytest.fixture(params=["sqlite", "postgres_url", "mariadb_url"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gluon.db"
    return str(request.getfixturevalue(request.param))


class Net:
    """The proton as its clients use it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> Net:
        self.server = GluonServer("server", "--database", self._url, "--model", str(MODEL)).__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.server.__exit__(*error)

    def make(self, plural: str, **body: Any) -> dict[str, Any]:
        status, made = self.server.request("POST", f"{V}/{plural}", {"project_id": PROJECT, **body})
        assert status == 201, made
        return dict(made)

    def network(self) -> str:
        return str(self.make("networks", subnets=[{"cidr": "192.0.2.0/28"}])["id"])

    def attach(self, network: str, *more: str) -> dict[str, Any]:
        port = self.make("ports")["id"]
        return self.make("attachments", interface_id=port, service_id=network, more_addresses=list(more))

    def change(self, made: dict[str, Any], **body: Any) -> tuple[int, Any]:
        return self.server.request("PUT", f"{V}/attachments/{made['id']}", body)

    def delete(self, made: dict[str, Any]) -> None:
        assert self.server.request("DELETE", f"{V}/attachments/{made['id']}")[0] == 204

    def addresses(self) -> list[str]:
        found = self.server.request("GET", f"{V}/attachments?limit=1000")[1]["attachments"]
        return [one for a in found for one in (a["ip_address"], *a["more_addresses"])]


def by_hand(url: str, *statements: str) -> None:
    async def run() -> None:
        async with alter(url) as picture:
            for sql in statements:
                await picture.fetch(sql)

    asyncio.run(run())


def check(url: str, *words: str) -> tuple[int, list[dict[str, Any]]]:
    done = CliRunner().invoke(main.cli, ["db", "check", "--format", "json", "--database", url, *words])
    assert done.exit_code in {0, 3}, done.output
    return done.exit_code, [f for f in json.loads(done.stdout)["findings"] if f["kind"] != "journal"]


DAMAGES: dict[str, str] = {
    "next is before what was given": "UPDATE gluon_pool SET next = '0', fresh_height = -1",
    "values are forgotten": "DELETE FROM gluon_pool_value WHERE holder LIKE 'Attachment/%'",
    "values are free": (
        "UPDATE gluon_pool_value SET holder = NULL, free_at = '2000-01-01T00:00:00.000000' WHERE holder IS NOT NULL"
    ),
    "others have them": "UPDATE gluon_pool_value SET holder = 'Attachment/nobody/ip_address' WHERE holder LIKE 'Attach%'",
    "pools are forgotten": "DELETE FROM gluon_pool",
    "what waits is not where it is looked for": "UPDATE gluon_pool_value SET chunk = chunk + 1 WHERE slot IS NOT NULL",
}


CASES = [("sqlite", "values are forgotten")] + [
    (("postgres_url", "mariadb_url")[(n + more) % 2], name)
    for n, name in enumerate(DAMAGES)
    for more in range(2 if "next" in name else 1)
]


@pytest.mark.parametrize(("url", "name"), CASES, indirect=["url"])
def test_beside_a_server_nothing_is_given_twice_or_lost(url: str, name: str) -> None:
    """Its server has just read the pools; the file of SQLite belongs to it alone, so there it is stopped meanwhile."""
    with Net(url) as net:
        blue = net.network()
        made = [net.attach(blue, f"192.0.2.{10 + n}") for n in range(4)]
        net.delete(made.pop(2))
        if not url.startswith("sqlite"):
            by_hand(url, DAMAGES[name])
            assert check(url)[0] == 3
            assert check(url, "--repair") == (0, [])
            assert net.attach(blue)
    if url.startswith("sqlite"):
        by_hand(url, DAMAGES[name])
        assert check(url)[0] == 3
        assert check(url, "--repair") == (0, [])
    with Net(url) as net:
        while len(net.addresses()) < 12:
            net.attach(blue)
        found = net.addresses()
        assert len(set(found)) == len(found)
        net.delete(made[0])
        again = {"ip_address": made[0]["ip_address"], "more_addresses": made[0]["more_addresses"]}
        assert net.change(made[1], **again)[0] == 200, "who deletes gives back"
    assert check(url) == (0, [])


def test_what_two_have_is_named_with_both_and_left(url: str) -> None:
    with Net(url) as net:
        blue = net.network()
        first, second = sorted(
            (net.attach(blue, f"192.0.2.{n}") for n in (11, 12)), key=lambda a: str(a["id"])
        )
    twice = first["more_addresses"][0]
    by_hand(
        url,
        f"UPDATE \"net_l2_Attachment\" SET more_addresses = '[\"{twice}\"]' WHERE id = '{second['id']}'",
        "UPDATE gluon_pool_value SET holder = NULL WHERE holder LIKE 'Attach%'",
    )
    for words in ((), ("--repair",), ("--repair",)):
        status, found = check(url, *words)
        (both,) = [f for f in found if not f["mendable"]]
        assert status == 3 and (not words or found == [both])
        assert both["where"] == f"net-l2 Attachment {second['id']}"
        assert f"more_addresses {twice} of pool net-l2/Network/{blue}/addresses" in both["message"]
        assert f"Attachment/{first['id']}/more_addresses" in both["message"]
        assert "--repair" in both["cure"] and "another value" in both["cure"]
    with Net(url) as net:
        assert net.change(first, more_addresses=[])[0] == 200
    assert check(url, "--repair")[1] == []
    with Net(url) as net:
        assert net.change(first, more_addresses=[twice])[0] == 409
