"""The files of the project as its tests of form see them: tracked ones, or all that are not ignored.

Without git, or in a checkout that git distrusts (another owner), the folders that no commit holds are left out by name.
"""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NOT_OURS = {"__pycache__", "build", "dist", "results"}


@cache
def files() -> tuple[Path, ...]:
    """Every text file of the project, generated stubs left out, relative to the root."""
    return tuple(path for path in _listed() if (ROOT / path).is_file() and "_pb2" not in path.name)


def python(*folders: str) -> list[Path]:
    """Every Python file below these folders of the root."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in folders]


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """All below a node, at any depth; expressions hold none, and most of a tree's nodes are expressions."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(node, field, ())
        for child in inner if isinstance(inner, list) else ():
            yield child
            yield from statements(child)


def _listed() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return sorted(_walk(ROOT))
    return sorted(Path(name) for name in done.stdout.decode().split("\0") if name)


def _walk(folder: Path) -> list[Path]:
    found = []
    for path in folder.iterdir():
        hidden = path.is_dir() and path.name.startswith(".") and path.name != ".ci"
        if hidden or path.name in _NOT_OURS or path.name.endswith(".egg-info"):
            continue
        found += _walk(path) if path.is_dir() else [path.relative_to(ROOT)]
    return found
