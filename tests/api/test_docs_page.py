"""The page of the API: nothing from elsewhere, no markup out of a model, on any screen and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gluon.api import pages
from gluon.testing.product import GluonServer
from tests.api import browser

EVIL = "<img src=x onerror=alert(1)><script src=//evil.example/x.js></script>"
MODEL = f"""
file_version: "2.0"
imports: base-2.0
info: {{name: net-evil, version: "1.0", description: "{EVIL}"}}
objects:
  Content:
    extends: BaseObject
    description: "{EVIL}"
    api: {{name: content}}
    attributes:
      find: {{type: string, length: 40, description: "{EVIL}", example: "{EVIL[:30]}", default: "</pre>{EVIL[:28]}"}}
      word: {{type: enum, values: ["javascript:alert(1)", "{EVIL[:28]}"], description: "' onclick='alert(1)"}}
"""
SHIPPED = "/docs#/net-l2/v2.0"
READY = "document.querySelectorAll('main section').length > 0"


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GluonServer]:
    folder = tmp_path_factory.mktemp("net-evil")
    (folder / "api.yaml").write_text(MODEL, encoding="utf-8")
    with GluonServer("up", "--no-shims", "--model", str(folder)) as running:
        yield running


@pytest.mark.parametrize("path", pages.PATHS)
def test_the_page_takes_nothing_from_elsewhere(server: GluonServer, path: str) -> None:
    status, headers, text = server.exchange("GET", path)
    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"""(?:src|href|url\()\s*=?\s*["']?(?:https?:|//)""", text)
    if path.endswith(".js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function", text
        )
    else:
        assert not re.search(r"<script(?! src=\"/docs/)|<style|\son\w+=|style=", text)
    assert server.exchange("HEAD", path)[0] == 200
    assert server.exchange("POST", path, {})[0] == 405


def test_a_problem_leads_to_its_code(server: GluonServer) -> None:
    accept = {"accept": "application/problem+json"}
    for path, code in (("/proton/net-l2/v2.0/ports/x", "format"), ("/nowhere", "no_such_path")):
        _, problem = server.request("GET", path, headers=accept)
        page, _, mark = problem["type"].partition("#")
        assert mark == problem["code"] == code
        assert f'id="{mark}"' in server.exchange("GET", page)[2]


needs_browser = pytest.mark.skipif(browser.PROGRAM is None, reason="no Chromium: apt-get install chromium")


@needs_browser
def test_a_person_reads_it(server: GluonServer, tmp_path: Path) -> None:
    with browser.Browser(tmp_path) as page:
        for width, height in ((1280, 900), (390, 844)):
            for scheme in ("light", "dark"):
                page.look(width, height, scheme)
                page.go(server.url + SHIPPED, READY)
                page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
                wait = "[...document.querySelectorAll('details')].every((d) => d.children.length > 1)"
                assert page.run(f"new Promise((done) => setTimeout(() => done({wait}), 50))") is True
                assert page.run("document.documentElement.scrollWidth <= innerWidth") is True
        assert page.run("document.querySelector('main').innerText.includes('curl -X POST')") is True
        reached = keyboard(page)
        assert {"SELECT", "INPUT", "A", "SUMMARY"} <= reached
        assert page.complaints() == []
        ours = {url for url in page.asked() if url.startswith(server.url)}
        assert page.asked() - ours <= {"about:blank"}


def keyboard(page: browser.Browser) -> set[str]:
    """What the tabulator reaches; the first operation opens and closes by Enter."""
    page.go(f"{page.run('location.href')}", READY)
    reached = set()
    for _ in range(30):
        page.press("Tab", 9)
        reached.add(str(page.run("document.activeElement.tagName")))
        if page.run("document.activeElement.tagName") == "SUMMARY":
            page.press("Enter", 13)
            assert page.run("document.activeElement.parentNode.open") is True
            break
    return reached


@needs_browser
def test_a_model_is_text_and_never_markup(evil: GluonServer, tmp_path: Path) -> None:
    with browser.Browser(tmp_path) as page:
        page.go(f"{evil.url}/docs#/net-evil/v1.0", READY)
        page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        page.run("new Promise((done) => setTimeout(done, 100))")
        assert page.run("document.querySelectorAll('img, iframe, [onclick], [onerror]').length") == 0
        assert page.run("document.scripts.length") == 1
        assert page.run("document.querySelector('main').innerText.includes('<script src=//evil')") is True
        assert page.complaints() == []
        assert not any("evil.example" in url for url in page.asked())


@needs_browser
def test_our_own_document_is_found_again(server: GluonServer, tmp_path: Path) -> None:
    """By its address; bodies and answers of its operations are shown, and words in backticks as code."""
    with browser.Browser(tmp_path) as page:
        page.go(f"{server.url}/docs#/gluon", READY)
        assert page.run("location.hash") == "#/gluon"
        page.run("document.getElementById('op-gluon-change').open = true")
        page.run("new Promise((done) => setTimeout(done, 50))")
        shown = str(page.run("document.getElementById('op-gluon-change').innerText"))
        assert "changes[].op" in shown and "What comes back" in shown and "`" not in shown
        assert page.complaints() == []


@needs_browser
def test_an_address_shows_what_it_names(server: GluonServer, tmp_path: Path) -> None:
    """And nothing else in its place: in a page that is open too, and with the button that leads back."""
    title = "document.querySelector('main').innerText.startsWith('{}')"
    with browser.Browser(tmp_path) as page:
        page.go(f"{server.url}/docs#/net-none/v1.0", "document.querySelector('main [role=alert]') !== null")
        assert page.run("document.querySelector('main').innerText") == (
            "net-none/v1.0 is not served here. Choose a proton above."
        )
        page.run("location.hash = '#/net-l2/v2.0'")
        page.until(title.format("net-l2 2.0"))
        assert page.run("document.getElementById('protons').selectedOptions[0].text") == "net-l2 2.0"
        choose = (
            "const s = document.getElementById('protons'); s.value = s.options[s.options.length - 1].value"
        )
        page.run(f"{{ {choose}; s.dispatchEvent(new Event('change')); }}")
        page.until("location.hash === '#/gluon' && " + title.format("Gluon"))
        page.run("history.back()")
        page.until(title.format("net-l2 2.0"))
        assert page.complaints() == []


@needs_browser
def test_what_is_looked_for_and_not_there_is_said(server: GluonServer, tmp_path: Path) -> None:
    visible = "[...document.querySelectorAll('{}')].filter((one) => one.offsetParent !== null).length"
    with browser.Browser(tmp_path) as page:
        page.go(server.url + SHIPPED, READY)
        for word, count in (("subnets", 1), ("nowhere at all", 0), ("", 4)):
            given = f"const f = document.getElementById('find'); f.value = '{word}'"
            page.run(f"{{ {given}; f.dispatchEvent(new Event('input')); }}")
            assert page.run(visible.format("main section")) == page.run(visible.format("#types li")) == count
            said = page.run("document.querySelector('main').innerText.includes('Nothing here has')")
            assert said is (count == 0)
