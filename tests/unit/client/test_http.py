"""Addresses of servers, and what is told of one that is not reached."""

import pytest

from gluon.client import http


@pytest.mark.parametrize(
    "base",
    [
        "localhost:2705",
        "127.0.0.1:2705",
        "ftp://localhost",
        "http://",
        "http://:2705",
        "http://localhost:2705/prefix",
        "http://localhost:2705/?a=b",
        "http://[::1",
    ],
)
def test_what_is_no_address(base: str) -> None:
    """It is said before anything is sent, and nothing of it is left out."""
    with pytest.raises(http.ClientError, match="is no address of a server: ") as caught:
        http.Client(base)
    assert str(caught.value).startswith(base)


def test_a_password_in_an_address_is_shown_to_nobody() -> None:
    for base in ("http://me:hidden@127.0.0.1:1", "https://:hidden@[::1]:1/", "me:hidden@127.0.0.1"):
        with pytest.raises(http.ClientError) as caught:
            http.Client(base).request("GET", "/")
        assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:1", "HTTP://127.0.0.1:1/", "https://[::1]:1", "http://é:1"]
)
def test_an_address(base: str) -> None:
    with pytest.raises(http.ClientError, match=r"^.{3,5}://.*:1/?: "):
        http.Client(base).request("GET", "/")
