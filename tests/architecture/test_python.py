"""Which Python `./dev` makes its environment with: the first that will do, unless another is much faster."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

_SCRIPT = 'python_candidates() { echo "$ALL" | tr " " "\\n"; }; find_python'


def _python(folder: Path, name: str, *times: int) -> Path:
    """A program that answers like a Python which took so long, each time it is asked the next of `times`."""
    python, asked = folder / name, folder / f"{name}-asked"
    python.write_text(
        f"#!/bin/sh\necho >>{asked}\nset -- {' '.join(map(str, times))}\n"
        f'shift $(($(wc -l <{asked}) - 1))\n[ -n "$1" ] && echo "$1 {python}"\n'
    )
    python.chmod(0o755)
    return python


def _found(*candidates: Path) -> str:
    env = {**os.environ, "ALL": " ".join(map(str, candidates))}
    asked = ["sh", "-eu", "-c", f". {ROOT}/scripts/python.sh; {_SCRIPT}"]
    return subprocess.run(asked, env=env, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (((300, 300, 300), (290, 290, 290)), "p0"),
        (((480, 480, 480), (300, 300, 300)), "p1"),
        (((300, 300, 300), (480, 480, 480)), "p0"),
        (((480, 480, 480), (900, 300, 310)), "p1"),
        (((900, 900, 300), (290, 290, 290)), "p0"),
    ],
    ids=["as fast", "faster", "slower", "faster and once held up", "held up but once"],
)
def test_the_first_unless_another_is_much_faster(
    times: tuple[tuple[int, ...], ...], expected: str, tmp_path: Path
) -> None:
    pythons = [_python(tmp_path, f"p{n}", *several) for n, several in enumerate(times)]
    assert _found(*pythons) == str(tmp_path / expected)


def test_what_is_no_python_that_will_do_is_left_out(tmp_path: Path) -> None:
    assert _found(tmp_path / "none", _python(tmp_path, "unfit"), _python(tmp_path, "fit", 1, 1, 1)) == str(
        tmp_path / "fit"
    )
    assert _found(tmp_path / "none") == ""
