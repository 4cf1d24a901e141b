"""What 2.0 means where a file says it: defaults of keys, formats and ranges, roles, inheritance, imports."""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest

from gluon import errors
from gluon.model import loader
from gluon.model.types import (
    AttributeType,
    Format,
    Kind,
    Model,
    ObjectType,
    OnDelete,
    PoolUse,
    Role,
    Scope,
    Unique,
)
from tests.unit.model.conftest import Write

HERE = Path(__file__).parent
HEAD = 'file_version: "2.0"\ninfo: {name: m, version: "1.0"}\n'

Load = Callable[..., Model]


@pytest.fixture(scope="module")
def shop() -> Model:
    (model,) = loader.load([HERE / "good" / "shop.yaml"])
    return model


def thing(load: Load, attributes: str, rest: str = "") -> ObjectType:
    text = f"{HEAD}objects:\n  A:\n    api: {{name: a}}\n{rest}    attributes:\n"
    return load(text + "".join(f"      {line}\n" for line in attributes.splitlines())).types["A"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("string", (AttributeType.STRING, None, None, None)),
        ("date-time", (AttributeType.STRING, Format.DATE_TIME, None, None)),
        ("ip", (AttributeType.STRING, Format.IP, None, None)),
        ("integer", (AttributeType.INTEGER, None, None, None)),
        ("int32", (AttributeType.INTEGER, Format.INT32, -(2**31), 2**31 - 1)),
        ("vlan", (AttributeType.INTEGER, Format.VLAN, 1, 4094)),
        ("vni", (AttributeType.INTEGER, Format.VNI, 1, 16777215)),
        ("asn", (AttributeType.INTEGER, Format.ASN, 1, 4294967294)),
        ("mpls_label", (AttributeType.INTEGER, Format.MPLS_LABEL, 16, 1048575)),
        ("route_target", (AttributeType.STRING, Format.ROUTE_TARGET, None, None)),
    ],
)
def test_a_word_is_a_type_a_format_and_a_range(
    load: Load, word: str, expected: tuple[AttributeType, Format | None, int | None, int | None]
) -> None:
    x = thing(load, f"x: {{type: {word}}}").attributes["x"]
    assert (x.type, x.format, x.minimum, x.maximum) == expected
    assert (x.value_type, x.value_format, x.kept) == (x.type, x.format, False)


def test_limits_within_a_range_are_kept(load: Load) -> None:
    a = thing(load, "x: {type: vlan, max: 2000}\ny: {type: number, min: 0.5}").attributes
    assert (a["x"].minimum, a["x"].maximum) == (1, 2000)
    assert (a["y"].minimum, a["y"].maximum) == (0.5, None)


@pytest.mark.parametrize(
    ("said", "nullable"),
    [
        ("type: vlan", True),
        ("type: vlan, required: true", False),
        ("type: vlan, default: 5", False),
        ("type: vlan, default: null", True),
        ("type: vlan, default: 5, nullable: true", True),
        ("type: vlan, nullable: false", False),
        ("type: string, primary: true", False),
    ],
)
def test_null_is_refused_where_there_always_is_a_value(load: Load, said: str, nullable: bool) -> None:
    assert thing(load, f"x: {{{said}}}").attributes["x"].nullable is nullable


def test_items_are_not_nullable_and_members_are(load: Load) -> None:
    attributes = "x: {type: list, items: {type: ip}}\ny: {type: object, attributes: {z: {type: ip}}}"
    made = thing(load, attributes).attributes
    assert made["x"].items
    assert not made["x"].items.nullable
    assert made["x"].max_items == 1000
    assert made["y"].members["z"].nullable


def test_a_default_is_in_normal_form(load: Load) -> None:
    a = thing(load, 'x: {type: ipv6, default: "2001:DB8:0::1"}\ny: {type: asn, default: "1.10"}').attributes
    assert (a["x"].default, a["y"].default) == ("2001:db8::1", 65546)


def test_unique_is_per_project_unless_it_says_global(shop: Model) -> None:
    assert shop.types["Network"].unique == (
        Unique(attributes=("project_id", "vni"), scope=Scope.PROJECT),
        Unique(attributes=("name", "rd"), scope=Scope.GLOBAL),
        Unique(attributes=("name",), scope=Scope.PROJECT),
        Unique(attributes=("vni",), scope=Scope.GLOBAL),
    )


def test_pools_are_used_directly_or_through_a_reference(shop: Model) -> None:
    assert shop.types["Network"].attributes["vni"].pool == PoolUse(name="vnis")
    address = shop.types["Binding"].attributes["address"]
    assert address.pool == PoolUse(name="addresses", through="service_id")
    assert shop.pools["vnis"].ranges == ("10000-19999", "30000")
    pool = shop.types["Network"].pools["addresses"]
    assert (pool.source, pool.rest, pool.format) == ("subnets.cidr", 60, Format.IP)


def test_references_are_found_wherever_they_are(shop: Model) -> None:
    network = shop.types["Network"]
    assert [(link.path, link.attribute.on_delete) for link in network.links] == [
        (("peers", "*"), OnDelete.UNSET),
        (("owner", "of"), OnDelete.UNSET),
    ]
    assert shop.types["Binding"].attributes["service_id"].listed_as == "bindings"


