"""Whether a text holds a match of a pattern, in time proportional to the text, as RE2 does it.

Python's `re` backtracks: `(a|a)*b` takes 2ⁿ steps for n characters, and no look at a pattern finds all such. Here a
pattern is an automaton whose sets of states become the states of a deterministic one while texts are read:
a known step is one look into a dict, a new one costs no more than the pattern has instructions.
"""

from __future__ import annotations

import functools

from gluon.expressions import patterns
from gluon.expressions.problems import Wrong
from gluon.expressions.values import Env, spend

_KEPT = 20_000
"""Steps, and places of states, that one pattern keeps (some two megabytes); then it forgets them and begins again."""


class _State:
    """A set of places in the program. `here`: a match ends here; `at_end`: if the text ends here too."""

    __slots__ = ("at_end", "dead", "here", "places", "steps")

    def __init__(self, places: frozenset[int], *, here: bool, at_end: bool, dead: bool) -> None:
        self.places = places
        self.here = here
        self.at_end = at_end
        self.dead = dead
        self.steps: dict[str, _State] = {}


class Pattern:
    """A compiled pattern."""

    def __init__(self, pattern: str) -> None:
        self._program, self._first = patterns.program(pattern)
        self._forget()

    def _forget(self) -> None:
        self._states: dict[frozenset[int], _State] = {}
        self._kept = 0
        # What every further character may begin; a pattern that holds at the start only begins nothing.
        self._again = self._reached({self._first}, begin=False)
        places = self._reached({self._first}, begin=True)
        self._begin = _State(places, here=0 in places, at_end=self._ends(places, begin=True), dead=False)

    def search(self, env: Env, text: str) -> bool:
        """Whether any part of `text` matches."""
        spend(env, 1 + (len(text) >> 3))
        state = self._begin
        for character in text:
            if state.here:
                return True
            following = state.steps.get(character)
            if following is None:
                spend(env, 1 + (len(state.places) >> 1))
                following = self._step(state, character)
            if following.dead:
                return False
            state = following
        return state.here or state.at_end

    def _step(self, state: _State, character: str) -> _State:
        if self._kept >= _KEPT:
            self._forget()
        code = ord(character)
        taken = set()
        for place in state.places:
            step = self._program[place]
            if step.kind == "take" and any(low <= code <= high for low, high in step.ranges):
                taken.add(step.next)
        following = self._state(self._reached(taken, begin=False) | self._again)
        state.steps[character] = following
        self._kept += 1
        return following

    def _reached(self, places: set[int], *, begin: bool, end: bool = False) -> frozenset[int]:
        """Where one gets from `places` without reading; `end` tells whether the text ends here."""
        seen: set[int] = set()
        waiting = list(places)
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            step = self._program[place]
            if step.kind == "split":
                waiting += (step.next, step.other)
            elif (step.kind == "begin" and begin) or (step.kind == "end" and end):
                waiting.append(step.next)
        if end:
            return frozenset(seen)
        return frozenset(p for p in seen if self._program[p].kind in {"take", "end", "match"})

    def _ends(self, places: frozenset[int], *, begin: bool) -> bool:
        return 0 in self._reached(set(places) | ({self._first} if begin else set()), begin=begin, end=True)

    def _state(self, places: frozenset[int]) -> _State:
        state = self._states.get(places)
        if state is None:
            at_end = self._ends(places, begin=False)
            state = _State(places, here=0 in places, at_end=at_end, dead=not places)
            self._states[places] = state
            self._kept += 1 + len(places)
        return state


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> Pattern:
    return Pattern(pattern)


def compile(pattern: str, *, at: int = 0) -> Pattern:  # noqa: A001 - as in `re`
    """The pattern as something to search with; `Wrong` at offset `at` says what it may not have."""
    try:
        return _compiled(pattern)
    except ValueError as why:
        raise Wrong(f"not a pattern of RE2: {why}", offset=at) from None
