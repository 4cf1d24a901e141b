"""`gluon db backup`, `restore` and `check` on what a server made: random objects, and every kind of damage."""

import asyncio
import json
import random
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import gluon
from gluon.cmd import main
from gluon.errors import GluonError
from gluon.store.picture import alter
from gluon.testing.product import GluonServer

SHIPPED = Path(gluon.__file__).parent / "catalog"
MODELS = [
    "--model", str(SHIPPED / "net-l3vpn-2.0"), "--model", str(SHIPPED / "net-l2"), "--model", "tests/api/models/every",
]  # fmt: skip
V2 = "/proton/net-l3vpn/v2.0"
LISTS = ("ports", "interfaces", "vpns", "vpnbindings", "bgppeerings")


def gluon_command(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main.cli, words)
    assert done.exception is None or isinstance(done.exception, (SystemExit, GluonError)), done.exc_info
    return done.exit_code, done.stdout, done.stderr


def check(*words: str) -> tuple[int, dict[str, Any]]:
    status, out, said = gluon_command("db", "check", "--format", "json", *words)
    assert status in {0, 3}, said
    facts: dict[str, Any] = json.loads(out)
    return status, facts


class Maker:
    """Random requests; whatever is refused is refused."""

    def __init__(self, server: GluonServer, seed: int) -> None:
        self.server = server
        self.dice = random.Random(seed)
        self.projects = [str(uuid.UUID(int=self.dice.getrandbits(128), version=4)) for _ in range(3)]
        self.made: dict[str, list[str]] = {name: [] for name in LISTS}
        self.further = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.dice.choices(
                [
                    self.port,
                    self.vpn,
                    self.binding,
                    self.peering,
                    self.bind,
                    self.add,
                    self.rename,
                    self.delete,
                ],
                [5, 2, 5, 1, 3, 2, 2, 2],
            )[0]()

    def post(self, plural: str, body: dict[str, Any]) -> None:
        status, answer = self.server.request("POST", f"{V2}/{plural}", body)
        assert status in {201, 400, 409}, answer
        if status == 201:
            self.made[plural].append(answer["id"])

    def any(self, plural: str) -> str | None:
        return self.dice.choice(self.made[plural]) if self.made[plural] else None

    def port(self) -> None:
        name = self.dice.choice(["", "ä \"'\\", "x" * 60, "a\nb", "\U0001f600"])
        self.post("ports", {"name": name, "project_id": self.dice.choice(self.projects), "mtu": 1400})

    def vpn(self) -> None:
        nets = [{"cidr": f"10.{self.dice.randrange(200)}.0.0/24"}, {"cidr": "198.51.100.0/24"}]
        body: dict[str, Any] = {"project_id": self.dice.choice(self.projects), "subnets": nets}
        body["ipv4"] = {"both": [f"65000:{self.dice.randrange(1000)}"]}
        self.post("vpns", body)

    def binding(self) -> None:
        port, vpn = self.any("ports"), self.any("vpns")
        if port and vpn:
            _, found = self.server.request("GET", f"{V2}/ports/{port}/interfaces")
            for interface in found["interfaces"][:1]:
                body = {
                    "interface_id": interface["id"],
                    "service_id": vpn,
                    "project_id": interface["project_id"],
                    "more_addresses": [f"198.51.100.{(self.further + n) % 254 + 1}" for n in range(2)],
                }
                self.further += 2
                self.post("vpnbindings", body)

    def peering(self) -> None:
        ends = [f"192.0.2.{self.dice.randrange(9)}" for _ in range(2)]
        body = {"local_address": ends[0], "peer_address": ends[1], "peer_asn": 65000}
        self.post("bgppeerings", {**body, "project_id": self.dice.choice(self.projects)})

    def bind(self) -> None:
        if port := self.any("ports"):
            body = {
                "host_id": self.dice.choice(["h1", "h2", None]),
                "device_id": self.dice.choice(["vm", None]),
            }
            self.server.request("PUT", f"{V2}/ports/{port}", body)

    def add(self) -> None:
        """A second binding, as Nova begins a live migration, of a type that is said or not."""
        if port := self.any("ports"):
            body = {"host": "h3", **self.dice.choice([{}, {"vnic_type": "normal"}])}
            self.server.request("PUT", f"/v2.0/ports/{port}", {"port": {"binding:host_id": "h1"}})
            self.server.request("POST", f"/v2.0/ports/{port}/bindings", {"binding": body})

    def rename(self) -> None:
        if vpn := self.any("vpns"):
            self.server.request("PATCH", f"{V2}/vpns/{vpn}", {"name": str(self.dice.random()), "mtu": 1300})

    def delete(self) -> None:
        plural = self.dice.choice(["ports", "vpns", "vpnbindings"])
        if key := self.any(plural):
            status, _ = self.server.request("DELETE", f"{V2}/{plural}/{key}")
            if status == 204:
                self.made[plural].remove(key)


