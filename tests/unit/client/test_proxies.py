"""Which servers are reached by the proxy that the environment names, and how."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from gluon.client import http, login, proxies

P = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("url", "environment", "used"),
    [
        ("http://a.example", {}, ""),
        ("http://a.example", {"http_proxy": P}, P),
        ("http://a.example", {"HTTP_PROXY": P}, P),
        ("http://a.example", {"HTTP_PROXY": P, "http_proxy": ""}, ""),
        ("https://a.example", {"http_proxy": P}, ""),
        ("https://a.example", {"all_proxy": P}, P),
        ("http://127.0.0.1:2705", {"http_proxy": P}, ""),
        ("http://[::1]:2705", {"http_proxy": P}, ""),
        ("http://localhost:2705", {"all_proxy": P}, ""),
        ("http://a.example", {"http_proxy": P, "no_proxy": "b.example, a.example"}, ""),
        ("http://a.example", {"http_proxy": P, "NO_PROXY": ".example"}, ""),
        ("http://a.example", {"http_proxy": P, "no_proxy": "*"}, ""),
        ("http://a.example", {"http_proxy": P, "no_proxy": "ple"}, P),
        ("http://a.example:81", {"http_proxy": P, "no_proxy": "a.example:80"}, P),
        ("http://a.example", {"http_proxy": P, "no_proxy": "a.example:80"}, ""),
        ("http://10.1.2.3", {"http_proxy": P, "no_proxy": "10.0.0.0/8"}, ""),
        ("http://10.1.2.3", {"http_proxy": P, "no_proxy": "10.1.2.4"}, P),
        ("http://[2001:db8::1]", {"http_proxy": P, "no_proxy": "2001:db8::/32"}, ""),
    ],
)
def test_which_servers_are_reached_by_the_proxy(url: str, environment: Mapping[str, str], used: str) -> None:
    assert proxies.proxy_of(urlsplit(url), environment) == used


@pytest.mark.parametrize("said", ["socks5://127.0.0.1:1", "https://proxy.example", "http://"])
def test_a_proxy_of_another_kind_is_said_before_anything_is_sent(said: str) -> None:
    with pytest.raises(http.ClientError, match="only http://HOST:PORT will do"):
        http.Client("http://a.example", environment={"all_proxy": said})


class Proxy(ThreadingHTTPServer):
    """It answers itself, whatever it is asked for; `asked` has the requests' first lines and credentials."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        self.server.asked.append((self.requestline, self.headers["proxy-authorization"]))
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200 if self.command != "CONNECT" else 403)
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815 - as the standard library calls it
    do_CONNECT = do_GET  # noqa: N815 - as before

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def proxying() -> Iterator[Proxy]:
    with Proxy() as proxy:
        serving = threading.Thread(target=proxy.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()


def test_it_is_asked_for_the_whole_url_and_told_who_asks() -> None:
    """The name is one that nobody here knows."""
    with proxying() as proxy:
        said = {"http_proxy": f"http://me:p%40ss@{proxy.url}"}
        with http.Client("http://gluon.invalid:2705", environment=said) as client:
            assert client.request("GET", "/gluon/v1/protons?a=b") == {}
        ((line, who),) = proxy.asked
    assert line == "GET http://gluon.invalid:2705/gluon/v1/protons?a=b HTTP/1.1"
    assert who == f"Basic {base64.b64encode(b'me:p@ss').decode()}"


def test_what_is_encrypted_goes_through_a_tunnel() -> None:
    with proxying() as proxy:
        with (
            http.Client("https://gluon.invalid", environment={"HTTPS_PROXY": proxy.url}) as client,
            pytest.raises(http.ClientError, match=f"gluon.invalid by the proxy {proxy.url}: .*403"),
        ):
            client.request("GET", "/", headers={"x-auth-token": "secret"})
        assert [line for line, _ in proxy.asked] == ["CONNECT gluon.invalid:443 HTTP/1.0"]


def test_keystone_is_reached_by_it_too() -> None:
    with proxying() as proxy:
        said = {
            "http_proxy": proxy.url, "OS_AUTH_URL": "http://keystone.invalid:5000/v3", "OS_USERNAME": "u",
            "OS_PASSWORD": "p", "OS_PROJECT_NAME": "p", "OS_USER_DOMAIN_ID": "d", "OS_PROJECT_DOMAIN_ID": "d",
        }  # fmt: skip
        with pytest.raises(http.ClientError, match="gives no token: status 200"):
            login.Login(said).get()
        assert proxy.asked[0][0] == "POST http://keystone.invalid:5000/v3/auth/tokens HTTP/1.1"
