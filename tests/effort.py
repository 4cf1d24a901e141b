"""How many examples a property is tried with: as many as it says, and twenty times that with `--long`.

Called where a property names a number of its own; the others have that of the profile (`tests/conftest.py`).
"""

import hypothesis

USUAL, LONG = 60, 1200
"""Of a property that says nothing."""


def examples(usual: int) -> int:
    """At the time of collection, when the profile is known."""
    profile = hypothesis.settings.default
    return usual * (profile.max_examples if profile else USUAL) // USUAL