def test_roles_stand_in_the_file(shop: Model) -> None:
    port = shop.types["Port"]
    assert port.kind is Kind.PORT
    assert port.roles[Role.PROJECT] == "project_id"
    assert {role: port.attributes[name].role for role, name in port.roles.items()} == {
        r: r for r in port.roles
    }
    assert not port.attributes["mac_address"].required
    assert {n for n, a in port.attributes.items() if a.read_only} == {"status", "vif_type", "vif_details"}
    assert dict(shop.types["Binding"].roles) == {
        Role.PROJECT: "project_id",
        Role.INTERFACE: "interface_id",
        Role.SERVICE: "service_id",
    }


def test_names_mean_nothing_without_a_role(load: Load) -> None:
    made = thing(load, "tenant_id: {type: uuid}\nproject_id: {type: uuid}\nx: {type: string, role: host}")
    assert dict(made.roles) == {Role.HOST: "x"}


def test_a_base_gives_its_rules_hooks_and_actions() -> None:
    (model,) = loader.load([HERE / "good" / "deep.yaml"])
    site = model.types["Site"]
    assert [c.message for c in site.checks] == ["no x", "no such site"]
    assert [(point.value, names) for point, names in site.hooks.items()] == [
        ("check", ("deep.judge",)),
        ("after", ("deep.tell", "deep.more")),
    ]
    assert (site.quota, list(site.actions), site.policies["ping"]) == (9, ["ping"], "rule:admin_only")
    assert (site.key, site.generated_key) == ("code", False)
    assert model.types["Slot"].parent == "Rack"


def test_a_reference_has_the_type_of_the_key(load: Load) -> None:
    (model,) = loader.load([HERE / "good" / "deep.yaml"])
    site = model.types["Rack"].attributes["site"]
    assert (site.value_type, site.length) == (AttributeType.STRING, 8)
    lease = model.types["Lease"]
    assert (lease.attributes["slot"].value_type, lease.generated_key) == (AttributeType.UUID, False)


def test_everything_is_frozen(shop: Model) -> None:
    network = shop.types["Network"]
    mappings = (
        network.pools, network.actions, network.hooks, network.neutron, network.examples[0],
        network.attributes["owner"].members, shop.pools,
    )  # fmt: skip
    assert all(isinstance(mapping, MappingProxyType) for mapping in mappings)


ONE = "objects: {A: {api: {name: a}, extends: Own, attributes: {x: {type: Thing}}}}\n"


def test_imports_take_folders_and_several_files(write: Write) -> None:
    folder = write({
        "m/api.yaml": f"{HEAD}imports: [parts, more/thing.yaml]\n{ONE}",
        "parts/own.yaml": "objects: {Own: {attributes: {vni: {type: vni, pool: vnis}}}}\n",
        "parts/pools.yaml": "pools: {vnis: {type: vni, ranges: [1-9]}}\n",
        "more/thing.yaml": "file_version: '2.0'\nobjects: {Thing: {api: {name: thing}, attributes: {y: {type: ip}}}}\n",
    })  # fmt: skip
    (model,) = loader.load([folder / "m"])
    assert list(model.types) == ["A", "Thing"]
    assert list(model.pools) == ["vnis"]
    assert list(model.types["A"].attributes) == ["uuid", "vni", "x"]


def test_the_files_of_a_folder_are_in_one_version(write: Write) -> None:
    other = "objects: {B: {api: {name: b}, attributes: {x: {type: vlan}}}}\n"
    folder = write({"1.yaml": other, "2.yaml": HEAD})
    (model,) = loader.load([folder])
    assert model.types["B"].attributes["x"].format is Format.VLAN
    write({"1.yaml": f"file_version: '1.0'\n{other}"})
    with pytest.raises(errors.ModelError) as raised:
        loader.load([folder])
    assert any("differs from" in p.message for p in raised.value.problems)


@pytest.mark.parametrize(
    ("ranges", "good"),
    [
        ('{type: mac, ranges: ["fa:16:3e:00:00:00/24"]}', True),
        ("{type: ip, ranges: [10.0.0.0/8, '2001:db8::/64']}", True),
        ("{type: ipv6, ranges: ['2001:db8::1-2001:db8::ff']}", True),
        ("{type: integer, ranges: [-5--1, 0]}", True),
        ('{type: route_target, ranges: ["192.0.2.1:1-192.0.2.1:9"]}', True),
        ("{type: route_target, ranges: [1-9], template: '4200000000:{}'}", True),
        ("{type: ipv4, ranges: ['2001:db8::/64']}", False),
        ("{type: asn, ranges: [0-5]}", False),
        ("{type: asn, ranges: [1.10-1.20, '2.0']}", True),
        ("{type: asn, ranges: [1.70000-2.1]}", False),
        ("{type: vni, ranges: [1.10-1.20]}", False),
        ("{type: mpls_label, ranges: [15]}", False),
        ("{type: route_target, ranges: [1-9], template: '065000:{}'}", False),
    ],
)
def test_ranges_are_those_that_a_pool_can_read(load: Load, ranges: str, good: bool) -> None:
    text = f"{HEAD}pools: {{p: {ranges}}}\nobjects: {{A: {{api: {{name: a}}, attributes: {{x: {{type: ip}}}}}}}}\n"
    if good:
        assert load(text).pools["p"].name == "p"
        return
    with pytest.raises(errors.ModelError):
        load(text)
