"""A tenant who means no good, on a server that knows callers by tokens: he changes nothing of others and learns nothing.

What is malformed as HTTP or JSON stands in `test_attacks`; here each request is well formed.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from gluon.testing.product import GluonServer

NETS = "/proton/net-l2/v2.0/networks"
PORTS = "/proton/net-l2/v2.0/ports"
OLD = "/proton/net-l3vpn/v1.0/ports"
VICTIM, OTHER = str(uuid.uuid4()), str(uuid.uuid4())
TOKENS = f"""
tokens:
  - {{token: token-of-the-operator, user: root, roles: [admin]}}
  - {{token: token-of-the-victim, user: vic, project: "{VICTIM}", roles: [member]}}
  - {{token: token-of-the-attacker, user: mal, project: "{OTHER}", roles: [member]}}
"""
SUBNETS = [{"cidr": "192.0.2.0/24"}]


class Site:
    """The server, asked by the one or the other."""

    def __init__(self, server: GluonServer) -> None:
        self.server = server

    def ask(
        self, who: str, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.exchange(
            method, path, body, headers={"x-auth-token": f"token-of-the-{who}", **given}
        )

    def victim(self) -> dict[str, Any]:
        """All that the victim has."""
        return {path: self.ask("victim", "GET", path)[2] for path in (NETS, PORTS, OLD)}

    def said(self) -> list[str]:
        return self.server.daemon.said(lines=1_000_000).splitlines()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("attacker")
    (folder / "tokens").write_text(TOKENS)
    (folder / "tokens").chmod(0o600)
    (folder / "gluon.toml").write_text(
        f'[identity]\nmethods = ["tokens"]\n[tokens]\nfile = "{folder}/tokens"\n[logs]\naccess = true\n'
    )
    with GluonServer("server", "--config", str(folder / "gluon.toml")) as server:
        yield Site(server)


@pytest.fixture(scope="module")
def network(site: Site) -> str:
    """The victim's."""
    status, _, made = site.ask("victim", "POST", NETS, {"name": "secret-plan", "subnets": SUBNETS})
    assert status == 201, made
    return str(made["id"])


@pytest.fixture
def unharmed(site: Site, network: str) -> Iterator[None]:
    """Whatever the test sends: the victim has what he had, and the server made no mistake of its own."""
    before = site.victim()
    yield
    assert site.victim() == before
    assert not [line for line in site.said() if "request failed" in line or "Traceback" in line]


# -- words that mean something to a database, a log or a page -----------------------------------

SQL = (
    "' OR '1'='1",
    "'; DROP TABLE gluon_journal; --",
    '" OR ""="',
    "x') UNION SELECT 1,2,3 --",
    "%",
    "_",
    "\\",
    "\\' OR 1=1 --",
    "*",
    "a%27b",
    "1) OR (1=1",
    "$1",
    "?",
    ":name",
    "%s%s%s",
    "{0}",
    "${7*7}",
)


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("text", SQL)
def test_sql_is_text(site: Site, text: str) -> None:
    """As a name it is kept as it is; a filter finds that alone; elsewhere it is refused."""
    status, _, made = site.ask("attacker", "POST", NETS, {"name": text, "subnets": SUBNETS})
    assert (status, made["name"]) == (201, text)
    word = quote(text, safe="")
    listed = f"name__in={word}" if "," not in text else f"name={word}"  # a comma parts values
    for filtered in (f"name={word}", f"name__contains={word}", f"name__startswith={word}", listed):
        status, _, found = site.ask("attacker", "GET", f"{NETS}?{filtered}")
        names = {one["name"] for one in found["networks"]}
        assert status == 200 and names == {text} | {n for n in names if text in n}
    for argument in (
        "sort_key",
        "sort_dir",
        "fields",
        "embed",
        "limit",
        "marker",
        "count",
        "name__like",
        "id",
    ):
        status, _, refused = site.ask("attacker", "GET", f"{NETS}?{argument}={word}")
        assert status == 400, (argument, refused)
        told = json.dumps(refused).replace(json.dumps(text)[1:-1], "").lower()
        assert not any(mark in told for mark in ("sqlite", "syntax error", "traceback"))
    for path in (
        f"{NETS}/{word}",
        f"{NETS}?{word}=1",
        f"{NETS}/{word}/status",
        f"/proton/net-l2/v2.0/{word}",
    ):
        assert site.ask("attacker", "GET", path)[0] in {400, 404}
    assert site.ask("attacker", "DELETE", f"{NETS}/{made['id']}")[0] == 204


