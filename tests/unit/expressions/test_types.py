"""What is wrong with a rule is said when it is read: where, which rule of the language, and the cure."""

import pytest

from gluon import expressions
from gluon.expressions import Wrong, shapes
from gluon.expressions.shapes import BOOL, DOUBLE, INT, NULL, STRING, Shape, nullable

SERVICE: Shape = shapes.object_of(
    "Service",
    lambda: {
        "id": STRING,
        "mtu": INT,
        "prefixes": shapes.list_of(STRING),
        "parent": shapes.reference("Service", STRING, SERVICE.members or dict),
    },
)
PORT = shapes.object_of(
    "Port",
    lambda: {
        "name": STRING,
        "mtu": nullable(INT),
        "ratio": DOUBLE,
        "up": BOOL,
        "tags": shapes.list_of(STRING),
        "labels": shapes.map_of(INT),
        "routes": shapes.list_of(shapes.object_of("routes", lambda: {"prefix": STRING, "mtu": INT})),
        "service_id": nullable(shapes.reference("Service", STRING, SERVICE.members or dict)),
        "services": shapes.list_of(shapes.reference("Service", STRING, SERVICE.members or dict)),
    },
)
ROOTS = {"self": PORT, "old": nullable(PORT)}

WRONG = [
    # text, offset, message, hint
    ("", 0, "the end comes too early: a value is expected", ""),
    ("1 +", 3, "the end comes too early: a value is expected", ""),
    ("(true", 5, "the end comes too early: ')' is expected to close the parenthesis", ""),
    ("true)", 4, "unexpected ')': an operator or the end is expected", ""),
    ("[1, 2", 5, "the end comes too early: ',' is expected or ']' to close the list", ""),
    ("self.up true", 8, "unexpected 'true': an operator or the end is expected", ""),
    ("self.", 5, "the end comes too early: the name of a member is expected after '.'", ""),
    ("self.in", 5, "unexpected 'in': the name of a member is expected after '.'", ""),
    ("self.1", 4, "unexpected '.1': an operator or the end is expected", ""),
    ("true ? 1", 8, "the end comes too early: ':' is expected between the two values of '?'", ""),
    ("self.up = true", 8, "unexpected '='", "equality is written =="),
    ("self.up & true", 8, "unexpected '&'", "and is written &&"),
    ("self.up and true", 8, "unexpected 'and': an operator or the end is expected", "and is written &&"),
    ("not self.up", 0, "unexpected 'not': a value is expected", "not is written !"),
    ("self.up == True", 11, "unexpected 'True': a value is expected", "the literal is true"),
    ("self.mtu == None", 12, "unexpected 'None': a value is expected", "the literal is null"),
    ("{'a': 1}", 0, "unexpected '{'", "there are no maps written out in rules"),
    ("self.name == 'a", 13, "unexpected \"'\"", "the text has no end: close it with a single quote, and write \\n for a new line"),
    (r'"\d" == ""', 1, r"unknown escape '\\d'", r'a backslash itself is written \\, or the text raw: r"\d"'),
    (r'"\ud800" == ""', 1, r"\ud800 is no character", ""),
    ("99999999999999999999 > 1", 0, "99999999999999999999 is no integer of 64 bits", ""),
    ("9223372036854775808 > 1", 0, "9223372036854775808 is no integer of 64 bits", ""),
    ("1e999 > 1.0", 0, "1e999 is too large for a double", ""),
    ("while", 0, "unexpected 'while': a value is expected", ""),
    ("len(self.tags) > 1", 0, "unknown function 'len'", "the length is size(x)"),
    ("self.name.startswith('a')", 10, "unknown function 'startswith'", "did you mean 'startsWith'?"),
    ("self.name.begins('a')", 10, "unknown function 'begins'", ""),
    ("withn(self.name, '::/0')", 0, "unknown function 'withn'", "did you mean 'within'?"),
    ("startsWith(self.name, 'a')", 0, "startsWith is written text.startsWith(part)", ""),
    ("self.name.within('::/0')", 10, "within is written within(address_or_prefix, prefix)", ""),
    ("self.name.startsWith()", 10, "wrong number of arguments: startsWith is written text.startsWith(part)", ""),
    ("all(self.tags, t, true)", 0, "all is written <list>.all(x, …)", ""),
    ("has(self)", 0, "has takes one member, as in has(self.a.b)", ""),
    ("self.up.has()", 8, "has is written has(self.a.b)", ""),
    ("self.tags.all(1, true)", 14, "unexpected '1': all begins with the name of a variable", ""),
    ("self.tags.all(self, true)", 14, "'self' is already a name here", "take another name"),
    ("self.tags.all(t, self.tags.all(t, true))", 31, "'t' is already a name here", "take another name"),
    ("self.tags.all(t)", 15, "unexpected ')': ',' is expected after the variable of all", ""),
    ("self.tags.all(t, true, true)", 10, "all takes (x, condition)", ""),
    ("self.name.matches(self.name)", 23, "the pattern of matches is a literal text", ""),
    ("self.name.matches('(')", 18, "not a pattern of RE2: ')' is missing at character 2 of the pattern", ""),
    ("slf.up", 0, "unknown name 'slf'", "did you mean 'self'?"),
    ("mtu > 1", 0, "unknown name 'mtu'", "did you mean self.mtu?"),
    ("self.mut > 1", 5, "Port has no member 'mut'", "did you mean 'mtu'?"),
    ("self.service_id.mut > 1", 16, "Service has no member 'mut'", "did you mean 'mtu'?"),
    ("self.tags.all(t, t.name == '')", 19, "string has no members, so no 'name'", ""),
    ("self.name.size > 1", 10, "string has no members, so no 'size'", "a function is called with parentheses: size(x) or x.size()"),
    ("self.routes.prefix == ''", 12, "list of routes has no members, so no 'prefix'", "its items have members: self.routes.all(x, x.prefix …)"),
    ("self['mtu'] > 1", 4, "Port has no items", "a member is written with a dot"),
    ("self.tags['a'] == ''", 10, "an index of a list is int, not string", ""),
    ("self.labels[1] == 1", 12, "an index of a map is string, not int", ""),
    ("self.mtu", 0, "a rule is true or false, not int or null", "compare the value with another one"),
    ("self.tags", 0, "a rule is true or false, not list of string", "compare the value with another one"),
    ("self.mtu && true", 5, "'&&' takes bool, not int or null", ""),
    ("self.mtu + 1 || true", 9, "'||' takes bool, not int", "parentheses may be missing"),
    ("!self.mtu", 6, "'!' takes bool, not int or null", ""),
    ("-self.name == 'a'", 0, "'-' takes a number, not string", ""),
    ("self.mtu ? true : false", 5, "what stands before '?' is bool, not int or null", ""),
    ("self.up ? 1 : 'a'", 8, "the two values of '? :' are unlike: int and string", ""),
    ("self.mtu == 'a'", 9, "'==' cannot compare int or null with string", "convert one side: string(x) or int(x)"),
    ("self.up == 1", 8, "'==' cannot compare bool with int", ""),
    ("self.tags == [1]", 10, "'==' cannot compare list of string with list of int", ""),
    ("self.service_id == 1", 16, "'==' cannot compare reference to Service or null with int", "convert one side: string(x) or int(x)"),
    ("self.tags < self.tags", 10, "'<' cannot compare list of string with list of string", ""),
    ("self.mtu < null", 9, "'<' cannot compare int or null with null", ""),
    ("1 < 2 < 3", 6, "'<' cannot compare bool with int", "a chain is written a < b && b < c"),
    ("self.mtu + 1.5 > 2.0", 9, "'+' does not mix int and double", "convert one side: double(x) or int(x)"),
    ("self.name * 2 == ''", 10, "'*' takes two numbers, not string and int", ""),
    ("1.5 % 2.0 == 1.0", 4, "'%' takes two int, not double and double", ""),
    ("self.name + 1 == ''", 10, "'+' takes two numbers, two strings or two lists, not string and int", ""),
    ("[1, 'a'] == []", 4, "the items of a list are alike, not int and string", ""),
    ("1 in self.tags", 2, "int cannot be in a list of string", ""),
    ("1 in self.labels", 2, "the keys of a map are string, not int", ""),
    ("'a' in self.name", 4, "'in' takes a list or a map on its right, not string", "a part of a text: text.contains(part)"),
    ("size(1) == 1", 5, "the argument of size is a string, a list or a map, not int", ""),
    ("self.mtu.startsWith('a')", 5, "what stands before .startsWith is string, not int or null", ""),
    ("self.name.startsWith(1)", 21, "argument 1 of startsWith is string, not int", ""),
    ("self.tags.contains('a')", 5, "what stands before .contains is string, not list of string", "an item of a list: x in list"),
    ("sum(self.tags) > 1", 9, "the argument of sum is list of int or list of double, not list of string", ""),
    ("min(1, 'a') > 1", 7, "argument 2 of min is int or double, not string", ""),
    ("within(self.mtu, '::/0')", 12, "argument 1 of within is string, not int or null", ""),
    ("within(self.name, '10.0.0.1/8')", 18, "'10.0.0.1/8' is no prefix such as 192.0.2.0/24", "a prefix has no host bits"),
    ("within(self.name, '10.0.0.1')", 18, "'10.0.0.1' is no prefix such as 192.0.2.0/24", "a prefix has no host bits"),
    ("family('10.0.0') == 4", 7, "'10.0.0' is no address or prefix", "a prefix has no host bits"),
    ("self.name.all(c, true)", 10, "all goes through a list or the keys of a map, not string", ""),
    ("self.tags.all(t, t)", 17, "the condition of all is bool, not string", ""),
    ("self.tags.filter(t, 1).size() > 0", 20, "the condition of filter is bool, not int", ""),
    ("self.tags.map(t, 1, t).size() > 0", 17, "the condition of map is bool, not int", ""),
]  # fmt: skip

