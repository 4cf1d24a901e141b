"""Every rule of the language, broken: each report has its place and a cure, all come at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gluon import errors
from gluon.model import loader
from gluon.model.types import Model

HEAD = 'file_version: "1.0"\ninfo: {name: m, version: "1.0"}\nobjects:\n'

Problems = Callable[..., list[str]]
Load = Callable[..., Model]


def test_a_small_model_loads(load: Load) -> None:
    model = load(HEAD + "  A: {api: {name: a}, attributes: {x: {type: string}}}\n")
    assert model.types["A"].plural == "as"


OBJECTS = "objects: {A: {api: {name: a}, attributes: {x: {type: uuid}}}}\n"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("file_version: '3.0'", "1:15: file_version '3.0' is not known (known here: 1.0, 2.0)"),
        ("", "1:1: file_version is missing"),
        ("", "1:1: info is missing"),
        ("objekts: {}", "1:1: unknown key 'objekts' in the top level of a model (did you mean 'objects'?)"),
        ("info: {version: 1}", "1:7: info.name is missing"),
        ("info: {name: m}", "1:7: info.version is missing"),
        ("info: {nme: m}", "1:8: unknown key 'nme' in info (did you mean 'name'?)"),
        ("info: {name: [m]}", "1:14: info.name must be a text, it is a list"),
        ("info: {name: ''}", "1:14: info.name is empty"),
        ("info: {name: a/b}", "1:14: info.name 'a/b' is not a name"),
        ("info: {name: m, version: v/1}", "1:26: info.version 'v/1' is not a name"),
        ("info: {author: {mail: x}}", "1:17: unknown key 'mail' in info.author (did you mean 'email'?)"),
        ("info: [name]", "1:7: info must be a mapping, it is a list"),
        ("imports: [a.yaml]", "1:10: imports must be a text, it is a list (file_version 1.0 takes one file)"),
        ("imports: /etc/base.yaml", "1:10: imports takes a relative path"),
        ("imports: base/bsae.yaml", "1:10: no file 'base/bsae.yaml' to import (looked beside this file"),
    ],
)
def test_a_wrong_head_is_reported(problems: Problems, head: str, expected: str) -> None:
    found = problems(f"{head}\n{OBJECTS}")
    assert any(line.startswith(expected) for line in found), found


@pytest.mark.parametrize(
    "objects", ["", "objects:\n", "objects: {}\n", "objects: {B: {attributes: {x: {type: uuid}}}}\n"]
)
def test_a_model_without_an_api_is_reported(problems: Problems, objects: str) -> None:
    head = 'file_version: "1.0"\ninfo: {name: m, version: 1}\n'
    assert problems(head + objects) == [
        "1:1: the model has no object type with an api (give one an api with a name)"
    ]


def test_objects_that_are_no_mapping_are_reported(problems: Problems) -> None:
    found = problems("info: {name: m, version: 1}\nobjects: 5\n")
    assert "2:10: objects must be a mapping, it is '5'" in found


@pytest.mark.parametrize(
    "name", ["gluon", "v2.0", "networking", "proton", "healthz", "readyz", "metrics", "docs", "ui", "Docs"]
)
def test_the_names_of_gluons_own_urls_are_reserved(problems: Problems, name: str) -> None:
    found = problems(
        f'file_version: "1.0"\ninfo: {{name: {name}, version: "1"}}\nobjects: {{A: {{api: {{name: a}}, attributes: {{x: {{type: uuid}}}}}}}}\n'
    )
    assert found == [f"2:14: the name '{name}' is reserved (it is part of Gluon's own URLs)"]


ATTRIBUTE = HEAD + "  A:\n    api: {name: a}\n    attributes:\n      x: "


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("{}", "7:7: attribute x of A has no type (one of string, integer,"),
        ("uuid", "7:10: attribute x must be a mapping, it is 'uuid'"),
        ("{type: strin}", "7:17: attribute x of A: unknown type 'strin' (did you mean 'string'?)"),
        ("{type: reference}", "7:17: attribute x of A: unknown type 'reference'"),
        ("{type: [string]}", "7:17: type of attribute x must be a text, it is a list"),
        ("{type: string, requird: true}", "7:25: unknown key 'requird' in attribute x (did you mean 'required'?)"),
        ("{type: string, required: 'true'}", "7:35: required of attribute x must be true or false, it is 'true' (write it without quotes)"),
        ("{type: string, required: maybe}", "7:35: required of attribute x must be true or false, it is 'maybe'"),
        ("{type: string, length: '5'}", "7:33: length of attribute x must be an integer, it is '5' (write it without quotes)"),
        ("{type: string, length: 1.5}", "7:33: length of attribute x must be an integer"),
        ("{type: string, length: 010}", "7:33: length of attribute x must be an integer"),
        ("{type: string, length: 0}", "7:33: attribute x of A: length is from 1 to 1048576"),
        ("{type: integer, length: 5}", "7:34: attribute x of A: type integer takes no length (length belongs to string)"),
        ("{type: string, format: ipv5}", "7:33: attribute x of A: 'ipv5' is no format of string (did you mean 'ipv"),
        ("{type: string, format: int32}", "7:33: attribute x of A: 'int32' is no format of string"),
        ("{type: integer, format: mac}", "7:34: attribute x of A: 'mac' is no format of integer (known here: int32, int64)"),
        ("{type: boolean, format: json}", "7:34: attribute x of A: type boolean takes no format (format belongs to string and integer)"),
        ("{type: string, min: 1}", "7:30: attribute x of A: type string takes no min (min belongs to integer)"),
        ("{type: number, max: 1}", "7:30: attribute x of A: type number takes no max"),
        ("{type: integer, min: 5, max: 4}", "7:31: attribute x of A: min 5 is above max 4"),
        ("{type: integer, format: int32, max: 2147483648}", "7:46: attribute x of A: max 2147483648 is outside of int32"),
        ("{type: integer, min: -9223372036854775809}", "7:31: attribute x of A: min -9223372036854775809 is outside of int64"),
        ("{type: enum}", "7:7: attribute x of A: an enum needs values (write values: [one, two])"),
        ("{type: enum, values: []}", "7:31: attribute x of A: an enum needs values"),
        ("{type: enum, values: one}", "7:31: values of attribute x must be a list, it is 'one'"),
        ("{type: enum, values: [one, two, one]}", "7:42: attribute x of A: the value 'one' is listed twice"),
        ("{type: enum, values: [[one]]}", "7:32: an item of values of attribute x must be a text, it is a list"),
        ("{type: string, values: [a]}", "7:33: attribute x of A: type string takes no values (values belongs to enum)"),
        ("{type: number, primary: true}", "7:34: attribute x of A: a number cannot be primary"),
        ("{type: A, primary: true}", "7:17: the keys of object types refer to each other in a circle: A → A"),
        ("{type: uuid}\n      X: {type: uuid}", "8:7: attribute X of A: x differs only in upper and lower case"),
        ("{type: uuid}\n      created_at: {type: uuid}", "8:7: attribute created_at of A: this name is reserved"),
        ("{type: uuid}\n      Updated_At: {type: uuid}", "8:7: attribute Updated_At of A: this name is reserved"),
        ("{type: uuid}\n      _y: {type: uuid}", "8:7: attribute _y of A: a name is letters, digits and '_'"),
        ("{type: uuid}\n      a-b: {type: uuid}", "8:7: attribute a-b of A: a name is letters"),
        (f"{{type: uuid}}\n      {'y' * 61}: {{type: uuid}}", f"8:7: attribute {'y' * 61} of A: a name is letters"),
        ("{type: uuid}\n      uuid: {type: string}", "8:7: A has no primary attribute, and 'uuid' is the name of the key"),
        ("{type: uuid}\n      x: {type: string}", "8:7: the key 'x' is given twice (it stands in line 7 already)"),
    ],
)  # fmt: skip
def test_a_wrong_attribute_is_reported(problems: Problems, attribute: str, expected: str) -> None:
    found = problems(f"{ATTRIBUTE}{attribute}\n")
    assert any(line.startswith(expected) for line in found), found


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ("A: {api: {}}", "4:12: the api of A has no name"),
        ("A: {api: {name: a}}", "4:3: object type A has no attributes"),
        ("A: {api: {name: a, plural: as}, attributes: {x: {type: uuid}}}", "4:22: unknown key 'plural' in api of object type A (did you mean 'plural_name'?)"),
        ("A: {api: {name: a/b}, attributes: {x: {type: uuid}}}", "4:19: api.name of A 'a/b' is not a name"),
        ("A: {api: {name: a}, atributes: {}}", "4:23: unknown key 'atributes' in object type A (did you mean 'attributes'?)"),
        ("string: {api: {name: a}, attributes: {x: {type: uuid}}}", "4:3: 'string' is a type of the language"),
        ("A-B: {api: {name: a}, attributes: {x: {type: uuid}}}", "4:3: object type name 'A-B' is not letters"),
        ("A: {api: {name: a}, extends: B, attributes: {x: {type: uuid}}}\n  Base: {attributes: {y: {type: uuid}}}", "4:32: A extends the unknown object 'B'"),
        ("A: {api: {name: a}, extends: Bsae}\n  Base: {attributes: {y: {type: uuid}}}", "4:32: A extends the unknown object 'Bsae' (did you mean 'Base'?)"),
        ("A: {api: {name: a}, extends: B}\n  B: {api: {name: b}, attributes: {y: {type: uuid}}}", "4:32: A extends B, which has an api (only base objects"),
        ("A: {api: {name: a}, extends: B}\n  B: {extends: C}\n  C: {extends: B}", "6:16: extends goes in a circle: "),
        ("A: {api: {name: a}, attributes: {x: {type: B}}}\n  B: {attributes: {y: {type: uuid}}}", "4:46: attribute x of A: B is a base object, nothing can refer to it"),
        ("A: {api: {name: a, parent: B, parent_key: x}, attributes: {x: {type: B}}}", "4:30: the parent 'B' of A is no object type with an api"),
        ("A: {api: {name: a, parent: A}, attributes: {x: {type: A}}}", "4:30: the api of A has a parent but no parent_key (give both or none)"),
        ("A: {api: {name: a, parent_key: x}, attributes: {x: {type: A}}}", "4:34: the api of A has a parent_key but no parent (give both or none)"),
        ("A: {api: {name: a, parent: A, parent_key: ax}, attributes: {x: {type: A}}}", "4:45: parent_key 'ax' is no attribute of A (did you mean 'x'?)"),
        ("A: {api: {name: a, parent: A, parent_key: x}, attributes: {x: {type: uuid}}}", "4:45: parent_key 'x' of A does not refer to A (give the attribute x type: A)"),
        ("A: {api: {name: s, plural_name: status, parent: A, parent_key: x}, attributes: {x: {type: A}}}", "4:35: the path 'status' below A is reserved"),
        ("A: {api: {name: a}, attributes: {x: {type: uuid}}}\n  B: {api: {name: a, plural_name: b}, attributes: {x: {type: uuid}}}", "5:19: A and B have the same api.name 'a'"),
        ("A: {api: {name: a}, attributes: {x: {type: uuid}}}\n  B: {api: {name: b, plural_name: as}, attributes: {x: {type: uuid}}}", "5:35: A and B have the same path 'as'"),
        ("A: {api: {name: a}, attributes: {x: {type: uuid}}}\n  a: {api: {name: b}, attributes: {x: {type: uuid}}}", "5:3: object types A and a differ only"),
        ("A: {api: {name: a}, attributes: {x: {type: uuid}}, policies: {make: {role: '@'}}}", "4:65: unknown key 'make' in policies of object type A (known here: create,"),
        ("A: {api: {name: a}, attributes: {x: {type: uuid}}, policies: {get: '@'}}", "4:70: policy get of object type A must be a mapping, it is '@'"),
        ("A: {api: {name: a}, attributes: {x: {type: uuid}}, policies: {get: {}}}", "4:70: policy get of object type A has no role (write role:"),
        ("A: {api: {name: a}, attributes: {x: {type: uuid}}, policies: {get: {rule: '@'}}}", "4:71: unknown key 'rule' in policy get of object type A (did you mean 'role'?)"),
        ("A: {api: {name: a}, attributes: {x: {type: uuid}}, policies: {get: {role: 'admin or'}}}", "4:77: the get policy of A is no rule: 'admin' is not a check such as"),
    ],
)  # fmt: skip
def test_a_wrong_object_type_is_reported(problems: Problems, objects: str, expected: str) -> None:
    found = problems(f"{HEAD}  {objects}\n")
    assert any(line.startswith(expected) for line in found), found


def test_all_problems_come_at_once_in_the_order_of_the_file(problems: Problems) -> None:
    found = problems(
        'file_version: "1.0"\n'
        "info: {name: ui}\n"
        "objects:\n"
        "  A:\n"
        "    api: {name: a, parent: B}\n"
        "    attributes:\n"
        "      x: {type: strng}\n"
        "      y: {type: string, lenght: 5}\n"
        "      z: {type: enum}\n"
    )
    assert [line.split(" ")[0] for line in found] == [
        "2:7:",
        "2:14:",
        "5:28:",
        "5:28:",
        "7:17:",
        "8:25:",
        "9:7:",
    ]


def test_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(f"file_version: '3'\ninfo: {{name: {name}, version: 1}}\n")
    with pytest.raises(errors.ModelError) as raised:
        loader.load([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert {Path(p.file).name for p in raised.value.problems} == {"a.yaml", "b.yaml"}


def test_a_fault_of_a_base_is_told_once_and_there(problems: Problems) -> None:
    found = problems(
        HEAD + "  Base: {attributes: {x: {type: strin}}}\n"
        "  A: {api: {name: a}, extends: Base}\n"
        "  B: {api: {name: b}, extends: Base}\n"
    )
    assert found == ["4:33: attribute x of Base: unknown type 'strin' (did you mean 'string'?)"]


def test_a_missing_base_hides_nothing_and_makes_no_noise(problems: Problems) -> None:
    found = problems(HEAD + "  A: {api: {name: a, parent: A, parent_key: x}, extends: Base}\n")
    assert found == ["4:58: A extends the unknown object 'Base'"]


def test_a_child_may_retype_an_attribute_whose_base_had_other_keys(load: Load) -> None:
    model = load(
        HEAD
        + "  Base: {attributes: {x: {type: enum, values: [a], required: true}, y: {type: string, format: mac}}}\n"
        "  A: {api: {name: a}, extends: Base, attributes: {x: {type: string}, y: {type: integer, min: 1}}}\n"
    )
    x, y = model.types["A"].attributes["x"], model.types["A"].attributes["y"]
    assert (x.values, x.required, x.length) == ((), True, 255)
    assert (y.format, y.minimum) == (None, 1)


def test_a_reference_takes_the_limits_of_the_key_it_refers_to(load: Load) -> None:
    model = load(
        HEAD
        + "  A: {api: {name: a}, attributes: {k: {type: string, length: 17, format: mac, primary: true}}}\n"
        "  B: {api: {name: b}, attributes: {a: {type: A, primary: true}}}\n"
        "  C: {api: {name: c}, attributes: {b: {type: B}, n: {type: N}}}\n"
        "  N: {api: {name: n}, attributes: {x: {type: string}}}\n"
    )
    b, n = model.types["C"].attributes["b"], model.types["C"].attributes["n"]
    assert (b.reference, b.value_type, b.value_format, b.format, b.length) == ("B", "string", "mac", None, 17)
    assert not model.types["B"].generated_key
    assert (n.reference, n.value_type) == ("N", "uuid")


SHAPE = "imports: base/base.yaml\n" + HEAD


def test_the_base_pattern_is_asked_for_by_a_check_only(load: Load, problems: Problems) -> None:
    text = SHAPE + "  A: {api: {name: a}, extends: BaseService}\n"
    assert load(text).types["A"].name == "A"
    assert (
        problems(text, shape=True)
        == [
            "1:1: no object type with an api extends BaseInterface (a model needs exactly one)",
            "1:1: no object type with an api extends BasePort (a model needs exactly one)",
        ]
        or len(problems(text, shape=True)) == 2
    )


def test_a_second_port_breaks_the_base_pattern(problems: Problems) -> None:
    found = problems(
        SHAPE + "  Own: {extends: BasePort}\n"
        "  A: {api: {name: a}, extends: BasePort}\n"
        "  B: {api: {name: b}, extends: Own}\n"
        "  I: {api: {name: i}, extends: BaseInterface}\n"
        "  S: {api: {name: s}, extends: BaseService}\n"
        "  T: {api: {name: t}, extends: BaseService}\n",
        shape=True,
    )
    assert found == [
        "7:3: B is a second object type that extends BasePort (A is the first; a model has exactly one)"
    ]


def test_too_many_bases_are_refused(problems: Problems) -> None:
    chain = "".join(f"  B{i}: {{extends: B{i + 1}}}\n" for i in range(60))
    found = problems(HEAD + chain + "  B60: {}\n  A: {api: {name: a}, extends: B0}\n")
    assert any("more than 32 bases" in line for line in found)