FORGED = '{"event": "forged", "level": "error"}'
BREAKS = ("\n", "\r\n", "\r", "\x0b", "\x1b[2J\x1b[31m", "\u2028", "\x85", "\u202e")


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("sign", BREAKS, ids=[repr(b) for b in BREAKS])
def test_no_line_of_the_log_is_the_attackers(site: Site, sign: str) -> None:
    text = f"x{sign}{FORGED}{sign}"
    word = quote(text, safe="")
    before = len(site.said())
    site.ask("attacker", "GET", f"{NETS}/{word}")
    site.ask("attacker", "GET", f"/{word}")
    site.ask("attacker", "GET", f"{NETS}?name={word}")
    site.ask("attacker", "GET", f"{NETS}?{word}=1")
    _, _, made = site.ask("attacker", "POST", NETS, {"name": text[:60], "subnets": SUBNETS})
    site.ask("attacker", "PUT", f"{NETS}/{made.get('id', 'x')}", {"name": text[:60]})
    latin = text.encode("utf-8").decode("latin-1").replace("\r", " ").replace("\n", " ")
    for header in ("user_agent", "x_openstack_request_id", "idempotency_key", "if_match"):
        site.ask("attacker", "DELETE", f"{NETS}/{uuid.uuid4()}", **{header: latin})
    if made.get("id"):
        site.ask("attacker", "DELETE", f"{NETS}/{made['id']}")
    lines = site.said()[before:]
    assert lines
    for line in lines:
        assert line.isprintable() or line.isascii(), line
        assert "\x1b" not in line
        told = json.loads(line)
        assert told["event"] != "forged"


# -- paths and places -----------------------------------------------------------------------------

TRICKS = (
    "..", "%2e%2e", "%252e%252e", "..%2f..", "%2F", "%5c..%5c", ".", "%00", "a%00b", "//", "/./", ";x=1", "%0d%0aX-Evil:1",
    "..;/", "%u002e", "a" * 2000, "%20", "networks%2f", "%e2%80%ae", "{id}", "etc%2fpasswd",
)  # fmt: skip


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("trick", TRICKS)
def test_a_path_leads_where_it_says(site: Site, network: str, trick: str) -> None:
    bases = (NETS, "/proton/net-l2", "/docs", "/gluon/v1", "/gluon/v1/protons", "/proton")
    for path in (
        *(f"{base}/{trick}" for base in bases),
        f"{NETS}/{trick}/{network}",
        f"{NETS}/{network}/{trick}",
    ):
        for method in ("GET", "DELETE", "PUT"):
            body = {"name": "taken"} if method == "PUT" else None
            status, headers, answer = site.ask("attacker", method, path, body)
            assert status in {400, 401, 403, 404, 405, 414} or (status == 200 and method == "GET"), (
                path,
                answer,
            )
            assert "x-evil" not in headers and "location" not in headers
            assert "secret-plan" not in json.dumps(answer)
            assert "root:" not in json.dumps(answer)


@pytest.mark.usefixtures("unharmed")
def test_nothing_sends_a_browser_elsewhere_or_lets_another_page_read(site: Site) -> None:
    targets = ("/", "//evil.example", "//evil.example/..", "/\\evil.example", "/docs//evil.example", "/docs?next=//evil.example",
               f"{NETS}?next=http://evil.example", "/proton/", f"{NETS}/")  # fmt: skip
    for path in targets:
        for method in ("GET", "HEAD", "OPTIONS"):
            status, headers, _ = site.ask(
                "attacker", method, path, origin="http://evil.example", x_forwarded_host="evil.example"
            )
            assert not 300 <= status < 400, path
            assert not {"location", "refresh", "set-cookie"} & headers.keys()
            assert not [name for name in headers if name.startswith("access-control-")]
    wanted = {"access_control_request_method": "DELETE", "access_control_request_headers": "x-auth-token"}
    status, headers, _ = site.ask("attacker", "OPTIONS", NETS, origin="http://evil.example", **wanted)
    assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
     "application/json-patch+json", "application/jsonx", "text/plain; application/json", "image/png, application/json", ""],
)  # fmt: skip
def test_only_json_is_json(site: Site, kind: str) -> None:
    body = {"name": "x", "subnets": SUBNETS}
    for method, path in (
        ("POST", NETS),
        ("PUT", f"{NETS}/{uuid.uuid4()}"),
        ("PATCH", f"{NETS}/{uuid.uuid4()}"),
    ):
        status, _, answer = site.ask("attacker", method, path, body, content_type=kind)
        assert (status, answer["code"]) == (415, "unsupported_media_type"), (method, answer)


# -- the other project ------------------------------------------------------------------------------


