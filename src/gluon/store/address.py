"""Database URLs: which driver, and what it is given.

In: `sqlite:///path`, `postgresql://…`, `mysql://…`, `mariadb://…`, also as OpenStack writes them
(`mysql+pymysql://…`). Out: `Address`. Called by `store.open`.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from gluon.errors import WrongSetting

_DIALECTS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`url` has the plain scheme; `path` is SQLite's file, empty for one in a temporary folder."""

    dialect: str
    url: str
    path: str = ""
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    database: str = ""
    options: tuple[tuple[str, str], ...] = ()


def parse(url: str) -> Address:
    """Raises `WrongSetting` for a URL that names no database we know."""
    scheme, separator, rest = url.partition("://")
    dialect = _DIALECTS.get(scheme.partition("+")[0].lower())
    if not separator or dialect is None:
        raise WrongSetting(
            f"the database URL begins with {scheme[:20]!r}; it must be sqlite:///path, postgresql://… or mysql://…"
        )
    if dialect == "sqlite":
        if rest and not rest.startswith("/"):
            raise WrongSetting(
                "a SQLite URL has three slashes and a path: sqlite:///relative or sqlite:////absolute"
            )
        return Address(dialect=dialect, url=url, path=unquote(rest[1:].partition("?")[0]))
    plain = f"{dialect}://{rest}"
    try:
        parts = urlsplit(plain)
    except ValueError as error:  # brackets that hold no IPv6 address
        raise WrongSetting("the database URL has no valid host") from error
    try:
        port = parts.port or 0
    except ValueError as error:
        raise WrongSetting("the database URL has no valid port") from error
    return Address(
        dialect=dialect,
        url=plain,
        host=parts.hostname or "",
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.removeprefix("/")),
        options=tuple(parse_qsl(parts.query)),
    )
