"""Schemathesis asks a server whatever its OpenAPI document allows, and some things that it does not: all checks, all phases.

Three models share the time: 3 minutes, 30 with `--long`, or `GLUON_FUZZ_SECONDS`; a third as a member of a project who
also names what is another's, then as an admin. It gives way to the tests beside it, as it takes its time in any case; with
`--long` it does not. The order of requests is that of a seed, `GLUON_FUZZ_SEED`, so that a
finding can be had again.
"""

from __future__ import annotations

import os
import subprocess
import sys
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
SHORT = 300
"""Seconds of a run that is one of many tests."""
SHOWN = 12_000
"""Characters of what is told of a failure: its end has the sum, its beginning the first findings."""


@pytest.mark.parametrize("proton", MODELS)
def test_nothing_is_found(proton: str, pytestconfig: pytest.Config, tmp_path: Path) -> None:
    whole = 1800 if pytestconfig.getoption("--long") else 180
    seconds = int(os.environ.get("GLUON_FUZZ_SECONDS", whole)) // len(MODELS)
    seed = os.environ.get("GLUON_FUZZ_SEED", "1")
    models = [word for path in MODELS[proton] for word in ("--model", str(path))]
    env = {"PYTHONPATH": str(HERE / "rich" / "packages")}
    known = next(m for m in loader.load(MODELS[proton]) if f"{m.name}/v{m.version}" == proton)
    with GluonServer("up", "--no-shims", "--config", str(settings(tmp_path)), *models, env=env) as server:
        url = f"{server.url}/gluon/v1/protons/{proton}/openapi.json"
        foreign = Foreign(server, known)
        where = {"GLUON_FUZZ_FOREIGN": str(foreign.write(tmp_path / "foreign.json"))}
        by_member = ask(url, MEMBER, seconds // 3, seed, tmp_path, **where)
        foreign.check()
        by_admin = ask(url, ADMIN, seconds - seconds // 3, seed, tmp_path)
        said = server.daemon.said(lines=100_000)
    assert "request failed" not in said, next(line for line in said.splitlines() if "request failed" in line)
    for who, done in (("admin", by_admin), ("member", by_member)):
        told = done.stdout if len(done.stdout) < SHOWN else f"{done.stdout[:SHOWN]}\n…\n{done.stdout[-2000:]}"
        assert done.returncode == 0, (
            f"{who}: GLUON_FUZZ_SEED={seed} GLUON_FUZZ_SECONDS={whole}\n{told}\n{done.stderr}"
        )


def ask(
    url: str, token: str, seconds: int, seed: str, folder: Path, **env: str
) -> subprocess.CompletedProcess[str]:
    command = ["nice", "-n", "10"] if seconds < SHORT else []
    command += [
        str(Path(sys.executable).parent / "st"),
        "--config-file",
        str(HERE / "schemathesis.toml"),
        "run",
        url,
        "--header",
        f"X-Auth-Token: {token}",
    ]
    command += ["--checks", "all", "--max-time", str(seconds), "--seed", seed, "--continue-on-failure"]
    command += ["--no-color", "--generation-database", "none", "--warnings", "off"]
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        timeout=seconds + 300,
    )
