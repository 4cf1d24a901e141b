"""Each tutorial and how-to, and the page on change sets, runs as it is written: its shell blocks, in order, in an empty folder.

The word after ```` ```sh ```` says how: `background` is a server, `fails` must end with an error, `restart` is
run between two lives of that server. A block without a language is what the command before it prints. `toml` are
settings that the server takes; `console` is for commands of others, such as OpenStack's, which are not here.
"""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gluon.cmd import settings
from gluon.testing.process import Daemon
from gluon.testing.servers.server import free_ports

TUTORIALS = sorted(
    [
        *Path("docs/tutorials").glob("*.md"),
        *Path("docs/howto").glob("*.md"),
        Path("docs/reference/changesets.md"),
    ]
)
_BLOCK = re.compile(r"^```(?:(\w+) ?(\w*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Shell:
    """Runs blocks one after another; what they export stays."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.server: Daemon | None = None
        self.state = folder / ".environment"
        self.state.touch()

    def run(self, block: str, *, fails: bool = False) -> str:
        """What it printed."""
        script = f"set -a; . {self.state}; set -e\n{block}\nexport -p > {self.state}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode != 0) == fails, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def serve(self, command: str) -> None:
        words = command.split()
        program = str(Path(sys.executable).parent / words[0])
        self.server = Daemon(
            ["env", "-C", str(self.folder), program, *words[1:]], log=self.folder / "server.log"
        )
        self.start()

    def start(self) -> None:
        assert self.server is not None
        self.server.start()
        self.server.wait_ready(self._ready, limit=30)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                return True
        except OSError:
            return False


@contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    made = Shell(folder, *free_ports(1))
    try:
        yield made
    finally:
        if made.server is not None:
            made.server.stop()


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda p: p.stem)
def test_the_tutorial_runs(path: Path, tmp_path: Path) -> None:
    with shell(tmp_path) as running:
        text = path.read_text(encoding="utf-8").replace("2705", str(running.port))
        blocks = _BLOCK.findall(text)
        assert blocks
        printed = ""
        for language, how, block in blocks:
            if language == "toml":
                (tmp_path / "gluon.toml").write_text(block, encoding="utf-8")
                settings.load(str(tmp_path / "gluon.toml"), {})
            elif language in {"yaml", "console"}:
                continue
            elif not language:
                assert block in printed
            elif how == "background":
                running.serve(block)
            elif how == "restart":
                assert running.server is not None
                running.server.stop()
                running.run(block)
                running.start()
            else:
                printed = running.run(block, fails=how == "fails")


def test_there_are_tutorials() -> None:
    assert TUTORIALS
