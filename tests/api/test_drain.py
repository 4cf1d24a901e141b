"""SIGTERM: not ready at once, so that balancers notice, served as long as was asked for, and then ended in good order."""

import os
import signal
from pathlib import Path

import pytest

from gluon.testing.process import alive, wait_until
from gluon.testing.product import GluonServer
from tests.api.conftest import V1


@pytest.mark.parametrize("verb", ["server", "up"])
def test_it_serves_on_while_it_is_not_ready(tmp_path: Path, verb: str) -> None:
    settings = tmp_path / "gluon.toml"
    settings.write_text("[api]\ndrain_seconds = 5.0\n")
    with GluonServer(verb, "--config", str(settings), "--data", str(tmp_path / "data")) as server:
        pid = server.daemon.pid
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: server.request("GET", "/readyz")[0] == 503, "not ready")
        assert server.request("GET", "/readyz")[1]["checks"]["stopping"]
        assert server.request("GET", f"{V1}/ports")[0] == 200
        assert server.request("GET", "/healthz")[0] == 200
        wait_until(lambda: not alive(pid), "its end")
        assert server.daemon.returncode == 0