RIGHT = [
    "self.mtu <= self.service_id.mtu && self.name.startsWith('vm')",
    "self.mtu == null || self.mtu > 1.5",
    "self.service_id == 'x' || self.service_id in ['a', 'b']",
    "self.service_id == self.services[0]",
    "self.service_id.parent.parent.parent.mtu > 1",
    "self.services.all(s, s.mtu > 1 && s.startsWith('a'))",
    "self.services.map(s, s.mtu).sum() < 10",
    "self.services.filter(s, s.mtu > 1).size() < 10",
    "self.services.all(s, s.prefixes.all(p, self.routes.exists(r, within(r.prefix, p))))",
    "self.labels.all(k, self.labels[k] > 1) && self.labels.x > 1",
    "old == null || old.mtu == self.mtu",
    "self == old",
    "has(self.service_id.mtu) ? self.service_id.mtu > 1 : self.up",
    "(self.up ? self.mtu : null) == null",
    "(self.up ? self.service_id : null).mtu == 1",
    "[self.service_id, null].exists(s, s == null)",
    "[1, null] == [null]",
    "[].all(x, x.y.z > 1)",
    "self.ratio * double(self.mtu) > 1.0 && max(self.mtu, 1.5) > 1",
    "sum([]) == 0 && min([1.5]) < 2",
    "[[]] == [[1]]",
]


