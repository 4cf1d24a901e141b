"""Words that have no place in the tree: registries, paths of one machine, marks of unfinished work, mixed-up terms.

The patterns are put together from halves so that this file may be searched too.
"""

import re
from pathlib import Path

import pytest

from tests.architecture import tree

REFUSED = {
    "the host of a package registry": "|".join(
        [
            r"pypi\." + "org",
            "python" + "hosted",
            "registry" + r"\.npmjs",
            "registry" + r"\.yarnpkg",
            "crates" + r"\.io",
            "proxy" + r"\.golang",
            "conda" + r"\.anaconda",
        ]
    ),
    "an index option": "--(extra-)?index" + "-url|--find" + "-links",
    "a path of one machine": r"(?<![\w.])/(root|home|work|Users)" + r"/\w",
    "a mark of unfinished work": r"\b(TO" + "DO|FIX" + "ME|XX" + r"X)\b|NotImplemented" + "Error",
    "an error swallowed whole": r"except (Base)?Exception: *" + "pass",
    "a mixed-up term of the field": r"\b(VPN " + "ports?|v" + r"port)\b",
}
# A lock's digests and a licence's text are no prose.
PROSE = [path for path in tree.files() if path.name not in {"requirements.lock", "LICENSE"}]
BINARY = {".png", ".ico", ".woff2"}


@pytest.mark.parametrize("what", REFUSED)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(REFUSED[what])
    found = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in PROSE
        if path.suffix not in BINARY
        for number, line in enumerate(tree.text(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_no_wait_of_the_product_swallows_a_cancellation() -> None:
    """As `asyncio.wait_for` does before Python 3.12, where what it waits for comes at the same moment."""
    code = [path for path in PROSE if path.parts[:2] == ("src", "gluon") and path.parts[2] != "testing"]
    assert [path for path in code if "asyncio.wait" + "_for(" in tree.text(path)] == []


def test_the_lock_names_no_host() -> None:
    assert "://" not in tree.text(Path("requirements.lock"))


def test_no_lock_that_names_hosts_is_tracked() -> None:
    assert [
        path for path in tree.files() if path.name in {"uv.lock", "poetry.lock", "package-lock.json"}
    ] == []
