"""Words of a command line that would quietly mean something else."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gluon.cmd import main
from gluon.cmd.settings import SettingsError
from gluon.store import portable
from gluon.store.portable import BackupError


def refused(*words: str) -> str:
    error = CliRunner().invoke(main.cli, words).exception
    assert isinstance(error, SettingsError)
    return str(error)


@pytest.mark.parametrize("etcd", ["", ",", " , "])
@pytest.mark.parametrize("verb", ["up", "server", "shim"])
def test_no_endpoint_is_not_the_bus_inside_the_process(verb: str, etcd: str, tmp_path: Path) -> None:
    assert "--etcd" in refused(verb, "--etcd", etcd, *(["--data", str(tmp_path)] if verb != "shim" else []))


def test_a_plan_makes_no_database(tmp_path: Path) -> None:
    said = refused("db", "plan", "--data", str(tmp_path / "nowhere"))
    assert str(tmp_path / "nowhere" / "gluon.db") in said and "--database" in said
    assert list(tmp_path.iterdir()) == []
    assert "nowhere" in refused("db", "plan", "--database", f"sqlite:///{tmp_path}/nowhere/x.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["", ".", "..", "/"])
def test_a_folder_is_no_name_of_a_backup(path: str) -> None:
    with pytest.raises(BackupError, match="is there already: name another file"):
        portable.Writer(Path(path))


@pytest.mark.parametrize(
    "limits",
    [
        ("net-l2.Port=5_0",),
        ("net-l2.Port= 5",),
        ("net-l2.Port=\u0665",),
        ("net-l2.Port=+5",),
        ("net-l2.Port=" + "9" * 5000,),
        ("net-l2.Port=5", "net-l2.Network=1", "net-l2.Port=6"),
    ],
)
def test_a_quota_is_one_number(limits: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main.cli, ["quota", "set", "p", *limits, "--port", "1"])
    assert done.exit_code == 2, done.output
