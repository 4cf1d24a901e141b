"""Rules of models, of a file and built in, as one: names, overrides, reload."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gluon.cmd import settings
from gluon.cmd.policies import PolicyFile
from gluon.model import loader
from gluon.policy import engine, files
from gluon.policy.rulebook import PolicyError, Source
from gluon.spi.policy import Caller, Scope

MODELS = loader.load_catalog()
MINE = "11111111-1111-4111-8111-111111111111"
OWN = {"project_id": MINE, "tenant_id": MINE}
FOREIGN = {"project_id": "other"}


def caller(*roles: str, project: str | None = MINE, admin: bool = False) -> Caller:
    return Caller(user="u", project=project, roles=frozenset(roles), admin=admin)


def given(text: str) -> engine.Engine:
    return engine.Engine(MODELS, files.read(text, "policy.yaml"))


def test_rules_of_models_count_where_no_file_says_otherwise() -> None:
    vpns = engine.Engine(MODELS).of("net-l3vpn", "VpnService")
    for action in ("create", "get", "update", "delete"):
        assert vpns.allows(action, caller("member"), OWN)
        assert not vpns.allows(action, caller("member"), FOREIGN)
        assert vpns.allows(action, caller(admin=True, project=None), FOREIGN)
    assert vpns.listed(caller("member")) is Scope.OWN
    assert vpns.listed(caller("member", project=None)) is Scope.NOTHING
    assert not vpns.allows("no_such_action", caller("member"), OWN)


def test_a_project_is_known_by_keystones_form_of_its_id_too() -> None:
    short = caller("member", project=MINE.replace("-", ""))
    assert short.project == MINE
    vpns = given(f"net-l3vpn:get_vpn: project_id:{MINE.replace('-', '')}").of("net-l3vpn", "VpnService")
    assert vpns.allows("get", short, FOREIGN) and not vpns.allows("get", caller(project="x"), OWN)


def test_a_file_wins_and_names_may_be_quoted_or_lists() -> None:
    rules = given('"net-l3vpn:get_vpn": "role:reader"\nnet-l3vpn:delete_vpn: [["role:boss", "rule:owner"]]\n')
    vpns = rules.of("net-l3vpn", "VpnService")
    assert vpns.allows("get", caller("reader"), FOREIGN) and not vpns.allows("get", caller("member"), OWN)
    assert vpns.allows("delete", caller("boss"), OWN) and not vpns.allows("delete", caller("member"), OWN)
    assert vpns.listed(caller("reader")) is Scope.OWN
    assert vpns.listed(caller("member")) is Scope.NOTHING
    assert not rules.problems


def test_a_rule_of_the_base_given_anew_counts_for_all_that_ask_it() -> None:
    rules = given("context_is_admin: role:root\nowner: role:member and project_id:%(project_id)s")
    assert rules.is_admin(caller("root")) and not rules.is_admin(caller("admin"))
    assert not rules.of("net-l3vpn", "Port").allows("get", caller("reader"), OWN)


def test_names_that_mean_nothing_are_told() -> None:
    rules = given(
        "net-l3vpn:get_vpns: '@'\nmine: '@'\nhelper: '@'\nnet-l3vpn:get_vpn: rule:helper or rule:gone"
    )
    assert [problem.replace("policy.yaml", "F") for problem in rules.problems] == [
        "F:4:1: no rule 'gone' is defined, 'default' stands for it",
        "F:1:1: rule net-l3vpn:get_vpns: nothing asks for it",
        "F:2:1: rule mine: nothing asks for it",
    ]
    rules.adopt(())
    assert len(rules.problems) == 4
    rules.adopt(MODELS)
    assert len(rules.problems) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- x", "1:1: the file must be a mapping of names to rules"),
        ("x: {a: b}", "1:4: rule x must be a text"),
        ("x:", "1:3: rule x is empty"),
        ("x: role:a and", "1:1: rule x: "),
        ("x: http://example.com", "1:1: rule x: "),
        ("x: rule:y\ny: rule:x", "it never ends"),
        ("x: [[1, [2]]]", "1:5: rule x: a list holds checks"),
        ("a: '@'\na: '!'", "2:1"),
        ("a: [", "1:"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(text: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told.replace("(", r"\(")) as caught:
        given(text)
    assert "policy.yaml:" in str(caught.value)


def test_a_broken_override_changes_nothing() -> None:
    rules = given("net-l3vpn:get_vpn: role:reader")
    with pytest.raises(PolicyError):
        rules.replace({"net-l3vpn:get_vpn": Source(rule="role:", place="f:1:1")})
    assert rules.of("net-l3vpn", "VpnService").allows("get", caller("reader"), FOREIGN)
    rules.replace({})
    assert not rules.of("net-l3vpn", "VpnService").allows("get", caller("reader"), FOREIGN)


def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    rules = engine.Engine(MODELS)
    kept = PolicyFile(rules, str(path))
    with pytest.raises(settings.SettingsError, match="No such file"):
        kept.load()

    def write(text: str) -> None:
        other = tmp_path / "other"
        other.write_text(text, encoding="utf-8")
        other.replace(path)
        kept.look()

    def reads() -> bool:
        return rules.of("net-l3vpn", "VpnService").allows("get", caller("reader"), FOREIGN)

    path.write_text("", encoding="utf-8")
    kept.load()
    assert not reads()
    write("net-l3vpn:get_vpn: role:reader\nodd: '@'")
    assert reads() and kept.facts()["rules"] == 2
    assert kept.facts()["problems"] == [f"{path}:2:1: rule odd: nothing asks for it"]
    for broken in ("net-l3vpn:get_vpn: role:", "a: [", "\udcff"):
        if broken == "\udcff":
            path.write_bytes(b"\xff")
            os.utime(path, ns=(1, 1))
            kept.look()
        else:
            write(broken)
        assert reads() and kept.facts()["error"]
    path.unlink()
    kept.look()
    assert reads() and "No such file" in kept.facts()["error"]
    write("{}")
    assert not reads()
    assert (kept.facts()["error"], kept.facts()["rules"]) == ("", 0)


def test_a_server_does_not_start_with_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("x: role:", encoding="utf-8")
    with pytest.raises(settings.SettingsError, match="cannot be used"):
        PolicyFile(engine.Engine(MODELS), str(path)).load()


@pytest.mark.parametrize(
    "file", [None, "owner: role:x or user_id:%(name)s", "net-l3vpn:create_port: role:member"]
)
@pytest.mark.parametrize("roles", [(), ("member",), ("reader",), ("service",), ("x",)])
@pytest.mark.parametrize("project", [MINE, None])
def test_what_counts_for_all_of_a_project_is_what_is_said_of_each(
    file: str | None, roles: tuple[str, ...], project: str | None
) -> None:
    rules = engine.Engine(MODELS) if file is None else given(file)
    who = caller(*roles, project=project)
    for model in MODELS:
        for kind in model.types.values():
            access = rules.of(model.name, kind.name)
            own = access.own(who)
            assert access.own(who) is own
            if own is None:
                continue
            assert own.creates == access.allows("create", who, OWN)
            assert own.hidden == frozenset(access.hidden(who, OWN))
            assert own.unset == frozenset(access.refused("create", kind.attributes, who, OWN))


def test_where_rows_differ_each_is_asked_about() -> None:
    vpns = given("net-l3vpn:create_vpn: name:x and rule:owner or user_id:%(name)s").of(
        "net-l3vpn", "VpnService"
    )
    assert vpns.own(caller("member")) is None
    assert given("").of("net-l3vpn", "VpnService").own(caller("member")) is not None


def test_what_a_caller_may_do_is_not_said_of_another_in_his_place() -> None:
    vpns = given("net-l3vpn:create_vpn: role:member and rule:owner").of("net-l3vpn", "VpnService")
    for _ in range(3000):
        one, other = vpns.own(caller("member")), vpns.own(caller("nobody"))
        assert one is not None and one.creates
        assert other is not None and not other.creates