def lists(server: GluonServer) -> dict[str, Any]:
    """All objects, but for what a shim says later."""
    found: dict[str, Any] = {}
    for plural in LISTS:
        status, body = server.request("GET", f"{V2}/{plural}?limit=1000")
        assert status == 200
        found[plural] = [{k: v for k, v in one.items() if k != "status"} for one in body[plural]]
    return found


def test_what_was_made_is_the_same_on_every_database(
    tmp_path: Path, postgres_url: str, mariadb_url: str
) -> None:
    """Checked beside the server, backed up beside the server, and restored from one database to the next."""
    folder = str(tmp_path / "data")
    with GluonServer("up", *MODELS, "--data", folder) as server:
        Maker(server, 1).run(150)
        made = lists(server)
        assert len(made["vpnbindings"]) > 3
        status, found = check("--data", folder)
        assert (status, found["findings"]) == (0, [])
        assert gluon_command("db", "backup", "--data", folder, str(tmp_path / "0.gz"))[0] == 0
    for n, url in enumerate((postgres_url, mariadb_url)):
        status, out, said = gluon_command("db", "restore", "--database", url, str(tmp_path / f"{n}.gz"))
        assert status == 0, out + said
        assert check("--database", url)[0] == 0
        asyncio.run(harm(url))
        status, facts = check("--database", url)
        assert (status, {f["kind"] for f in facts["findings"]}) == (3, {"quotas", "ports", "pools"}), facts
        assert check("--repair", "--database", url)[0] == 0
        with GluonServer("up", *MODELS, "--database", url) as server:
            assert lists(server) == made
            Maker(server, 10 + n).run(40)
            made = lists(server)
            status, facts = check("--database", url)
            assert status == 0, facts
            assert (
                gluon_command(
                    "db", "restore", "--replace", "--yes", "--database", url, str(tmp_path / "0.gz")
                )[0]
                == 1
            )
            assert gluon_command("db", "backup", "--database", url, str(tmp_path / f"{n + 1}.gz"))[0] == 0


async def harm(url: str) -> None:
    """What --repair can cure."""
    async with alter(url) as picture:
        await picture.fetch("UPDATE gluon_usage SET n = n + 1 WHERE type = 'Port'")
        await picture.fetch(
            "DELETE FROM gluon_port WHERE id = (SELECT MIN(p.id) FROM (SELECT id FROM gluon_port) p)"
        )
        await picture.fetch("UPDATE gluon_port SET project = NULL")
        await picture.fetch("DELETE FROM gluon_pool_value WHERE pool LIKE '%/addresses'")
        await picture.fetch("UPDATE gluon_pool_value SET holder = NULL WHERE holder LIKE 'Port/%a%'")
        await picture.fetch("UPDATE gluon_pool_value SET holder = 'Gone/1/mac' WHERE holder LIKE 'Port/%'")
        await picture.fetch("UPDATE gluon_pool SET next = '3', fresh_height = -1")


Damage = Callable[[sqlite3.Connection], object]


def _do(*statements: str) -> Damage:
    def damage(connection: sqlite3.Connection) -> None:
        for sql in statements:
            assert connection.execute(sql).rowcount, sql

    return damage


