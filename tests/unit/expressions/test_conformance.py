"""What expressions are worth, CEL's own cases among them: a table of text and value, or of text and failure."""

from typing import Any

import pytest

from gluon import expressions
from gluon.expressions import Failed, Ref

SERVICE = {"id": "s1", "mtu": 1500, "prefix": "192.0.2.0/24", "tags": ["a", "b"], "owner": None}
SELF: dict[str, Any] = {
    "name": "vm-1",
    "mtu": 1400,
    "ratio": 0.5,
    "up": True,
    "none": None,
    "empty": [],
    "list": [1, 2, 3],
    "words": ["a", "bb", "ccc"],
    "labels": {"env": "prod", "tier": None},
    "routes": [{"prefix": "10.0.0.0/8", "mtu": 9000}, {"prefix": "192.0.2.0/25", "mtu": 1000}],
    "service_id": Ref("s1", lambda key: SERVICE),
    "lost_id": Ref("s2", lambda key: None),
    "services": [Ref("s1", lambda key: SERVICE), Ref("s2", lambda key: None)],
    "address": "192.0.2.130",
    "v6": "2001:db8::1",
}
VALUES = {"self": SELF, "old": None}

TRUE = r"""
true
!false
!!true
null == null
self.none == null
self.mtu != null
1 + 2 * 3 == 7
(1 + 2) * 3 == 9
2 - 3 - 4 == -5
7 / 2 == 3
-7 / 2 == -3
7 / -2 == -3
-7 / -2 == 3
7 % 3 == 1
-7 % 3 == -1
7 % -3 == 1
-9223372036854775808 % -1 == 0
0x1F == 31
-0x10 == -16
1.5 + 1.5 == 3.0
1.0 / 0.0 > 1e308
-1.0 / 0.0 < 0.0
0.0 / 0.0 != 0.0 / 0.0
1e3 == 1000.0
.5 == 0.5
1 == 1.0
1 < 1.5
2.0 >= 2
9007199254740993 > 9007199254740992.0
-9223372036854775808 < 0
9223372036854775807 > 0
--1 == 1
-(-1) == 1
"a" < "b"
"Z" < "a"
"ab" > "a"
false < true
"a" + "b" == "ab"
[1] + [2, 3] == [1, 2, 3]
[] == []
[1, 2] != [2, 1]
[1] == [1.0]
["a", null] == ["a", null]
1 in [3, 2, 1]
1.0 in [1]
1 in [true, 1.0]
0 in [false, 0]
7 in [1.0, 7.0]
!(4 in [1, 2])
"a" in ["a", "b"]
null in [null]
"env" in self.labels
!("x" in self.labels)
2 in self.list
"s1" in self.services
self.service_id in ["s1", "s3"]
[1, 2, 3,][2] == 3
self.list[0] == 1
self.labels["env"] == "prod"
self.labels.env == "prod"
self.labels.nothing == null
self.labels == self.labels
self.routes[1].mtu == 1000
true ? true : false
false ? 1 / 0 == 1 : true
false ? true : false ? false : true
true ? (false ? false : true) : false
self.service_id == "s1"
"s1" == self.service_id
self.service_id != "s2"
self.service_id == self.services[0]
self.service_id.mtu == 1500
self.service_id.tags[1] == "b"
self.service_id.owner == null
self.service_id.startsWith("s")
self.service_id < "s2"
self.service_id.size() == 2
self.lost_id == "s2"
old == null
old == null || self.mtu > old.mtu
has(self.mtu)
has(self.service_id)
has(self.service_id.mtu)
!has(self.service_id.owner)
!has(self.service_id.owner.name)
!has(self.lost_id.mtu)
!has(self.none)
!has(self.none.deeper.still)
!has(self.nothing)
!has(old.mtu)
has(self.labels.env)
!has(self.labels.tier)
has(self.routes[0].prefix)
!has(self.routes[7].prefix)
self.list.all(x, x > 0)
self.list.exists(x, x == 2)
!self.list.exists(x, x == 7)
self.list.exists_one(x, x > 2)
!self.list.exists_one(x, x > 1)
self.empty.all(x, false)
!self.empty.exists(x, true)
self.list.filter(x, x > 1) == [2, 3]
self.list.map(x, x * x) == [1, 4, 9]
self.list.map(x, x > 1, x * 10) == [20, 30]
self.labels.all(k, k.size() > 2)
self.labels.exists(k, k == "env")
self.routes.exists(r, r.prefix == "10.0.0.0/8" && r.mtu == 9000)
self.list.all(x, self.list.exists(y, y == x))
self.list.map(x, self.list.map(y, x * y)) == [[1, 2, 3], [2, 4, 6], [3, 6, 9]]
self.list.map(x, x + 1).filter(x, x > 2).size() == 2
self.services.filter(s, has(s.mtu)) == ["s1"]
size("häß") == 3
"😀".size() == 1
[1, 2].size() == 2
size(self.labels) == 2
"hello".contains("ell")
"hello".contains("")
"hello".startsWith("he")
!"hello".startsWith("hello!")
"hello".endsWith("lo")
"ÄB".lower() == "äb"
upper("ab") == "AB"
string(5) == "5"
string(-5) == "-5"
string(5.0) == "5"
string(0.5) == "0.5"
string(true) == "true"
string("x") == "x"
string(self.service_id) == "s1"
int("42") == 42
int("-9223372036854775808") < 0
int(3.9) == 3
int(-3.9) == -3
int(7) == 7
double("1.5") == 1.5
double(2) * 1.5 == 3.0
sum([1, 2, 3]) == 6
sum([]) == 0
[0.5, 0.25].sum() == 0.75
min(3, 1, 2) == 1
max([1, 5, 2]) == 5
self.list.max() == 3
min([1.5, 2.5]) == 1.5
max(1, 2.5) == 2.5
"vm-12".matches("^vm-[0-9]+$")
"xvm-12y".matches("vm")
matches("ab", r"^\w{2}$")
within("192.0.2.7", "192.0.2.0/24")
!within("192.0.3.7", "192.0.2.0/24")
within("192.0.2.0/25", "192.0.2.0/24")
!within("192.0.2.0/23", "192.0.2.0/24")
within("192.0.2.0/24", "192.0.2.0/24")
!within("192.0.2.7", "2001:db8::/32")
within(self.v6, "2001:db8::/32")
within("2001:DB8:0::1", "2001:db8::/64")
within(self.address, self.service_id.prefix)
overlaps("10.0.0.0/8", "10.1.0.0/16")
overlaps("10.1.0.0/16", "10.0.0.0/8")
!overlaps("10.0.0.0/9", "10.128.0.0/9")
!overlaps("0.0.0.0/0", "::/0")
overlaps("10.0.0.1", "10.0.0.0/31")
family("10.0.0.1") == 4
family("2001:db8::/32") == 6
self.routes.all(r, family(r.prefix) == 4)
self.mtu <= self.service_id.mtu && self.name.startsWith("vm")
r"\d" == "\\d"
'it' == "it"
"\x41B\U00000043\104" == "ABCD"
"\"\'\`\?\a\b\f\n\r\t\v".size() == 11
self.`mtu` == 1400
self.mtu == 1400 // with a word on it
1 +
  1 == 2
"""