@pytest.mark.parametrize(("text", "offset", "message", "hint"), WRONG)
def test_wrong(text: str, offset: int, message: str, hint: str) -> None:
    with pytest.raises(Wrong) as caught:
        expressions.rule(text, ROOTS)
    wrong = caught.value
    assert (wrong.offset, wrong.message) == (offset, message)
    if hint or not wrong.hint.startswith("known here"):
        assert wrong.hint == hint


@pytest.mark.parametrize("text", RIGHT)
def test_right(text: str) -> None:
    expressions.rule(text, ROOTS)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("1", INT),
        ("self.mtu", nullable(INT)),
        ("self.mtu + 1", INT),
        ("self.ratio", DOUBLE),
        ("'a'", STRING),
        ("null", NULL),
        ("self.up ? 1 : null", nullable(INT)),
        ("self.tags.map(t, t.size())", shapes.list_of(INT)),
        ("[1.5, null]", shapes.list_of(nullable(DOUBLE))),
        ("self.labels.x", nullable(INT)),
        ("self.labels['x']", INT),
        ("sum([1.5])", DOUBLE),
        ("min(1, 2)", INT),
        ("min(1, 2.5)", DOUBLE),
    ],
)
def test_shapes(text: str, shape: Shape) -> None:
    assert expressions.parse(text).check(ROOTS) == shape


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("self.peers.east.mtu > 1", "self.peers.*.mtu"),
        ("self.peers['east'].mtu > 1", "self.peers.*.mtu"),
        ("self.peers.all(k, self.peers[k].mtu > 1)", "self.peers.*.mtu"),
    ],
)
def test_paths_of_a_rule_know_maps(text: str, path: str) -> None:
    service = shapes.reference("Service", STRING, SERVICE.members or dict)
    this = shapes.object_of("T", lambda: {"peers": shapes.map_of(service)})
    found = {".".join(p) for p in expressions.rule(text, {"self": this}).paths}
    assert path in found
    assert found <= {path, "self.peers"}


def test_members_of_types_that_refer_in_circles_are_made_on_demand() -> None:
    assert expressions.parse("self.service_id.parent.parent.id").check(ROOTS) == STRING
