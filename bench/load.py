"""Load over HTTP: wrk for as fast as it goes, with scripts written to a temporary folder.

In: a URL, a Lua script, how many clients. Out: `Load`: answers a second, latencies.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gluon.testing.process import run

CLIENTS = 64
PROJECT = "7a1f7d4e-0e13-4d5c-9f24-e0f6d9b6f3a1"
PORTS = "/proton/net-l3vpn/v1.0/ports"
PORT = {
    "tenant_id": PROJECT,
    "name": "vm-17-eth0",
    "mac_address": "fa:16:3e:4b:5a:01",
    "admin_state_up": True,
    "status": "DOWN",
    "vnic_type": "normal",
    "mtu": 1500,
    "vlan_transparency": False,
    "profile": "{}",
    "device_owner": "compute:nova",
}

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What wrk saw. Latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    failed: int = 0

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


class WrkFailed(Exception):
    """The load did not arrive as it was meant."""


def create_script() -> str:
    """Every request makes a port, with an id that the server chooses."""
    return post_script(json.dumps(PORT))


def post_script(body: str) -> str:
    """Every request posts this JSON."""
    return f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [[{body}]]\n'


def unlike_script() -> str:
    """The same, and no two requests have the same head."""
    return create_script() + (
        "local n = 0\n"
        "function request()\n"
        "  n = n + 1\n"
        '  wrk.headers["X-Number"] = n\n'
        "  return wrk.format()\n"
        "end\n"
    )


def get_script(ids: Sequence[str]) -> str:
    """Every request reads one of the ports, at random."""
    listed = ", ".join(f'"{one}"' for one in ids)
    return (
        f"local ids = {{{listed}}}\n"
        "function request()\n"
        f'  return wrk.format("GET", "{PORTS}/" .. ids[math.random(#ids)])\n'
        "end\n"
    )


def drive(
    url: str, script: str, seconds: float, *, clients: int = CLIENTS, path: str = PORTS, strict: bool = True
) -> Load:
    """Run wrk. Raises `WrkFailed` where an answer was not 2xx or a connection broke; not `strict`: it counts them."""
    with tempfile.TemporaryDirectory(prefix="gluon-bench-") as folder:
        file = Path(folder) / "load.lua"
        file.write_text(script, encoding="utf-8")
        said = run(
            [
                *(
                    "wrk",
                    "-t1",
                    f"-c{clients}",
                    f"-d{max(1, round(seconds))}s",
                    "--latency",
                    "--timeout",
                    "10s",
                ),
                *("-s", str(file), f"{url}{path}"),
            ],
            limit=seconds + 60,
        )
    done = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", said)
    if done is None:
        raise WrkFailed(said)
    broken = re.findall(r"(?:Non-2xx or 3xx responses|Socket errors).*", said)
    if broken and strict:
        raise WrkFailed("; ".join(broken))
    return Load(
        requests=int(done[1]),
        seconds=float(done[2]) * _UNITS[done[3]] / 1e3,
        p50=_latency(said, 50),
        p99=_latency(said, 99),
        failed=sum(int(n) for line in broken for n in re.findall(r"\d+", line.partition(":")[2])),
    )


def _latency(said: str, share: int) -> float:
    found = re.search(rf"{share}%\s+([\d.]+)(us|ms|s|m)", said)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0
