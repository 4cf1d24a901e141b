"""The section `[gluon]` of neutron.conf.

Out: `read`, the options' values; the credentials are those of keystoneauth (`auth_url`, `username`, …), for what Neutron does
by itself. Without them Gluon is asked without a token, which it takes on a loopback address only.
"""

from __future__ import annotations

from typing import Any

from keystoneauth1 import loading
from oslo_config import cfg

SECTION = "gluon"
OPTIONS = [
    cfg.StrOpt(
        "url", default="http://127.0.0.1:2705", help="Where Gluon answers: its API's URL without a path."
    ),
    cfg.FloatOpt(
        "answer_timeout", default=60.0, help="Seconds that a request may take; binding a port is one."
    ),
    cfg.BoolOpt(
        "follow",
        default=True,
        help="Keep the rows of Gluon's networks and ports by a thread in each API process; one of a host works, "
        "the others stand by.",
    ),
]


def register(conf: Any = cfg.CONF) -> None:
    """May be called again."""
    conf.register_opts(OPTIONS, group=SECTION)
    loading.register_session_conf_options(conf, SECTION)
    loading.register_auth_conf_options(conf, SECTION)


def options() -> list[tuple[str, list[Any]]]:
    """For `oslo-config-generator`."""
    return [(SECTION, OPTIONS)]
