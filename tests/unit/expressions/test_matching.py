"""Patterns: as `re` finds them where both have the syntax, and in time proportional to the text."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gluon.expressions import Exhausted, Wrong, matching, patterns
from gluon.expressions.values import STEPS


def search(pattern: str, text: str, steps: int = STEPS) -> bool:
    return matching.compile(pattern).search([steps], text)


_ATOMS = st.sampled_from(
    ["a", "b", "ab", ".", "[ab]", "[^a]", r"\d", "[a-c]", "^", r"\.", r"\A", r"[\d.]", "(?:)"]
)
_PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map("|".join).map(lambda p: f"({p})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "+?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(_PATTERNS, st.text("abc1.\n", max_size=12))
@example("(|a)*b", "aab")
@example("(^a|b)*c", "bac")
@example("(?:)*", "")
def test_as_the_standard_library(pattern: str, text: str) -> None:
    for whole in (pattern, f"^(?:{pattern})$", f"(?:{pattern})$"):
        # RE2's $ is the end of the text alone, which `re` writes \Z.
        expected = re.search(whole.replace("$", r"\Z"), text, re.ASCII) is not None
        assert search(whole, text) is expected, whole


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("", "", True),
        ("^$", "", True),
        ("$^", "", True),
        ("a$", "a\n", False),
        ("^a", "b\na", False),
        ("[]a]", "]", True),
        ("[^]a]", "b", True),
        ("[a-]", "-", True),
        ("[[:alpha:]_]+$", "aB_", True),
        ("^[[:digit:][:punct:]]+$", "1.2", True),
        (r"^\x41\t$", "A\t", True),
        (r"^\W\S\D$", "1xx", False),
        (r"^\s\S\D$", " xx", True),
        ("^é.$", "é😀", True),
        ("(?P<name>a)(?<other>b)", "ab", True),
        ("^(a{2}){2}$", "aaaa", True),
        ("a{0,0}b", "b", True),
        (r"a\z", "ba", True),
        (r"\[\]\{\}\(\)\*\+\?\.\|\^\$\\\-\/", r"[]{}()*+?.|^$\-/", True),
    ],
)
def test_syntax(pattern: str, text: str, found: bool) -> None:
    assert search(pattern, text) is found


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "')' is missing"),
        (")", "')' without '('"),
        ("[a", "']' is missing"),
        ("[z-a]", "from a lower character to a higher one"),
        ("[a-\\d]", "from a lower character to a higher one"),
        ("[[:nope:]]", "unknown class [:nope:]"),
        ("*a", "nothing to repeat"),
        ("a**", "needs a group"),
        ("a{2,1}", "a repetition is written"),
        ("a{x}", "a repetition is a number"),
        ("a{1001}", "a repetition is a number up to 1000"),
        ("((a{100}){100}){100}", "too large"),
        ("(" * 30 + ")" * 30, "20 deep at most"),
        ("(?=a)", "no flags and no looking around"),
        ("(?<=a)", "no flags and no looking around"),
        ("(?i)a", "no flags and no looking around"),
        ("(?P<1>a)", "a named group is written"),
        (r"(a)\1", "unknown escape \\1"),
        (r"\b", "unknown escape \\b"),
        (r"\p{L}", "unknown escape \\p"),
        (r"\xZZ", "a character by its code"),
        ("\\", "unknown escape"),
        ("a" * 513, "512 characters at most"),
    ],
)
def test_what_is_no_pattern(pattern: str, why: str) -> None:
    with pytest.raises(Wrong) as caught:
        matching.compile(pattern, at=7)
    assert why in caught.value.message
    assert caught.value.offset == 7


@given(st.text("ab()[]{}|*+?\\^$.,-:1d<>P=", max_size=30))
def test_any_text_is_a_pattern_or_wrong(pattern: str) -> None:
    try:
        compiled = matching.compile(pattern)
    except Wrong:
        return
    compiled.search([STEPS], "ab1")


@pytest.mark.parametrize(
    "pattern", ["(a|a)*b", "(a*)*b", "(a+)+b", "a*a*a*a*a*a*b", "(.*)(.*)(.*)b", "(a|aa)+b", "(a?){50}a{50}b"]
)
def test_what_makes_backtracking_explode_is_linear(pattern: str) -> None:
    began = time.process_time()
    assert not search(pattern, "a" * 20_000)
    assert time.process_time() - began < 5


def test_many_states_use_the_budget_up() -> None:
    began = time.process_time()
    text = "".join("ab"[n.bit_count() % 2] for n in range(50_000))
    with pytest.raises(Exhausted):
        search("(a|b)*a(a|b){400}c", text)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("pattern", ["(a|b)*a(a|b){8}$", "(a|b)*a[ab]{600}$"])
def test_kept_steps_have_an_end(pattern: str) -> None:
    compiled = matching.compile(pattern)
    endless = [1 << 60]
    for number in range(600):
        text = f"{number:b}".replace("0", "a").replace("1", "b") + chr(0x4E00 + number) + "ab" * 5
        assert compiled.search(endless, text) is False
        kept = sum(len(state.steps) + len(places) for places, state in compiled._states.items())
        assert kept <= matching._KEPT + patterns.LARGEST
    assert compiled.search(endless, "ba" + "b" * 600) is ("{8}" not in pattern)
