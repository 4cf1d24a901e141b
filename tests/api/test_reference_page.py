"""The scripts of each reference page do what they say, on a server of just that model, and leave nothing behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gluon.export import markdown, paths, skeleton
from gluon.model import loader, types
from gluon.testing.product import GluonServer

SCRIPT = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def skeleton_model(tmp_path: Path) -> types.Model:
    (tmp_path / "api.yaml").write_text(skeleton.text("net-mine"), encoding="utf-8")
    (model,) = loader.load([tmp_path / "api.yaml"], shape=True)
    return model


def try_page(model: types.Model, path: str) -> None:
    with GluonServer("up", "--model", path) as server:
        scripts = SCRIPT.findall(markdown.page(model))
        assert len(scripts) == 2
        for script in scripts:
            run(server, script)
            for object_type in model.types.values():
                status, answer = server.request("GET", f"{paths.base(model)}/{object_type.plural}")
                assert (status, answer) == (200, {object_type.plural: []})


def run(server: GluonServer, script: str) -> None:
    done = subprocess.run(
        ["bash", "-e", "-c", script.replace(":2705", f":{server.port}")],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "OS_PROTON_PORT": str(server.port),
        },
        capture_output=True,
        text=True,
        timeout=600,  # some hundred commands, on a machine with much else to do
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


MODELS = (*loader.load_shipped(), *loader.load([Path("tests/api/models")]))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.name}-{m.version}")
def test_the_page_of_a_model(model: types.Model) -> None:
    try_page(model, model.source)


def test_the_page_of_a_new_model(skeleton_model: types.Model) -> None:
    try_page(skeleton_model, skeleton_model.source)
