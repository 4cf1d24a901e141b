"""Bodies judged by a model: 1.0's leniency, its limits, every problem at once."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon import errors
from gluon.model import fields, loader, wrong
from gluon.model.types import Model
from tests.unit.model.conftest import DATA

ID = "0e5c7d0a-4f0e-4c55-9f5c-3a8f1a0b2c3d"
LOADED = (*loader.load_catalog(), *loader.load([DATA]))
MODELS = {m.name: m for m in LOADED if m.file_version == "1.0"}
FIELDS = {(m.name, t.name): fields.compile_fields(t) for m in MODELS.values() for t in m.types.values()}
PORT = FIELDS["net-l3vpn", "Port"]
TEST = FIELDS["test", "TestService"]

BODY = {
    "tenant_id": ID,
    "mac_address": "fa:16:3e:00:00:01",
    "admin_state_up": True,
    "status": "ACTIVE",
    "vnic_type": "normal",
    "mtu": 1500,
    "vlan_transparency": False,
}


def refused(
    checks: fields.Fields, body: Mapping[str, Any], *, partial: bool = True
) -> dict[str, errors.FieldProblem]:
    with pytest.raises(errors.Invalid) as raised:
        checks.check(body, partial=partial)
    return {p.pointer: p for p in raised.value.problems}


def test_a_good_body_is_taken_as_it_is() -> None:
    checked = PORT.check({**BODY, "id": ID, "name": "ä b", "device_id": None}, partial=False)
    assert checked.values == {**BODY, "id": ID, "name": "ä b", "device_id": None}
    assert checked.written == {}


@pytest.mark.parametrize(
    ("given", "normal"),
    [("true", True), ("yes", True), ("1", True), (1, True), ("TRUE", True), (True, True),
     ("false", False), ("no", False), ("0", False), (0, False), ("No", False), (False, False)],
)  # fmt: skip
def test_booleans_may_be_texts_and_numbers(given: object, normal: bool) -> None:
    values = PORT.check({"admin_state_up": given}, partial=True).values
    assert values["admin_state_up"] is normal


@pytest.mark.parametrize("given", ["", "on", "t", "y", "maybe", 2, -1, 1.0, [], {}, "yes "])
def test_other_values_are_no_booleans(given: object) -> None:
    assert refused(PORT, {"admin_state_up": given})["/admin_state_up"].code == "type"


@pytest.mark.parametrize(
    ("given", "normal"), [("9000", 9000), ("-1", -1), ("+7", 7), (9000, 9000), (9000.0, 9000)]
)
def test_digits_as_text_are_integers(given: object, normal: int) -> None:
    value = PORT.check({"mtu": given}, partial=True).values["mtu"]
    assert value == normal
    assert type(value) is int


@pytest.mark.parametrize(
    "given", [1.5, True, False, "1.5", "", " 1", "1_0", "0x1", "one", [], {}, 1e300, float("nan"), "9" * 5000]
)
def test_other_values_are_no_integers(given: object) -> None:
    assert refused(PORT, {"mtu": given})["/mtu"].code == "type"


@pytest.mark.parametrize("given", [2**63, -(2**63) - 1, str(2**63), 10**4000])
def test_integers_are_of_64_bits(given: object) -> None:
    assert refused(PORT, {"mtu": given})["/mtu"].code == "range"


@pytest.mark.parametrize(
    ("given", "good"), [(2**31 - 1, True), (-(2**31), True), (2**31, False), (-(2**31) - 1, False)]
)
def test_int32_is_of_32_bits(given: int, good: bool) -> None:
    peering = FIELDS["net-l3vpn", "BGPPeering"]
    if good:
        assert peering.check({"as_number": given}, partial=True).values == {"as_number": given}
    else:
        assert refused(peering, {"as_number": given})["/as_number"].code == "range"


@pytest.mark.parametrize(
    ("given", "why"),
    [(0, "Value should be greater or equal to 1"), (11, "Value should be lower or equal to 10")],
)
def test_min_and_max_are_kept(given: int, why: str) -> None:
    problem = refused(TEST, {"int_num": given})["/int_num"]
    assert problem.legacy == f"Invalid input for field/attribute int_num. Value: '{given}'. {why}"
    assert problem.hint == "give an integer from 1 to 10"


@pytest.mark.parametrize(
    ("given", "normal"), [(1, 1.0), (1.5, 1.5), ("1.5", 1.5), ("-2e3", -2000.0), (".5", 0.5)]
)
def test_numbers_may_be_texts(given: object, normal: float) -> None:
    value = TEST.check({"float_num": given}, partial=True).values["float_num"]
    assert value == normal
    assert type(value) is float


@pytest.mark.parametrize(
    "given", [True, "", "x", "nan", "inf", "1e999", float("inf"), float("nan"), 10**400, [], "1,5"]
)
def test_other_values_are_no_numbers(given: object) -> None:
    assert refused(TEST, {"float_num": given})["/float_num"].code == "type"


@pytest.mark.parametrize(
    ("attribute", "given", "normal"),
    [
        ("mac_address", "FA-16-3E-00-00-01", "fa:16:3e:00:00:01"),
        ("mac_address", "fa16.3e00.0001", "fa:16:3e:00:00:01"),
        ("device_id", ID.upper(), ID),
        ("device_id", ID.replace("-", ""), ID),
        ("tenant_id", f"{{{ID}}}", ID),
    ],
)
def test_other_forms_are_compared_as_normal_and_kept_as_written(
    attribute: str, given: str, normal: str
) -> None:
    checked = PORT.check({attribute: given}, partial=True)
    assert checked.values == {attribute: normal}
    assert checked.written == {attribute: given}


def test_an_ipv6_address_is_compared_as_normal_and_kept_as_written() -> None:
    checked = FIELDS["test", "Note"].check({"ipv6": "2001:DB8:0::1"}, partial=True)
    assert checked.values == {"ipv6": "2001:db8::1"}
    assert checked.written == {"ipv6": "2001:DB8:0::1"}


@pytest.mark.parametrize("given", ["10.0.0", "10.1", "", "010.0.0.1", 10, "::1"])
def test_partial_and_empty_ipv4_addresses_are_refused(given: object) -> None:
    problem = refused(FIELDS["net-l3vpn", "VpnBinding"], {"ipaddress": given})["/ipaddress"]
    if isinstance(given, str):
        expected = f"Invalid input for field/attribute ipaddress. Value: '{given}'. Expected IPv4 string, got '{given}'"
        assert problem.legacy == expected


def test_an_empty_text_passes_as_uuid_and_json() -> None:
    body = {"device_id": "", "host_id": "", "profile": "", "tenant_id": ""}
    assert PORT.check(body, partial=True).values == body


@pytest.mark.parametrize(
    ("body", "legacy"),
    [
        ({"mac_address": "v"}, "Invalid input for field/attribute mac_address. Value: 'v'. Expected MAC String, got 'v'"),
        ({"profile": "{"}, "Invalid input for field/attribute profile. Value: '{'. String not in JSON format: '{'"),
        ({"status": "UP"}, "Invalid input for field/attribute status. Value: 'UP'. Value should be one of: ACTIVE, DOWN"),
        ({"foo": 1}, "Unknown attribute for argument body: foo"),
        ({"created_at": "x"}, "Invalid input for field/attribute created_at. Value: 'x'. Cannot set read only field."),
    ],
)  # fmt: skip
def test_the_wording_of_the_original_stands_beside_ours(body: dict[str, Any], legacy: str) -> None:
    (problem,) = refused(PORT, body).values()
    assert problem.legacy == legacy
    assert problem.message != legacy


@pytest.mark.parametrize("attribute", ["datetime", "uri", "email", "json"])
def test_formats_are_checked(attribute: str) -> None:
    assert refused(TEST, {attribute: "{not this"})[f"/{attribute}"].code == "format"
    assert refused(TEST, {attribute: {}})[f"/{attribute}"].code == "type"


def test_length_counts_characters() -> None:
    assert PORT.check({"name": "ä" * 64}, partial=True).values["name"] == "ä" * 64
    problem = refused(PORT, {"name": "ä" * 65})["/name"]
    assert problem.code == "length"
    assert "64" in problem.message


def test_views_of_a_binding_have_any_length() -> None:
    long = '{"a": "' + "x" * 1000 + '"}'
    assert PORT.check({"profile": long, "vif_details": long}, partial=True).values["profile"] == long


@pytest.mark.parametrize("given", ["a\0b", "\ud800", "ok\udfff"])
def test_texts_that_no_database_takes_are_refused(given: str) -> None:
    problem = refused(PORT, {"name": given})["/name"]
    assert problem.code == "characters"
    assert (problem.message + problem.legacy).encode()


def test_required_attributes_must_be_there_on_create_only() -> None:
    found = refused(PORT, {"name": "a"}, partial=False)
    assert set(found) == {f"/{name}" for name in BODY}
    assert PORT.check({"name": "a"}, partial=True).values == {"name": "a"}


def test_null_is_for_optional_attributes() -> None:
    assert PORT.check({"name": None, "device_id": None}, partial=True).values == {
        "name": None,
        "device_id": None,
    }
    assert refused(PORT, {"mtu": None})["/mtu"].code == "required"


@pytest.mark.parametrize("given", [None, ""])
def test_a_key_that_the_server_makes_may_be_empty(given: object) -> None:
    assert PORT.check({**BODY, "id": given}, partial=False).values == BODY
    binding = FIELDS["net-l3vpn", "VpnBinding"]
    body = {"tenant_id": ID, "service_id": ID}
    assert binding.check({**body, "interface_id": given}, partial=False).values == body


def test_a_key_that_the_client_chooses_is_required() -> None:
    config = FIELDS["net-l3vpn", "VpnAfConfig"]
    body = {"tenant_id": ID, "vrf_rt_type": "both"}
    assert refused(config, body, partial=False)["/vrf_rt_value"].code == "required"
    assert refused(config, {**body, "vrf_rt_value": ""}, partial=False)["/vrf_rt_value"].code == "required"
    assert config.check(body, partial=False, key_given=True).values == body


def test_an_empty_reference_is_none() -> None:
    assert FIELDS["test", "Note"].check({"about": ""}, partial=True).values == {"about": None}
    assert refused(FIELDS["net-l3vpn", "VpnBinding"], {"service_id": ""})["/service_id"].code == "required"


def test_every_problem_comes_at_once() -> None:
    body = {**BODY, "mtu": "x", "mac_address": 5, "nmae": "a", "status": None, "a/b~c": 1}
    del body["vnic_type"]
    found = refused(PORT, body, partial=False)
    assert {p: problem.code for p, problem in found.items()} == {
        "/mtu": "type", "/mac_address": "type", "/nmae": "unknown", "/status": "required",
        "/a~1b~0c": "unknown", "/vnic_type": "required",
    }  # fmt: skip
    assert found["/nmae"].hint == "did you mean 'name'?"


def test_a_flood_of_problems_is_cut() -> None:
    assert len(refused(PORT, {f"x{i}": i for i in range(10_000)})) == wrong.MOST_PROBLEMS


def test_a_deeply_nested_value_is_refused_like_any_other() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    try:
        found = refused(PORT, dict.fromkeys(PORT.object_type.attributes, deep) | {"x": deep})
        assert len(found) == len(PORT.object_type.attributes) + 1
    finally:
        while deep:  # freed level by level
            deep = deep.pop()


@pytest.mark.parametrize("body", [[], "x", 5, None])
def test_a_body_must_be_an_object(body: Any) -> None:
    assert refused(PORT, body)[""].legacy == 'Missing argument: "body"'


def test_keys_in_paths_are_brought_to_their_normal_form() -> None:
    assert PORT.key(ID.replace("-", "").upper()) == ID
    assert FIELDS["net-l3vpn", "VpnAfConfig"].key("65000:1") == "65000:1"


def test_a_key_in_a_path_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(errors.Invalid) as raised:
        PORT.key("v")
    assert raised.value.legacy == (
        "Invalid input for field/attribute key. Value: 'v'. unable to convert to uuid. Error: Value should be UUID format"
    )
    for key in ("", "a\0"):
        with pytest.raises(errors.Invalid):
            FIELDS["net-l3vpn", "VpnAfConfig"].key(key)


def test_one_value_can_be_judged_alone() -> None:
    assert PORT["device_id"].accept(ID.upper()) == (ID, ID.upper())
    assert PORT.normal("mtu", "5") == 5
    with pytest.raises(errors.Invalid):
        PORT.normal("mtu", None)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([ID, "1", "yes"]),
    lambda t: st.lists(t, max_size=2) | st.dictionaries(st.text(max_size=3), t, max_size=2),
    max_leaves=4,
)


@given(data=st.data(), value=json_values)
def test_a_normal_form_is_its_own_normal_form(data: st.DataObject, value: object) -> None:
    checks = FIELDS[data.draw(st.sampled_from(sorted(FIELDS)))]
    field = checks[data.draw(st.sampled_from(sorted(checks.object_type.attributes)))]
    try:
        normal, shown = field.accept(value)
    except errors.Invalid as error:
        assert all((p.message and p.legacy).encode() for p in error.problems)  # noqa: PT017
        return
    assert field.accept(normal) == (normal, normal)
    assert field.accept(shown) == (normal, shown)


@given(
    body=st.dictionaries(
        st.sampled_from([*BODY, "id", "name", "x"]) | st.text(max_size=3), json_values, max_size=8
    )
)
def test_a_body_is_judged_as_its_values_are(body: dict[str, Any]) -> None:
    try:
        checked = PORT.check(body, partial=True)
    except errors.Invalid as error:
        assert error.problems  # noqa: PT017
        return
    assert set(checked.values) <= set(body)
    assert PORT.check(checked.values, partial=True) == fields.Checked(values=checked.values, written={})


def test_every_object_type_compiles(l3vpn: Model) -> None:
    assert [t.name for t in l3vpn.types.values()] == [name for api, name in FIELDS if api == "net-l3vpn"]


_ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70000),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(
        ["", ID, ID.upper(), "ACTIVE", "DOWN", "normal", "true", "1500", "{}", "{ }", "x\0", "ä", "\ud800"]
    ),
    st.sampled_from(["fa:16:3e:00:00:01", "FA-16-3E-00-00-01", "10.0.0.1", "010.0.0.1", "a" * 256]),
    st.just([]),
    st.just({"a": 1}),
)


@given(st.data(), st.sampled_from(sorted(FIELDS)), st.booleans())
def test_a_look_tells_what_each_attribute_would(
    data: st.DataObject, name: tuple[str, str], partial: bool
) -> None:
    checks = FIELDS[name]
    known = sorted(checks.object_type.attributes)
    body = data.draw(st.dictionaries(st.sampled_from([*known, "unknown"]), _ANY, max_size=8))
    assert _told(checks.check, body, partial) == _told(checks.judge, body, partial)


def _told(judge: Callable[..., fields.Checked], body: dict[str, Any], partial: bool) -> object:
    """Values with their types, or the problems."""
    try:
        found = judge(body, partial=partial)
    except errors.Invalid as wrong:
        return wrong.problems
    return {name: (type(v), v) for name, v in found.values.items()}, found.written
