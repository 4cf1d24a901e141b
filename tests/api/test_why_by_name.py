"""`gluon why` takes the name of a port where no other port has it."""

import uuid

from click.testing import CliRunner

from gluon.cmd.main import cli
from gluon.testing.product import GluonServer
from tests.api.conftest import Api


def why(server: GluonServer, port: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["why", port, "--port", str(server.port)])
    return done.exit_code, done.output


def test_a_name_that_one_port_has_is_as_good_as_its_id(api: Api, server: GluonServer) -> None:
    port = api.port(name=f"web {uuid.uuid4()}")
    named = why(server, port["name"])
    assert named == why(server, port["id"])
    assert named[1].startswith(f'port {port["id"]} "{port["name"]}" of net-l3vpn: ')


def test_who_has_the_name_of_several_ports_is_shown_their_ids(api: Api, server: GluonServer) -> None:
    name = f"db {uuid.uuid4()}"
    made = [api.port(name=name)["id"] for _ in range(7)]
    code, said = why(server, name)
    assert (code, said.count(", ")) == (1, 4)
    assert said.startswith(f"gluon: several ports are named {name}: ")
    assert said.endswith(" and others (give the id of one)\n")
    assert sum(one in said for one in made) == 5


def test_an_id_comes_before_a_name(api: Api, server: GluonServer) -> None:
    port = api.port(name="first")
    api.port(name=port["id"])
    assert why(server, port["id"])[1].startswith(f'port {port["id"]} "first"')


def test_nobody_is_named_so(api: Api, server: GluonServer) -> None:
    assert why(server, "no one") == (1, "gluon: no proton has a port no one (see gluon ports)\n")
