"""Neutron's own networks and ports are as they are without Gluon: answer for answer, statement for statement."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from gluon.testing.servers import MariadbServer
from gluon.testing.servers.neutron import NeutronServer
from tests.live.neutron.calls import Transcript, play
from tests.live.neutron.conftest import BIND, FREE, SERVICE, Site


def test_the_transcript_of_300_calls_is_the_same(alone: NeutronServer, site: Site) -> None:
    scripts = [Transcript(server, uuid.uuid4().hex) for server in (alone, site.front)]
    with ThreadPoolExecutor(max_workers=2) as both:
        without, beside = both.map(play, scripts)
    assert len(without) >= 300
    for line, other in zip(without, beside, strict=True):
        assert line == other


def test_a_port_costs_no_statement_more(
    alone: NeutronServer, site: Site, mariadb_server: MariadbServer
) -> None:
    """The least of several tries, as pools of connections ask too, now and then; tried again where that may have been so each time."""
    without: dict[str, int] = {}
    beside: dict[str, int] = {}
    for tries in range(6):
        for server, least in ((alone, without), (site.front, beside)):
            _count_statements(server, mariadb_server, least)
        if tries and _more(beside, without) == {}:
            return
    assert _more(beside, without) == {}, without


def _more(beside: dict[str, int], without: dict[str, int]) -> dict[str, int]:
    return {what: count for what, count in beside.items() if count > without[what]}


def _count_statements(server: NeutronServer, database: MariadbServer, least: dict[str, int]) -> None:
    def asked() -> int:
        return int(database.sql("SHOW GLOBAL STATUS LIKE 'Questions'").split()[1])

    def count(what: str, method: str, path: str, body: object = None) -> dict[str, dict[str, str]]:
        before = asked()
        status, answer = server.request(method, f"/v2.0/{path}", body, headers=SERVICE)
        assert status < 300, answer
        if what != "network":
            least[what] = min(least.get(what, 1_000_000), asked() - before)
        found: dict[str, dict[str, str]] = answer
        return found

    network = count("network", "POST", "networks", {"network": {"name": "counted"}})["network"]["id"]
    for _ in range(3):
        port = count("create", "POST", "ports", {"port": {"network_id": network}})["port"]["id"]
        count("show", "GET", f"ports/{port}")
        count("list", "GET", f"ports?network_id={network}")
        count("networks", "GET", f"networks?name={uuid.uuid4()}")
        count("bind", "PUT", f"ports/{port}", {"port": BIND})
        other = {"binding": {"host": "host2", "vnic_type": "normal", "profile": {}}}
        count("second binding", "POST", f"ports/{port}/bindings", other)
        count("activate", "PUT", f"ports/{port}/bindings/host2/activate")
        count("end of a binding", "DELETE", f"ports/{port}/bindings/host1")
        count("free", "PUT", f"ports/{port}", {"port": FREE})
        count("delete", "DELETE", f"ports/{port}")
