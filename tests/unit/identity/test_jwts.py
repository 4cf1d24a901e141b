"""JWTs: those of the issuer, and every forgery that has worked somewhere."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gluon import errors
from gluon.identity import jwts, keyset
from gluon.identity.known import Known

ISSUER, AUDIENCE = "https://issuer.example", "gluon"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS: dict[str, Any] = {"RS256": RSA, "ES256": EC, "EdDSA": ED}
ALGORITHMS: dict[str, Any] = {"RS256": jwt.algorithms.RSAAlgorithm, "ES256": jwt.algorithms.ECAlgorithm, "EdDSA": jwt.algorithms.OKPAlgorithm}  # fmt: skip


def public(algorithm: str, kid: str | None = None, **more: Any) -> dict[str, Any]:
    made = ALGORITHMS[algorithm].to_jwk(KEYS[algorithm].public_key(), as_dict=True)
    return {**made, **({"kid": kid} if kid else {}), **more}


JWKS = {"keys": [public("RS256", "r", use="sig", alg="RS256"), public("ES256", "e"), public("EdDSA", "d")]}


def claims(**more: Any) -> dict[str, Any]:
    now = time.time()
    made = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "exp": now + 300,
        "project_id": "p1",
        "roles": ["member"],
    }
    return {name: value for name, value in {**made, **more}.items() if value is not None}


def way(keys: dict[str, Any] = JWKS, **where: Any) -> jwts.Jwts:
    path = Path(where.pop("folder")) / "keys"
    path.write_text(json.dumps(keys))
    return jwts.Jwts(keyset.Keys(str(path)), jwts.Claims(issuer=ISSUER, audience=AUDIENCE, **where))


def signed(algorithm: str, kid: str | None, given: dict[str, Any] | None = None, key: Any = None) -> str:
    headers = {"kid": kid} if kid else {}
    return jwt.encode(given or claims(), key or KEYS[algorithm], algorithm=algorithm, headers=headers)


def raw(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(body).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize(
    ("algorithm", "kid"), [("RS256", "r"), ("ES256", "e"), ("EdDSA", "d"), ("RS256", None)]
)
async def test_a_token_of_the_issuer(tmp_path: Path, algorithm: str, kid: str | None) -> None:
    known = await way(folder=tmp_path).known(signed(algorithm, kid), expired=False)
    assert isinstance(known, Known)
    assert (known.user, known.project, known.roles) == ("alice", "p1", frozenset({"member"}))
    assert known.expires is not None
    assert 300 < known.expires - time.time() < 340


async def test_claims_are_where_the_settings_say(tmp_path: Path) -> None:
    judge = way(
        folder=tmp_path, user="preferred_username", project="https://x.example/project", roles="realm_access.roles",
        domain="org", role_names={"net-admins": "admin", "users": "member"},
    )  # fmt: skip
    given = claims(preferred_username="bob", org="d1", realm_access={"roles": ["net-admins", "admin", 7]}) | {
        "https://x.example/project": "p9"
    }
    known = await judge.known(signed("ES256", "e", given), expired=False)
    assert known is not None
    assert (known.user, known.project, known.roles, known.more) == (
        "bob",
        "p9",
        frozenset({"admin"}),
        {"domain_id": "d1"},
    )


async def test_roles_may_be_words_and_a_project_missing(tmp_path: Path) -> None:
    known = await way(folder=tmp_path, roles="scope").known(
        signed("EdDSA", "d", claims(scope="reader member", project_id=None)), expired=False
    )
    assert known is not None
    assert (known.project, known.roles) == (None, frozenset({"reader", "member"}))


_PEM = RSA.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def hmac_with(key: bytes, kid: str) -> str:
    start = raw({"alg": "HS256", "typ": "JWT", "kid": kid}, claims()).rsplit(".", 1)[0]
    signature = hmac.new(key, start.encode(), hashlib.sha256).digest()
    return f"{start}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _changed(token: str) -> str:
    head, _, tail = token.split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims(roles=["admin"])).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{tail}"


FORGED = {
    "none": lambda: raw({"alg": "none"}, claims()),
    "None": lambda: raw({"alg": "None", "kid": "r"}, claims()),
    "no alg": lambda: raw({"kid": "r"}, claims()),
    "alg is a list": lambda: raw({"alg": ["RS256"], "kid": "r"}, claims()),
    "public key as secret": lambda: hmac_with(_PEM, "r"),
    "public key as secret, other kid": lambda: hmac_with(json.dumps(JWKS["keys"][1]).encode(), "e"),
    "unknown kid": lambda: signed("RS256", "zz"),
    "kid of another kind": lambda: signed("RS256", "e"),
    "kid is a path": lambda: signed("RS256", "../../dev/null"),
    "kid is a number": lambda: raw({"alg": "RS256", "kid": 1}, claims()),
    "stranger": lambda: signed("RS256", "r", key=STRANGER),
    "stranger without kid": lambda: signed("RS256", None, key=STRANGER),
    "own key in the header": lambda: jwt.encode(
        claims(), STRANGER, algorithm="RS256",
        headers={"kid": "r", "jwk": json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(STRANGER.public_key()))},
    ),
    "url of keys in the header": lambda: jwt.encode(
        claims(), STRANGER, algorithm="RS256", headers={"kid": "r", "jku": "http://127.0.0.1:1/keys"}
    ),
    "other algorithm": lambda: jwt.encode(claims(), RSA, algorithm="RS512", headers={"kid": "r"}),
    "PSS": lambda: jwt.encode(claims(), RSA, algorithm="PS256", headers={"kid": "r"}),
    "critical": lambda: jwt.encode(claims(), RSA, algorithm="RS256", headers={"kid": "r", "crit": ["exp"]}),
    "changed": lambda: _changed(signed("RS256", "r")),
    "no signature": lambda: signed("RS256", "r").rsplit(".", 1)[0] + ".",
    "expired": lambda: signed("RS256", "r", claims(exp=time.time() - 60)),
    "no expiry": lambda: signed("RS256", "r", claims(exp=None)),
    "expiry is endless": lambda: raw({"alg": "RS256", "kid": "r"}, claims(exp=float("inf"))),
    "not yet": lambda: signed("RS256", "r", claims(nbf=time.time() + 60)),
    "from the future": lambda: signed("RS256", "r", claims(iat=time.time() + 600)),
    "other audience": lambda: signed("RS256", "r", claims(aud="nova")),
    "no audience": lambda: signed("RS256", "r", claims(aud=None)),
    "user is no text": lambda: signed("ES256", "e", claims(sub=None, preferred=1)),
    "empty user": lambda: signed("ES256", "e", claims(sub="")),
    "user with the end of a line": lambda: signed("ES256", "e", claims(sub="a\nb")),
    "user with NUL": lambda: signed("ES256", "e", claims(sub="a\0b")),
    "user without end": lambda: signed("ES256", "e", claims(sub="a" * 256)),
    "project with NUL": lambda: signed("ES256", "e", claims(project_id="p\0")),
    "expiry is far away": lambda: signed("ES256", "e", claims(exp=10**400)),
    "project is no text": lambda: signed("ES256", "e", claims(project_id=["p1"])),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forgery(tmp_path: Path, forgery: str) -> None:
    token = FORGED[forgery]()
    judge = way(folder=tmp_path)
    try:
        known = await judge.known(token, expired=True)
    except errors.Unauthorized as refused:
        assert token not in str(refused)  # noqa: PT017 - None is an answer too
        assert token.split(".")[1] not in str(refused)  # noqa: PT017
        return
    assert known is None


async def test_clocks_may_differ_a_little(tmp_path: Path) -> None:
    judge = way(folder=tmp_path)
    assert await judge.known(signed("ES256", "e", claims(exp=time.time() - 10)), expired=False)
    assert await judge.known(signed("ES256", "e", claims(nbf=time.time() + 10)), expired=False)


async def test_what_is_of_another_issuer_is_not_judged(tmp_path: Path) -> None:
    """It may be Keystone's."""
    judge = way(folder=tmp_path)
    others = [
        signed("RS256", "r", claims(iss="https://other.example")), "gAAAAABr", "a.b.c", "..", "ä.ö.ü", "a" * 9000,
        raw({"alg": "ES256"}, {"sub": "u", "exp": 1}), signed("RS256", "r", claims(iss=None)),
        f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.e30.e30",
    ]  # fmt: skip
    for token in others:
        assert await judge.known(token, expired=False) is None


def test_weak_keys_and_secrets_are_no_keys() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()  # noqa: S505 - meant to be
    keys = [
        {**jwt.algorithms.RSAAlgorithm.to_jwk(weak, as_dict=True), "kid": "weak"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256"},
        public("RS256", "enc", use="enc"),
        public("RS256", "hs", alg="HS256"),
        public("RS256", "sign", key_ops=["sign"]),
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "off the curve"},
        {"kty": "EC", "crv": "P-521", "kid": "other curve"},
        public("ES256", "good"),
        7,
    ]
    found = keyset.parse(json.dumps({"keys": keys}).encode(), "here")
    assert [(key.kid, key.algorithm) for key in found] == [("good", "ES256")]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"keys": 1}', '{"keys": []}', '{"keys": [{"kty": "oct"}]}', "[" * 9999]
)
def test_what_is_no_set_of_keys(text: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(keyset.KeysError, match="keys"):
        keyset.Keys(str(path))