@pytest.mark.usefixtures("unharmed")
def test_a_foreign_project_in_a_body_is_refused(site: Site, network: str) -> None:
    _, _, own = site.ask("attacker", "POST", NETS, {"name": "own", "subnets": SUBNETS})
    for project in (VICTIM, VICTIM.upper(), VICTIM.replace("-", ""), f" {VICTIM}", [VICTIM], {"id": VICTIM}):
        for method, path in (
            ("POST", NETS),
            ("PUT", f"{NETS}/{own['id']}"),
            ("PATCH", f"{NETS}/{own['id']}"),
        ):
            for query in ("", "?dry_run=true"):
                body = {"name": "x", "subnets": SUBNETS, "project_id": project}
                status, _, answer = site.ask("attacker", method, path + query, body)
                assert status in {400, 403}, (method, project, answer)
    several = {"networks": [{"name": "x", "subnets": SUBNETS}, {"name": "y", "project_id": VICTIM}]}
    assert site.ask("attacker", "POST", NETS, several)[0] in {400, 403}
    changes = [
        {"op": "create", "api": "net-l2", "type": "Network", "body": {"name": "x", "project_id": VICTIM}}
    ]
    assert site.ask("attacker", "POST", "/gluon/v1/changesets", {"changes": changes})[0] in {400, 403}
    assert site.ask("attacker", "GET", f"{NETS}/{own['id']}")[2] == own
    assert site.ask("attacker", "DELETE", f"{NETS}/{own['id']}")[0] == 204


@pytest.mark.usefixtures("unharmed")
def test_lists_know_nothing_of_others(site: Site, network: str) -> None:
    one = f"project_id={VICTIM}"
    for query in (one, f"id={network}", f"id__in={network}", "name=secret-plan", "name__startswith=secret", f"{one}&count=true",
                  "name=secret-plan&count=true&limit=0", f"project_id__ne={OTHER}", "name__ne=x&name=secret-plan", f"project_id__in={VICTIM},{OTHER}&name=secret-plan",
                  f"project_id={OTHER}&{one}&name=secret-plan"):  # fmt: skip
        status, _, found = site.ask("attacker", "GET", f"{NETS}?{query}")
        assert status == 200, (query, found)
        assert found["networks"] == [] and not found.get("count"), query
    answers = [site.ask("attacker", "GET", f"{NETS}?marker={key}") for key in (network, str(uuid.uuid4()))]
    assert answers[0][0] == answers[1][0] == 400
    assert "secret-plan" not in json.dumps(answers)


@pytest.mark.usefixtures("unharmed")
def test_headers_make_nobody_another(site: Site, network: str) -> None:
    for name, value in (
        ("x_project_id", VICTIM), ("x_tenant_id", VICTIM), ("x_roles", "admin"), ("x_user_id", "root"), ("x_is_admin_project", "True"),
        ("x_identity_status", "Confirmed"), ("x_http_method_override", "DELETE"), ("x_original_url", f"{NETS}/{network}"),
        ("x_rewrite_url", f"{NETS}/{network}"), ("x_service_token", "token-of-the-attacker"), ("x_forwarded_user", "root"),
        ("authorization", "Bearer token-of-the-attacker"), ("cookie", "token=token-of-the-operator"),
    ):  # fmt: skip
        status, _, found = site.ask("attacker", "GET", NETS, **{name: value})
        assert status in {200, 400, 401}, (name, found)
        assert "secret-plan" not in json.dumps(found), name
        assert site.ask("attacker", "GET", f"{NETS}/{network}", **{name: value})[0] in {400, 401, 404}
        assert site.ask("attacker", "POST", "/gluon/v1/resync", {}, **{name: value})[0] in {400, 401, 403}


@pytest.mark.usefixtures("unharmed")
def test_a_foreign_object_takes_as_long_as_a_missing_one(site: Site, network: str) -> None:
    """Both are answered at ticks, which are much longer than what finding out takes (`test_evened`). Asked for by turns, so that
    whatever else the machine does meets both."""
    keys = {"foreign": network, "missing": str(uuid.uuid4())}
    headers = {"x-auth-token": "token-of-the-attacker", "content-type": "application/json"}
    with closing(http.client.HTTPConnection("127.0.0.1", site.server.port, timeout=60)) as line:
        compare(line, keys, headers)


def compare(line: http.client.HTTPConnection, keys: dict[str, str], headers: dict[str, str]) -> None:
    for method, body in (("GET", None), ("PUT", '{"name": "x"}'), ("DELETE", None)):
        longer: list[float] = []
        missing: list[float] = []
        # more of them where there is much noise
        while len(longer) < 60 or (len(longer) < 600 and not alike(longer, missing)):
            taken: dict[str, float] = {}
            for which in random.sample(sorted(keys), 2):
                began = time.perf_counter()
                line.request(method, f"{NETS}/{keys[which]}", body, headers)
                answer = line.getresponse()
                answer.read()
                taken[which] = time.perf_counter() - began
                assert answer.status == 404
            longer.append(taken["foreign"] - taken["missing"])
            missing.append(taken["missing"])
        more, usual = statistics.median(longer), statistics.median(missing)
        assert usual > 0.002, f"{method}: answered at once, after {usual * 1e6:.0f} µs"
        assert alike(longer, missing), f"{method}: {more * 1e6:.0f} µs more than {usual * 1e6:.0f}"


def alike(longer: list[float], missing: list[float]) -> bool:
    return abs(statistics.median(longer)) < 0.25 * statistics.median(missing)
