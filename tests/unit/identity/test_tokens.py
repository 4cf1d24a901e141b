"""Tokens of a file: what may stand there, who may read it, and that changes count."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from gluon.identity import tokens

TOKEN = "a-token-of-some-length"
OTHER = "b-token-of-some-length"


def written(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


async def test_a_token_or_its_digest(tmp_path: Path) -> None:
    digest = hashlib.sha256(OTHER.encode()).hexdigest()
    text = f"""
tokens:
  - {{token: {TOKEN}, user: alice, project: p1, roles: [member, reader], expires: 2099-01-01T00:00:00Z}}
  - {{sha256: {digest.upper()}, user: root, roles: [admin], system_scope: all, user_domain_id: default}}
"""
    known = tokens.Tokens(written(tmp_path / "t", text))
    alice = await known.known(TOKEN, expired=False)
    root = await known.known(OTHER, expired=False)
    assert alice is not None
    assert root is not None
    assert (alice.user, alice.project, alice.roles) == ("alice", "p1", frozenset({"member", "reader"}))
    assert alice.expires is not None
    assert alice.expires > time.time()
    assert root.more == {"system_scope": "all", "user_domain_id": "default"}
    assert await known.known(digest, expired=False) is None
    assert TOKEN not in repr(vars(known))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write `tokens:`"),
        ("tokens: {}", "write `tokens:`"),
        ("tokens: []\nmore: 1", "write `tokens:`"),
        (f"tokens: [{{user: a, token: {TOKEN}}}]\ntokens: []", ":2: a key is given twice"),
        (
            f"tokens:\n - {{user: a, token: {TOKEN}, roles: [a],\n    roles: [admin]}}",
            ":3: a key is given twice",
        ),
        (f"tokens: [{{{TOKEN}: a, {TOKEN}: b}}]", ":1: a key is given twice"),
        ("tokens: [1]", "token 1: is no mapping"),
        ("{", "this is no YAML"),
        (f"tokens:\n - {TOKEN}: [", ":3: this is no YAML"),
        (f"tokens: [{{token: {TOKEN}}}]", "user is missing"),
        ("tokens: [{user: a}]", "give token or sha256"),
        (f"tokens: [{{user: a, token: {TOKEN}, sha256: {'0' * 64}}}]", "give token or sha256"),
        ("tokens: [{user: a, sha256: abc}]", "no SHA-256"),
        ("tokens: [{user: a, token: short}]", "16 characters at least"),
        ("tokens: [{user: a, token: 'has a blank in the midst'}]", "without blanks"),
        ("tokens: [{user: a, token: 'ünïcode-of-some-length'}]", "printable ASCII"),
        (f"tokens: [{{user: a, token: {TOKEN}, admin: true}}]", "token 1: what may stand there is"),
        (f"tokens: [{{{TOKEN}: alice}}]", "token 1: what may stand there is"),
        (f"tokens: [{{user: 12, token: {TOKEN}}}]", "put it in quotes"),
        (f"tokens: [{{user: a, token: {TOKEN}, roles: admin}}]", "roles is no list"),
        (f"tokens: [{{user: a, token: {TOKEN}, expires: soon}}]", "expires is no time"),
        (f"tokens: [{{user: a, token: {TOKEN}, project: p, system_scope: all}}]", "without a project"),
        (f"tokens: [{{user: a, token: {TOKEN}}}, {{user: b, token: {TOKEN}}}]", "token 2 stands there twice"),
        ("tokens: &a [*a]", "is no mapping"),
    ],
)
def test_what_cannot_be_used_is_said_and_no_token(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path / "t", text)
    with pytest.raises(tokens.TokensError, match=".*") as refused:
        tokens.Tokens(path)
    assert said in str(refused.value)
    assert path in str(refused.value)
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o666])
def test_others_may_not_read_it(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "t", "tokens: []", mode)
    with pytest.raises(tokens.TokensError, match="chmod o="):
        tokens.Tokens(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(tokens.TokensError, match="No such file"):
        tokens.Tokens(str(tmp_path / "t"))
    with pytest.raises(tokens.TokensError, match="directory"):
        tokens.Tokens(str(tmp_path))


async def test_a_change_counts_and_a_mistake_does_not(tmp_path: Path) -> None:
    path = tmp_path / "t"
    known = tokens.Tokens(written(path, f"tokens: [{{user: a, token: {TOKEN}}}]"))
    heard = []
    known.changed = lambda: heard.append(1)
    known.look()
    assert not heard
    written(path, "tokens: [")
    known.look()
    written(path, f"tokens: [{{user: b, token: {OTHER}}}]", 0o644)
    known.look()
    path.unlink()
    known.look()
    assert not heard
    assert await known.known(TOKEN, expired=False) is not None
    written(tmp_path / "new", f"tokens: [{{user: b, token: {OTHER}}}]")
    os.replace(tmp_path / "new", path)  # noqa: PTH105 - as a configuration tool does
    known.look()
    assert heard == [1]
    assert await known.known(TOKEN, expired=False) is None
    assert await known.known(OTHER, expired=False) is not None
