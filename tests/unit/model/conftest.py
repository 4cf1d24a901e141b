"""Models from text, and the shipped ones."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gluon import errors
from gluon.model import find, loader
from gluon.model.types import Model

DATA = Path(__file__).parents[2] / "data" / "models"

Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files (path below the folder → text) and return the folder."""

    def write_files(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write_files


@pytest.fixture
def load(write: Write) -> Callable[..., Model]:
    """Load the one model of a text."""

    def load_text(text: str, *, shape: bool = False) -> Model:
        (model,) = loader.load([write({"api.yaml": text}) / "api.yaml"], shape=shape)
        return model

    return load_text


@pytest.fixture
def problems(write: Write) -> Callable[..., list[str]]:
    """Load a text that is wrong: its problems as `line:column: message (hint)`."""

    def problems_of(text: str, *, shape: bool = False) -> list[str]:
        path = write({"api.yaml": text}) / "api.yaml"
        with pytest.raises(errors.ModelError) as raised:
            loader.load([path], shape=shape)
        return [str(p).removeprefix(f"{path}:") for p in raised.value.problems]

    return problems_of


@pytest.fixture(scope="session")
def l3vpn() -> Model:
    models = loader.load_catalog()
    return next(m for m in models if m.name == "net-l3vpn")


@pytest.fixture(scope="session")
def oddities() -> Mapping[str, Model]:
    """Models with the oddities of 1.0, by name: one that is shipped, and that of the tests' data."""
    return {m.name: m for m in loader.load([find.CATALOG / "ietf-sfc", DATA])}
