"""A server of a proton with another version of its model beside the stored one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gluon.testing.product import GluonServer


@contextmanager
def both(folder: Path, old: str, new: str) -> Iterator[GluonServer]:
    """`new` is stored; it says how `old` is made of it."""
    for name, text in (("one", old), ("two", new)):
        (folder / name).mkdir()
        (folder / name / "api.yaml").write_text(text)
    with GluonServer("up", "--no-shims", "--model", str(folder)) as running:
        yield running
