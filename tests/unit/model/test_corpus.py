"""Broken models with what is said of them, good ones with what they are: each line exactly as `gluon model check` has it."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gluon import errors
from gluon.model import describe, loader

HERE = Path(__file__).parent
GOOD = sorted((HERE / "good").glob("*.yaml"))
BROKEN = sorted((HERE / "broken").glob("*.yaml"))

Golden = Callable[[str, str], None]


def golden_name(path: Path, suffix: str) -> str:
    """The golden file beside a model, as the fixture names files."""
    return os.path.relpath(path.with_suffix(suffix), HERE.parents[1] / "golden")


@pytest.mark.parametrize("path", BROKEN, ids=lambda p: p.stem)
def test_a_broken_model_is_told_what_is_wrong(path: Path, golden: Golden) -> None:
    with pytest.raises(errors.ModelError) as raised:
        loader.load([path], shape=True)
    lines = [
        re.sub(r"/[^ ]*/(?=[^/ ]+/[^/ ]+\.yaml)", "", str(p).replace(f"{path.parent}/", ""))
        for p in raised.value.problems
    ]
    golden(golden_name(path, ".txt"), "\n".join(lines) + "\n")


def test_the_corpus_is_large() -> None:
    told = {
        line.split(": ", 1)[1]
        for path in BROKEN
        for line in path.with_suffix(".txt").read_text().splitlines()
    }
    assert len(BROKEN) >= 80
    assert len(told) >= 200


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.stem)
def test_a_good_model_is_what_it_says(path: Path, golden: Golden) -> None:
    (model,) = loader.load([path], shape=True)
    text = json.dumps(describe.describe(model), indent=2, ensure_ascii=False) + "\n"
    golden(golden_name(path, ".json"), text)


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.stem)
def test_a_good_model_loads_again_from_its_dump(path: Path, tmp_path: Path) -> None:
    (model,) = loader.load([path], shape=True)
    (tmp_path / "dump.yaml").write_text(describe.dump(model), encoding="utf-8")
    (again,) = loader.load([tmp_path], shape=True)
    assert again.digest == model.digest
