"""`gluon policy`: what it prints, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import gluon
from gluon.cmd import main, settings

L2 = str(Path(gluon.__file__).parent / "catalog" / "net-l2")


def run(*words: str) -> Result:
    return CliRunner().invoke(main.cli, ["policy", *words], catch_exceptions=False)


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text("owner: role:boss and project_id:%(project_id)s\nodd: '@'\n", encoding="utf-8")
    return str(path)


def test_rules_are_listed_with_the_places_that_they_come_from(policy: str) -> None:
    found = run("list", "--model", L2, "--policy", policy)
    lines = {line.split()[0]: line for line in found.stdout.splitlines()}
    assert found.exit_code == 0
    assert f"{policy}:1:1" in lines["owner"] and "built in" in lines["admin_or_owner"]
    assert "Network.policies.create" in lines["net-l2:create_network"]
    assert "Port.host_id.policies.set" in lines["net-l2:update_port:host_id"]
    assert set(run("list", "_port:host", "--model", L2).stdout.split()) >= {"net-l2:get_port:host_id"}
    assert run("list", "no such").exit_code == 1


def test_an_answer_is_explained_part_by_part(policy: str) -> None:
    asked = ["explain", "net-l2:update_port:host_id", "--model", L2, "--project", "p", "--role"]
    found = run(*asked, "member")
    assert found.exit_code == 1 and found.stdout.endswith("not allowed: 403\n")
    assert "yes net-l2:update_port  (" in found.stdout
    assert "no  net-l2:update_port:host_id  (" in found.stdout
    assert "no          role:service\n" in found.stdout
    for role in ("admin", "service"):
        found = run(*asked, role)
        assert found.exit_code == 0 and found.stdout.endswith("\nallowed\n")
    found = run(*asked, "member", "--policy", policy)
    assert found.exit_code == 1 and "404" in found.stdout and f"({policy}:1:1)" in found.stdout
    assert run(*asked, "member", "--target", "project_id=q").exit_code == 1
    assert (
        run("explain", "net-l2:get_network", "--model", L2, "--role", "reader", "--project", "p").exit_code
        == 0
    )
    assert run("explain", "operate", "--role", "reader").exit_code == 1
    with pytest.raises(settings.SettingsError, match="no rule net-l2:get_nothing"):
        run("explain", "net-l2:get_nothing", "--model", L2)
    with pytest.raises(settings.SettingsError, match="NAME=VALUE"):
        run(*asked, "member", "--target", "x")


def test_a_file_is_checked_against_the_models(tmp_path: Path, policy: str) -> None:
    found = run("check", policy, "--model", L2)
    assert (found.exit_code, found.stdout) == (1, f"{policy}:2:1: rule odd: nothing asks for it\n")
    good = tmp_path / "good.yaml"
    good.write_text('"net-l2:create_network": "rule:admin_only"\n', encoding="utf-8")
    assert run("check", str(good), "--model", L2).stdout == f"{good} is good for net-l2 2.0\n"
    good.write_text("x: role:a and\n", encoding="utf-8")
    found = run("check", str(good))
    assert found.exit_code == 1 and f"{good}:1:1: rule x: " in found.stdout
    with pytest.raises(settings.SettingsError, match="No such file"):
        run("check", str(tmp_path / "none.yaml"))
