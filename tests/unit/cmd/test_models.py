"""`gluon model …` as a user sees it: what goes where, and the exit code."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from gluon.cmd import main
from gluon.export import skeleton
from gluon.model import find

SHIPPED = find.CATALOG / "net-l3vpn"
BAD = """\
file_version: "1.0"
info: {name: x, version: "1.0"}
objects:
  A:
    api: {name: a}
    attributes:
      n: {type: intger}
"""


def gluon(*words: str) -> Result:
    return CliRunner().invoke(main.cli, ["model", *words])


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "api.yaml"
    path.write_text(BAD, encoding="utf-8")
    return path


def test_check_shows_the_line_and_the_cure(bad: Path) -> None:
    done = gluon("check", str(bad))
    assert done.exit_code == 1
    assert done.stdout == ""
    assert (
        f"{bad}:7:17: attribute n of A: unknown type 'intger'\n"
        "  7 |       n: {type: intger}\n"
        "    |                 ^\n"
        "  hint: did you mean 'integer'?\n"
    ) in done.stderr
    assert done.stderr.endswith("4 problems in 1 file\n")


def test_a_file_without_end_is_told_and_not_read_on() -> None:
    done = gluon("check", "/dev/zero")
    assert done.exit_code == 1
    assert "/dev/zero:1:1: the file is larger than" in done.stderr


def test_check_speaks_json(bad: Path) -> None:
    done = gluon("check", "--format", "json", str(bad))
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["models"] == []
    assert {
        "file": str(bad),
        "line": 7,
        "column": 17,
        "message": "attribute n of A: unknown type 'intger'",
        "hint": "did you mean 'integer'?",
    } in told["problems"]


def test_check_says_what_is_good() -> None:
    done = gluon("check", str(SHIPPED))
    assert done.exit_code == 0
    assert "net-l3vpn 1.0 is good: Port, Interface" in done.stdout
    told = json.loads(gluon("check", "--format", "json", str(SHIPPED)).stdout)
    assert told["problems"] == []
    assert told["models"][0] | {"types": []} == {
        "name": "net-l3vpn",
        "version": "1.0",
        "file_version": "1.0",
        "source": str(SHIPPED),
        "types": [],
    }


def test_wrong_usage_ends_with_2() -> None:
    assert gluon("check").exit_code == 2
    assert gluon("export", "net-l3vpn", "--as", "nothing").exit_code == 2
    assert gluon("new", "Not_a_name").exit_code == 2


def test_a_new_model_is_good_and_never_written_over(tmp_path: Path) -> None:
    made = gluon("new", "net-mine", "--folder", str(tmp_path))
    assert made.exit_code == 0
    file = tmp_path / "net-mine" / "api.yaml"
    assert (file.parent / ".schema.json").is_file()
    assert gluon("check", str(file.parent)).exit_code == 0
    file.write_text("mine", encoding="utf-8")
    again = gluon("new", "net-mine", "--folder", str(tmp_path))
    assert again.exit_code == 1
    assert "nothing was written" in again.stderr
    assert file.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("kind", ["openapi", "json-schema", "sql", "markdown"])
def test_export_writes_a_file_or_to_the_screen(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "out"
    assert gluon("export", str(SHIPPED), "--as", kind, "--output", str(file)).stdout == ""
    assert gluon("export", str(SHIPPED), "--as", kind).stdout == file.read_text(encoding="utf-8")


def test_a_model_is_named_by_path_or_by_name() -> None:
    by_name = gluon("show", "net-l3vpn/v1.0")
    assert by_name.exit_code == 0
    assert by_name.stdout == gluon("show", str(SHIPPED)).stdout
    assert json.loads(gluon("show", "net-l3vpn/v1.0", "--format", "json").stdout)["name"] == "net-l3vpn"
    missing = gluon("show", "nonsense")
    assert missing.exit_code == 1
    assert "net-l3vpn/v1.0" in missing.stderr


def test_a_version_that_is_not_served_is_named_with_its_version() -> None:
    assert "2.0" in gluon("show", "net-l3vpn/v2.0").stdout
    assert gluon("docs", "net-l3vpn").stdout.startswith("# net-l3vpn 1.0\n")


@pytest.mark.parametrize("version", [None, "1.0", "2.0"])
def test_the_schema_of_the_language_judges_files(version: str | None, tmp_path: Path) -> None:
    told = json.loads(gluon("schema", *(["--version", version] if version else [])).stdout)
    jsonschema.Draft202012Validator.check_schema(told)
    judge = jsonschema.Draft202012Validator(told)
    new = yaml.safe_load(skeleton.text("net-mine"))
    old = yaml.safe_load((SHIPPED / "api.yaml").read_text(encoding="utf-8"))
    assert judge.is_valid(new) == (version != "1.0")
    assert judge.is_valid(old) == (version != "2.0")
    new["objects"]["Site"]["attributes"]["city"]["lenght"] = 3
    assert not judge.is_valid(new)
