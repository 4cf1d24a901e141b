"""Files of change sets that cannot be sent as they are: they are told before anything is sent."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gluon.cmd.main import cli


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "no mapping"),
        (b"- x", "no mapping"),
        (b"at: 2001-13-45", "month must be in 1..12"),
        (b"body: {mtu: .nan}", "'.nan' is no number of JSON"),
        (b"body: {mtu: -.INF}", "'-.INF' is no number of JSON"),
        (b"true: a", "Only dicts"),
        (b"~: a", "Only dicts"),
        (b"a: &a [*a]", "refers to itself"),
        (b"a: " + b"[" * 3000 + b"]" * 3000, "refers to itself, or is nested too deep"),
        (b"a: \xff", "utf-8"),
        (b"a: {", "expected"),
        (b"changes: [{op: delete}]\nname: x\nchanges: []", "the key 'changes' is given twice"),
        (b"changes: [{op: create, body: {name: a, mtu: 1, name: b}}]", "the key 'name' is given twice"),
    ],
)
@pytest.mark.parametrize("verb", ["plan", "apply"])
@pytest.mark.parametrize("way", ["file", "-"])
def test_what_cannot_be_sent(text: bytes, told: str, verb: str, way: str, tmp_path: Path) -> None:
    file = tmp_path / "changes.yaml"
    file.write_bytes(text)
    source = str(file) if way == "file" else "-"
    words = ["changes", verb, source, "--port", "1"]
    done = CliRunner().invoke(cli, words, input=text, catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"gluon: {source}: ")
    assert told in done.stderr


def test_a_file_that_is_not_there() -> None:
    """Its name is said once; an id of which a part is missing is no file that somebody forgot."""
    for verb, told in (("plan", ""), ("apply", ", and it is not the id of a plan")):
        done = CliRunner().invoke(cli, ["changes", verb, "95be49d3", "--port", "1"], catch_exceptions=False)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr == f"gluon: 95be49d3: there is no such file{told}\n"
    done = CliRunner().invoke(cli, ["changes", "plan", "/", "--port", "1"], catch_exceptions=False)
    assert done.stderr == "gluon: /: Is a directory\n"


def test_a_file_without_end_is_not_read_on() -> None:
    line = f'ulimit -v 1000000; "{Path(sys.executable).parent}/gluon" changes plan'
    for source, given in (("/dev/zero", ""), ("-", "</dev/zero")):
        done = subprocess.run(
            ["sh", "-c", f"{line} {source} --port 1 {given}"],
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        said = f"gluon: {source}: it has more than 16 MiB\n"
        assert (done.returncode, done.stderr) == (2, said)


def test_standard_input_that_is_closed() -> None:
    line = f'"{Path(sys.executable).parent}/gluon" changes plan - --port 1 <&-'
    done = subprocess.run(
        ["sh", "-c", line], stderr=subprocess.PIPE, text=True, timeout=60, env=os.environ, check=False
    )
    assert (done.returncode, done.stderr) == (2, "gluon: -: standard input is closed\n")
