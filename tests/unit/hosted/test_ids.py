"""The contract between the face's ids and what runs inside of Neutron: an id alone says whose it is."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gluon.hosted.ids import is_gluons, of_port, of_service
from gluon.neutron import ids
from gluon.spi import networks
from gluon.spi.policy import Caller


@given(some.uuids(version=4))
def test_a_network_of_neutron_is_none_of_gluon(id: uuid.UUID) -> None:
    assert not is_gluons(str(id))


@given(some.text(min_size=1), some.text(min_size=1), some.text(min_size=1))
def test_a_service_is_gluons_and_so_are_its_subnets(api: str, kind: str, key: str) -> None:
    network = networks.network_id(api, kind, key)
    assert is_gluons(network)
    assert is_gluons(ids.subnet(network, "10.0.0.0/24"))
    assert of_service(api, kind, key) == network


@given(
    some.sampled_from(["net-l3vpn", "net-l2", "x"]), some.one_of(some.none(), some.uuids(version=4).map(str))
)
def test_the_network_of_ports_without_a_service_is_gluons(api: str, project: str | None) -> None:
    """A project of Keystone's is a UUID of version 4."""
    assert is_gluons(ids.plain_network(api, project))


@pytest.mark.parametrize("id", [None, "", "x", 5])
def test_what_is_no_id_is_nobodys(id: object) -> None:
    assert not is_gluons(id)


@given(some.one_of(some.just(""), some.uuids().map(lambda one: one.hex), some.text()), some.text(min_size=1))
def test_a_port_is_known_by_the_project_and_the_word_of_its_request(project: str, word: str) -> None:
    assert of_port(project, word) == ids.of_word(Caller(user="u", project=project).project, word, 0)