FALSE = r"""
false
1 == 2
true == null
self.up == null
1 == 2 || 3 == 4
self.name == "vm"
self.name == self.mtu
true == 1
"1" == 1
[1] == [1, 2]
[true] == [1]
1 in [true]
0 in [false, null]
true in [1]
1 in ["1"]
0.0 / 0.0 in [0.0 / 0.0]
self.labels == self.list
0.0 / 0.0 == 0.0 / 0.0
0.0 / 0.0 < 1.0
"vm".matches("^m")
"".matches("a")
"""

# What CEL says of errors: a part that decides does so, whatever fails beside it and wherever.
COMMUTATIVE_TRUE = """
true || 1 / 0 == 1
1 / 0 == 1 || true
1 / 0 == 1 || 2 / 0 == 1 || true
!(false && 1 / 0 == 1)
!(1 / 0 == 1 && false)
[0, 1, 2].exists(x, 4 / x == 4)
!([0, 1, 2].all(x, 4 / x == 4))
"""

FAILS = r"""
1 / 0 == 1                                    # division by zero
1 % 0 == 1                                    # division by zero
9223372036854775807 + 1 > 0                   # 64 bits
-9223372036854775808 - 1 < 0                  # 64 bits
9223372036854775807 * 2 > 0                   # 64 bits
-(-9223372036854775808) > 0                   # 64 bits
-9223372036854775808 / -1 > 0                 # 64 bits
sum([9223372036854775807, 1]) > 0             # 64 bits
int(1e19) > 0                                 # 64 bits
int(0.0 / 0.0) > 0                            # not finite
int("x") == 1                                 # no integer
int("9223372036854775808") == 1               # 64 bits
int("1_0") == 1                               # no integer
int(" 1") == 1                                # no integer
double("nan") == 1.0                          # no number
self.none > 1                                 # self.none is null
1 < self.none                                 # self.none is null
self.none + 1 == 2                            # self.none is null
self.none.deeper == 1                         # self.none is null
old.mtu == 1                                  # old is null
self.lost_id.mtu == 1                         # self.lost_id refers to nothing
self.services.all(s, s.mtu > 1)               # s refers to nothing
self.mtu.deeper == 1                          # self.mtu is no object
self.nothing > 1                              # self.nothing is null
self.list[3] == 1                             # out of range
self.list[-1] == 1                            # out of range
self.list[null] == 1                          # out of range
self.labels["x"] == 1                         # no such key
self.none[0] == 1                             # self.none is null
true && 1 / 0 == 1                            # division by zero
1 / 0 == 1 && true                            # division by zero
false || 1 / 0 == 1                           # division by zero
self.none && true                             # self.none is null
self.none || false                            # self.none is null
!self.none                                    # self.none is null
self.none ? true : false                      # self.none is null
-self.none == 1                               # self.none is null
[0, 1].all(x, 4 / x == 4)                     # division by zero
[0, 2].exists(x, 4 / x == 4)                  # division by zero
[0, 1].exists_one(x, 4 / x == 4)              # division by zero
[0, 1].map(x, 4 / x) == []                    # division by zero
[0, 1].filter(x, 4 / x > 0) == []             # division by zero
self.none.all(x, true)                        # null has no items
self.mtu.all(x, true)                         # needs a list
1 in self.none                                # not null
1 in self.mtu                                 # needs a list
size(self.none) == 1                          # null has no size
self.none.startsWith("a")                     # null is no text
self.name.contains(self.none)                 # null is no text
self.none.matches("a")                        # null is no text
sum(self.none) == 1                           # null is no list
sum([1, null]) == 1                           # null is no number
min([]) == 1                                  # empty list
max(self.empty) == 1                          # empty list
within(self.none, "10.0.0.0/8")               # null is no text
within("10.0.0.256", "10.0.0.0/8")            # neither an address nor a prefix
within("10.0.0.1", "10.0.0.1")                # no prefix
within("10.0.0.1", "10.0.0.1/8")              # no prefix
within("10.0.0.1", "10.0.0.0/255.0.0.0")      # no prefix
within("010.0.0.1", "10.0.0.0/8")             # neither an address nor a prefix
family("x") == 4                              # neither an address nor a prefix
"""