_FIRST = "(SELECT id FROM net_l3vpn_Port ORDER BY id LIMIT 1)"
DAMAGES: dict[str, tuple[Damage, set[str], bool]] = {
    "a count of a quota": (_do("UPDATE gluon_usage SET n = n + 1 WHERE type = 'Port'"), {"quotas"}, True),
    "an owner that is missing": (_do(f"DELETE FROM gluon_port WHERE id = {_FIRST}"), {"ports"}, True),
    "an owner too many": (
        _do("INSERT INTO gluon_port SELECT 'lost', owner, api, object_type, project, network_id, device_id,"
            f" device_owner, host, mac, name, status, revision FROM gluon_port WHERE id = {_FIRST}"), {"ports"}, True),
    "an owner of another project": (_do("UPDATE gluon_port SET project = 'x'"), {"ports"}, True),
    "a port without a host that is not down": (
        _do("UPDATE gluon_port SET status = 'ACTIVE' WHERE host IS NULL"), {"ports"}, True),
    "a port that is as its binding is not": (
        _do("UPDATE gluon_port SET status = 'DOWN', host = NULL WHERE host IS NOT NULL"), {"ports"}, True),
    "a port of another device and name": (
        _do(f"UPDATE gluon_port SET device_id = 'x', device_owner = 'y', name = NULL, mac = 'z' WHERE id = {_FIRST}"),
        {"ports"}, True),
    "a bound port that says no host": (
        _do("UPDATE net_l3vpn_Port SET host_id = NULL WHERE id IN (SELECT port_id FROM gluon_binding WHERE active)"),
        {"ports", "journal"}, False),
    "a history of a port that is gone": (
        _do("INSERT INTO gluon_binding_history VALUES ('lost', '[]')"), {"ports"}, True),
    "a status of a port that is gone": (
        _do("INSERT INTO gluon_status VALUES ('net-l3vpn', 'Port', 'lost', 'shim', 'h1', 1, '{}', 1)"), {"ports"}, True),
    "a place that is beyond the end": (
        _do("INSERT INTO gluon_nova SELECT 'events', incarnation, revision + 1 FROM gluon_writer"), {"places"}, True),
    "a network that is missing": (
        _do("DELETE FROM gluon_network WHERE id = (SELECT id FROM gluon_network WHERE object_key <> '' LIMIT 1)"),
        {"networks"}, True),
    "a network that is another service": (
        _do("UPDATE gluon_network SET object_key = (SELECT MAX(object_key) FROM gluon_network) WHERE id ="
            " (SELECT id FROM gluon_network WHERE object_key <> '' ORDER BY object_key LIMIT 1)"), {"networks"}, True),
    "a network too many": (
        _do("INSERT INTO gluon_network VALUES ('lost', 'net-l3vpn', 'VpnService', 'nobody')"), {"networks"}, True),
    "a row that is gone": (_do("DELETE FROM net_l3vpn_BgpPeering"), {"journal"}, False),
    "a row that says other": (_do("UPDATE net_l3vpn_VpnService SET mtu = 999"), {"journal"}, False),
    "values that rest, as nobody waits for them": (
        _do("UPDATE gluon_pool_value SET holder = NULL WHERE holder LIKE 'Port/%'"), {"pools"}, True),
    "an item of a list that rests": (
        _do("UPDATE gluon_pool_value SET holder = NULL WHERE holder LIKE '%/more_addresses'"), {"pools"}, True),
    "an item that is in no list": (
        _do("UPDATE net_l3vpn_VpnBinding SET more_addresses = '[]'"), {"pools", "journal"}, True),
    "a value that nobody has": (
        _do("UPDATE gluon_pool_value SET holder = 'Port/nobody/mac_address' WHERE value = "
            "(SELECT value FROM gluon_pool_value WHERE holder LIKE 'Port/%' LIMIT 1)"), {"pools"}, True),
    "a value of an attribute that is no more": (
        _do("UPDATE gluon_pool_value SET holder = replace(holder, '/ip_address', '/gone') WHERE holder LIKE '%/ip_address'"),
        {"pools"}, True),
    "a value of a type that is no more": (
        _do("INSERT INTO gluon_pool_value SELECT pool, '02:00:00:00:00:07', 'Gone/1/mac', NULL, NULL, NULL, NULL, 1"
            " FROM gluon_pool_value WHERE holder LIKE 'Port/%' LIMIT 1"), {"pools"}, True),
    "a pool of an object that is gone": (
        _do("INSERT INTO gluon_pool_value VALUES ('net-l3vpn/VpnService/gone/addresses', '10.0.0.1', 'VpnBinding/1/ip_address',"
            " NULL, NULL, NULL, NULL, 0)"), {"pools"}, True),
    "values that are forgotten": (_do("DELETE FROM gluon_pool_value"), {"pools"}, True),
    "a pool that is forgotten": (_do("DELETE FROM gluon_pool"), {"pools"}, True),
    "a pool that begins again": (
        _do("UPDATE gluon_pool SET next = '0', fresh_height = -1 WHERE id = 'net-l3vpn/macs'"), {"pools"}, True),
    "a count of a pool": (_do("UPDATE gluon_pool SET held = held + 1, queued = 7"), {"pools"}, True),
    "a place in the queue of a pool": (_do("UPDATE gluon_pool_value SET slot = slot + 1 WHERE slot IS NOT NULL"), {"pools"}, True),
    "a part of the queue of a pool": (_do("UPDATE gluon_pool_value SET chunk = chunk + 1 WHERE slot IS NOT NULL"), {"pools"}, True),
    "marks of a pool": (_do("DELETE FROM gluon_pool_block"), {"pools"}, True),
    "a reference to nothing": (
        _do("UPDATE net_l3vpn_VpnBinding SET interface_id = 'nothing' || rowid"), {"references", "journal"}, False),
    "an index that is gone": (lambda c: [c.execute(f'DROP INDEX "{name}"') for (name,) in c.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'uq_net_l3vpn_BgpPeering%'").fetchall()],
        {"schema"}, False),
    "lists that are none": (_do("UPDATE net_l3vpn_VpnBinding SET more_addresses = 'x'"), {"schema"}, False),
    "a binding of no state": (_do("UPDATE gluon_binding SET state = 'x', profile = '{'"), {"schema"}, False),
    "an entry of no operation": (_do("UPDATE journal SET op = 'x' WHERE n = 1"), {"schema"}, False),
    "a secret": (_do("UPDATE journal SET new = json_set(new, '$.secret', 'x') WHERE type = 'Plain'"), {"secrets", "journal"}, False),
}  # fmt: skip


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("damaged") / "data"
    with GluonServer("up", *MODELS, "--data", str(folder)) as server:
        maker = Maker(server, 3)
        maker.run(80)
        for _ in range(3):
            maker.peering()
            maker.binding()
        assert server.request("GET", "/v2.0/subnets?id=00000000-0000-4000-8000-000000000001")[0] == 200
        bound = {"host_id": "host-1", "device_id": "machine-1"}
        assert server.request("PUT", f"{V2}/ports/{maker.made['ports'][0]}", bound)[0] == 200
        body = {"project_id": maker.projects[0], "text": "some text", "secret": "hidden"}
        assert server.request("POST", "/proton/every/v3.1/plains", body)[0] == 201
    return folder / "gluon.db"


def revision(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT revision FROM gluon_writer").fetchone()[0])


@pytest.mark.parametrize("what", sorted(DAMAGES))
def test_damage_is_found_and_what_can_be_is_mended(damaged: Path, tmp_path: Path, what: str) -> None:
    damage, kinds, mendable = DAMAGES[what]
    copy = tmp_path / "gluon.db"
    with closing(sqlite3.connect(damaged)) as source, closing(sqlite3.connect(copy)) as connection:
        source.backup(connection)
    where = ("--database", f"sqlite:///{copy}")
    with closing(sqlite3.connect(copy)) as connection:
        damage(connection)
        connection.commit()
    status, facts = check(*where)
    assert status == 3 and facts["total"] >= len(kinds)
    assert {f["kind"] for f in facts["findings"]} == kinds, facts
    assert all(f["cure"] and f["where"] for f in facts["findings"])
    assert all(f["mendable"] == mendable for f in facts["findings"] if f["kind"] != "journal")
    before = revision(copy)
    status, facts = check("--repair", *where)
    assert (revision(copy) > before) == bool(kinds & {"quotas"} or (mendable and "pools" in kinds)), (
        "a process that has read it reads it again"
    )
    assert bool(facts["mended"]) == mendable, facts
    assert {f["kind"] for f in facts["findings"]} == (kinds & {"journal"} if mendable else kinds), facts
