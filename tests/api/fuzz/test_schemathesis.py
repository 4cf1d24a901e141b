"""Schemathesis asks a server whatever its OpenAPI document allows, and some things that it does not: all checks, all phases.

Three models share the time, with `--long` what is no model's as well: 3 minutes, 30 with `--long`, or `GLUON_FUZZ_SECONDS`; a third as a member of a
project who also names what is another's, then as an admin. It gives way to the tests beside it, as it takes its time in any case; with
`--long` it does not. The order of requests is that of a seed, `GLUON_FUZZ_SEED`, so that a
finding can be had again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

import gluon
from gluon.model import loader
from gluon.testing.product import GluonServer
from tests.api.fuzz.foreign import ADMIN, MEMBER, Foreign, settings

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CATALOG = Path(gluon.__file__).parent / "catalog"
MODELS = {
    "net-l3vpn/v2.0": [CATALOG / "net-l3vpn-2.0"],
    "net-l2/v2.0": [CATALOG / "net-l2"],
    "rich/v2.0": [HERE / "rich" / "model", HERE / "rich" / "old"],
}
OWN = (
    *("--exclude-path", "/gluon/v1/watch"),
    *("--exclude-operation-id", "gluon-load", "--exclude-operation-id", "gluon-replace"),
    *("--exclude-checks", "positive_data_acceptance"),
)
"""A watch is a stream without an end, and a model is read by a process of its own, which takes longer than all the rest: both have tests
of their own. Who may do what, which protons there are and what a change set means is in no schema of a request."""
SEED = os.environ.get("GLUON_FUZZ_SEED", "1")
SHORT = 300
"""Seconds that are one of many tests: more are all that runs."""
LEAST = 60
"""Seconds that are worth beginning again."""
SEEDS = 1000
"""How many runs with a first seed of their own there are at most, so that no two share any."""
SHOWN = 12_000
"""Characters of what is told of a failure: its end has the sum, its beginning the first findings."""


@pytest.mark.parametrize("proton", MODELS)
def test_nothing_is_found(proton: str, pytestconfig: pytest.Config, tmp_path: Path) -> None:
    models = [word for path in MODELS[proton] for word in ("--model", str(path))]
    env = {"PYTHONPATH": str(HERE / "rich" / "packages")}
    known = next(m for m in loader.load(MODELS[proton]) if f"{m.name}/v{m.version}" == proton)
    with GluonServer("up", "--no-shims", "--config", str(settings(tmp_path)), *models, env=env) as server:
        url = f"{server.url}/gluon/v1/protons/{proton}/openapi.json"
        foreign = Foreign(server, known)
        where = {"GLUON_FUZZ_FOREIGN": str(foreign.write(tmp_path / "foreign.json"))}
        asked = Asked(url, tmp_path, pytestconfig)
        found = {"member": asked.by(MEMBER, 1 / 3, **where)}
        foreign.check()
        found["admin"] = asked.by(ADMIN, 2 / 3)
        said = server.daemon.said(lines=100_000)
    judge(found, said)


@pytest.mark.long("its share of half an hour, where it still finds what a document says too strictly")
def test_nothing_is_found_in_what_is_no_models(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    with GluonServer("up", "--no-shims", "--config", str(settings(tmp_path))) as server:
        asked = Asked(f"{server.url}/gluon/v1/openapi.json", tmp_path, pytestconfig, *OWN)
        found = {"member": asked.by(MEMBER, 1 / 3), "admin": asked.by(ADMIN, 2 / 3)}
        said = server.daemon.said(lines=100_000)
    judge(found, said)


class Asked:
    """What there is to ask: a document at a URL, `more` of the arguments of schemathesis."""

    def __init__(self, url: str, folder: Path, config: pytest.Config, *more: str) -> None:
        self._url, self._folder, self._more = url, folder, more
        self._shares = len(MODELS) + bool(config.getoption("--long"))
        self._whole = int(
            os.environ.get("GLUON_FUZZ_SECONDS", "1800" if config.getoption("--long") else "180")
        )

    def by(self, token: str, part: float, **env: str) -> subprocess.CompletedProcess[str]:
        """What schemathesis found in this part of our share of the time. It stops when it has tried as much as it wants to: then it
        begins again with another seed."""
        seconds = round(self._whole // self._shares * part)
        end, seed = time.monotonic() + seconds, int(SEED)
        done = self._once(token, seconds, seed, env)
        while done.returncode == 0 and (left := round(end - time.monotonic())) > LEAST:
            seed += SEEDS
            done = self._once(token, left, seed, env)
        return done

    def _once(
        self, token: str, seconds: int, seed: int, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        command = ["nice", "-n", "10"] if self._whole < SHORT else []
        command += [
            str(Path(sys.executable).parent / "st"),
            "--config-file",
            str(HERE / "schemathesis.toml"),
            "run",
        ]
        command += [self._url, "--header", f"X-Auth-Token: {token}", "--checks", "all", *self._more]
        command += ["--max-time", str(seconds), "--seed", str(seed), "--continue-on-failure"]
        command += ["--no-color", "--generation-database", "none", "--warnings", "off"]
        command += ["--suppress-health-check", "all"]  # on a busy machine it is slow to make requests up
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
            timeout=seconds + 600,
        )


def judge(found: Mapping[str, subprocess.CompletedProcess[str]], said: str) -> None:
    """Nobody found anything; `said`: the log of the server."""
    assert "request failed" not in said, next(line for line in said.splitlines() if "request failed" in line)
    for who, done in found.items():
        told = done.stdout if len(done.stdout) < SHOWN else f"{done.stdout[:SHOWN]}\n…\n{done.stdout[-2000:]}"
        assert done.returncode == 0, f"{who}: {' '.join(done.args)}\n{told}\n{done.stderr}"