def _lines(table: str) -> list[str]:
    return [line for line in table.replace("+\n ", "+ ").strip().splitlines() if line]


@pytest.mark.parametrize("text", _lines(TRUE) + _lines(COMMUTATIVE_TRUE))
def test_true(text: str) -> None:
    assert expressions.compile(expressions.parse(text)).value(VALUES) is True


@pytest.mark.parametrize("text", _lines(FALSE))
def test_false(text: str) -> None:
    assert expressions.compile(expressions.parse(text)).value(VALUES) is False


@pytest.mark.parametrize("line", _lines(FAILS))
def test_failures_count_as_false_and_say_why(line: str) -> None:
    text, _, why = (part.strip() for part in line.rpartition("#"))
    rule = expressions.compile(expressions.parse(text))
    assert rule(VALUES) is False
    with pytest.raises(Failed) as caught:
        rule.value(VALUES)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 / 3", 0),
        ("1.0 / 4.0", 0.25),
        ("-0.0", -0.0),
        ("'a' + \"b\"", "ab"),
        ("[1, 2].map(x, string(x))", ["1", "2"]),
        ("self.service_id.tags", ["a", "b"]),
        ("true ? 1 : 2", 1),
        ("null", None),
    ],
)
def test_values(text: str, value: object) -> None:
    found = expressions.compile(expressions.parse(text)).value(VALUES)
    assert found == value
    assert type(found) is type(value)


def test_doubles_may_come_as_whole_numbers() -> None:
    """JSON writes 5.0 as 5: what the model calls a number is calculated as one."""
    shapes = expressions.shapes
    roots = {"self": shapes.object_of("T", lambda: {"n": shapes.DOUBLE, "l": shapes.list_of(shapes.DOUBLE)})}
    values = {"self": {"n": 5, "l": [2**62, 2**62]}}
    for text in ("self.n / 2.0 == 2.5", "self.n / self.n == 1.0", "sum(self.l) > 9e18", "-self.n == -5.0"):
        assert expressions.rule(text, roots)(values), text
    assert expressions.rule("self.n / self.n / self.n < 1.0", roots)({"self": {"n": 2, "l": []}})


def test_a_reference_is_read_once_and_only_when_asked_for() -> None:
    read = []

    def fetch(key: str) -> dict[str, int]:
        read.append(key)
        return {"mtu": 1}

    values = {"self": {"a": Ref("k", fetch)}}
    assert expressions.compile(expressions.parse("self.a == 'k' && self.a != null && has(self.a)"))(values)
    assert not read
    assert expressions.compile(expressions.parse("self.a.mtu == 1 && self.a.mtu < 2"))(values)
    assert read == ["k"]


def test_what_a_fetch_raises_is_not_taken_for_false() -> None:
    def fetch(key: str) -> None:
        raise ConnectionError(key)

    rule = expressions.compile(expressions.parse("true || self.a.b == 1 || self.a.b == 2"))
    assert rule({"self": {"a": Ref("k", fetch)}})
    with pytest.raises(ConnectionError):
        expressions.compile(expressions.parse("self.a.b == 1 || true"))({"self": {"a": Ref("k", fetch)}})


def test_references_hash_and_compare_as_their_keys() -> None:
    one, other = Ref("k", lambda key: None), Ref("k", lambda key: {})
    assert one == other == "k"
    assert {one, other, "k"} == {"k"}
    assert one != "l"
    assert Ref(1, lambda key: None) == 1
