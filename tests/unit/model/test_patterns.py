"""Patterns of texts: the whole text, in no more time than its length asks for."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon.model import patterns

QUICK = [
    "[a-z]+",
    "^[a-z][a-z0-9-]*$",
    r"[a-z]+(\.[a-z]+)*",
    "([0-9a-f]{2}:){5}[0-9a-f]{2}",
    r"(\d{1,3}\.){3}\d{1,3}",
    "(red|green|blue)",
    "a{2,5}b?",
    "",
]
SLOW = [
    "(a+)+",
    "(a|a)*",
    "(a*)*",
    "(a|ab|b)*",
    "(a?b?)*",
    "a*a*a*a*a*a*a*a*",
    "(a|aa)+",
    "(.*a){12}",
    "[a-z0-9]([a-z0-9-]*[a-z0-9])?",
    r"\s*a\s*",
]


def _is_quick(pattern: str) -> bool:
    return isinstance(getattr(patterns.matcher(pattern), "__self__", None), re.Pattern)


@pytest.mark.parametrize("pattern", QUICK)
def test_what_cannot_go_astray_is_left_to_python(pattern: str) -> None:
    assert _is_quick(pattern)


@pytest.mark.parametrize("pattern", SLOW)
def test_what_could_take_ages_takes_none(pattern: str) -> None:
    assert not _is_quick(pattern)
    matches = patterns.matcher(pattern)
    began = time.process_time()
    assert not matches("a" * 5000 + "!")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "pattern",
    ["(", "[a", "*", "a**", "(?=a)b", r"(a)\1", "(?P<n>a)", "[[:alpha:]]", r"a\z", "a{5,2}", "[z-a]",
     "(?i)a", "a" * 600, "((a{500}){500}){500}", r"\q"],
)  # fmt: skip
def test_what_is_no_pattern_is_told(pattern: str) -> None:
    assert patterns.problem(pattern)
    with pytest.raises(ValueError):
        patterns.matcher(pattern)


atoms = st.sampled_from(
    ["a", "b", "[ab]", ".", r"\d", "[^a]", r"\.", "(a|b)", "(ab|a)", "(a*)", "(b?)", "(a+b)"]
)
pieces = st.builds("".join, st.tuples(atoms, st.sampled_from(["", "*", "+", "?", "{2}", "{1,3}", "{2,}"])))
some = st.builds("|".join, st.lists(st.builds("".join, st.lists(pieces, max_size=4)), min_size=1, max_size=2))


@given(some, st.text("ab1.\n", max_size=8))
def test_a_pattern_means_what_it_means_in_python(pattern: str, text: str) -> None:
    assert not patterns.problem(pattern)
    assert bool(patterns.matcher(pattern)(text)) == bool(re.fullmatch(pattern, text, re.ASCII))


@given(st.text("ab[](){}*+?|^$\\.-1,:<P=dwsx", max_size=12))
def test_any_text_is_a_pattern_or_refused(pattern: str) -> None:
    if not patterns.problem(pattern):
        patterns.matcher(pattern)("ab1")
