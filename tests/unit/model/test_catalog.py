"""The shipped models and the original's oddities, loaded."""

from collections.abc import Mapping

import pytest

from gluon.model import declare, loader
from gluon.model.types import AttributeType, Format, Kind, Model, Role
from tests.unit.model.conftest import DATA


def test_every_attribute_of_the_catalogue_has_a_description() -> None:
    for model in loader.load_catalog():
        assert model.description
        bare = [
            (t.name, a.name) for t in model.types.values() for a in t.attributes.values() if not a.description
        ]
        assert bare == []


def test_the_catalogue_has_the_base_pattern() -> None:
    from gluon.model.find import CATALOG

    folders = sorted(f for f in CATALOG.iterdir() if f.is_dir() and not f.name.startswith("base"))
    shipped = {
        m.name: m for f in folders for m in loader.load([f], shape=True) if "-" + m.version not in f.name
    }
    assert shipped == {m.name: m for m in loader.load_catalog()}


def test_further_versions_lie_in_folders_of_their_own() -> None:
    from gluon.model.find import CATALOG

    (further,) = loader.load([CATALOG / "net-l3vpn-2.0"], shape=True)
    assert (further.name, further.version) == ("net-l3vpn", "2.0")


def test_l3vpn_has_the_paths_of_the_original(l3vpn: Model) -> None:
    assert {t.name: (t.singular, t.plural) for t in l3vpn.types.values()} == {
        "Port": ("port", "ports"),
        "Interface": ("interface", "interfaces"),
        "VpnService": ("vpn", "vpns"),
        "VpnBinding": ("vpnbinding", "vpnbindings"),
        "VpnAfConfig": ("vpnafconfig", "vpnafconfigs"),
        "BGPPeering": ("bgppeering", "bgppeerings"),
        "DataplaneTunnel": ("dataplanetunnel", "dataplanetunnels"),
    }
    interface = l3vpn.types["Interface"]
    assert (interface.parent, interface.parent_key) == ("Port", "port_id")
    assert [t.name for t in l3vpn.types.values() if t.parent] == ["Interface"]


def test_l3vpn_keys_are_those_of_the_original(l3vpn: Model) -> None:
    assert {t.name: (t.key, t.generated_key) for t in l3vpn.types.values()} == {
        "Port": ("id", True),
        "Interface": ("id", True),
        "VpnService": ("id", True),
        "VpnBinding": ("interface_id", True),
        "VpnAfConfig": ("vrf_rt_value", False),
        "BGPPeering": ("id", True),
        "DataplaneTunnel": ("id", True),
    }


def test_kinds_come_from_the_base_objects(l3vpn: Model) -> None:
    assert [t.kind for t in l3vpn.types.values()] == [
        Kind.PORT, Kind.INTERFACE, Kind.SERVICE, Kind.BINDING, Kind.OTHER, Kind.OTHER, Kind.OTHER,
    ]  # fmt: skip


def test_roles_come_from_the_base_objects(l3vpn: Model) -> None:
    assert dict(l3vpn.types["VpnBinding"].roles) == {
        Role.PROJECT: "tenant_id",
        Role.INTERFACE: "interface_id",
        Role.SERVICE: "service_id",
    }
    assert dict(l3vpn.types["VpnAfConfig"].roles) == {Role.PROJECT: "tenant_id"}
    port = l3vpn.types["Port"]
    assert {role: port.attributes[name].role for role, name in port.roles.items()} == {
        r: r for r in port.roles
    }
    assert set(port.roles) == {
        Role.PROJECT, Role.NAME, Role.MAC, Role.STATUS, Role.VNIC_TYPE, Role.PROFILE, Role.DEVICE,
        Role.DEVICE_OWNER, Role.HOST, Role.VIF_TYPE, Role.VIF_DETAILS,
    }  # fmt: skip


def test_a_retyped_attribute_keeps_what_the_child_does_not_say(l3vpn: Model) -> None:
    interface_id = l3vpn.types["VpnBinding"].attributes["interface_id"]
    assert (interface_id.type, interface_id.reference) == (AttributeType.REFERENCE, "Interface")
    assert interface_id.required
    assert interface_id.primary
    assert interface_id.value_type is AttributeType.UUID


def test_inherited_attributes_come_first(l3vpn: Model) -> None:
    assert list(l3vpn.types["VpnBinding"].attributes) == [
        "tenant_id", "interface_id", "service_id", "ipaddress", "subnet_prefix", "gateway",
    ]  # fmt: skip


def test_referrers_are_found(l3vpn: Model) -> None:
    assert [(t.name, a.name) for t, a in l3vpn.referrers("Interface")] == [("VpnBinding", "interface_id")]


def test_list_rule_admin_reads_as_admin_or_owner(l3vpn: Model) -> None:
    for object_type in l3vpn.types.values():
        assert object_type.policies == dict.fromkeys(declare.ACTIONS, "rule:admin_or_owner")


def test_several_primaries_make_the_first_the_key_and_the_others_unique(
    oddities: Mapping[str, Model],
) -> None:
    binding = oddities["ietf-sfc"].types["SffSfBinding"]
    assert binding.key == "id"
    assert [u.attributes for u in binding.unique] == [("sff_dpl_name", "sf_dpl_name")]
    assert [a.name for a in binding.attributes.values() if a.primary] == ["id"]


def test_a_plural_may_equal_the_singular(oddities: Mapping[str, Model]) -> None:
    locator = oddities["ietf-sfc"].types["SffDataPlaneLocator"]
    assert locator.singular == locator.plural == "sffdataplanelocator"


def test_a_plural_is_by_default_the_name_with_s(oddities: Mapping[str, Model]) -> None:
    assert oddities["ietf-sfc"].types["ServiceFunction"].plural == "servicefunctions"


def test_a_retyped_tenant_id_still_plays_project(oddities: Mapping[str, Model]) -> None:
    path = oddities["ietf-sfc"].types["ServiceFunctionPath"]
    tenant = path.attributes["tenant_id"]
    assert (tenant.role, tenant.type, tenant.length) == (Role.PROJECT, AttributeType.STRING, 64)
    assert tenant.required


def test_without_a_primary_a_uuid_is_the_key(oddities: Mapping[str, Model]) -> None:
    note = oddities["test"].types["Note"]
    assert (note.key, note.generated_key) == ("uuid", True)
    assert next(iter(note.attributes)) == "uuid"
    assert not note.attributes["text"].primary
    assert note.unique == ()


def test_a_string_without_length_has_255(oddities: Mapping[str, Model]) -> None:
    assert oddities["test"].types["Note"].attributes["text"].length == 255


def test_formats_and_limits_are_kept(oddities: Mapping[str, Model]) -> None:
    attributes = oddities["test"].types["TestService"].attributes
    assert attributes["datetime"].format is Format.DATE_TIME
    assert (attributes["int_num"].minimum, attributes["int_num"].maximum) == (1, 10)
    assert attributes["enum"].values == ("one", "two", "three")


def test_a_bare_number_is_a_version_as_written(oddities: Mapping[str, Model]) -> None:
    assert oddities["test"].version == "1.0"
    assert oddities["test"].source == str(DATA / "test")


def test_a_loaded_model_cannot_be_changed(l3vpn: Model) -> None:
    with pytest.raises(TypeError):
        l3vpn.types["Port"].attributes["id"] = None  # type: ignore[index]
