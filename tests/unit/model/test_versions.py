"""What a model says of its other versions: mistakes with place and cure, and the way through `dump`."""

from pathlib import Path

import pytest

from gluon import errors
from gluon.evolve import stored
from gluon.model import describe, loader

OLD = """
file_version: "2.0"
info: {name: net-x, version: "1.0"}
objects:
  Thing:
    api: {name: thing}
    attributes:
      id: {type: uuid, primary: true}
      mode: {type: enum, values: [a, b]}
      text: {type: string}
"""
NEW = """
file_version: "2.0"
info: {name: net-x, version: "2.0"}
versions:
VERSIONS
objects:
  Object:
    api: {name: object}
    attributes:
      id: {type: uuid, primary: true}
      kind: {type: enum, values: [A, B]}
      first: {type: string}
      second: {type: string}
"""
GOOD = """  "1.0":
    sunset: 2027-01-31
    types:
      Thing:
        is: Object
        attributes:
          mode: {is: kind, values: {a: A, b: B}}
          text: {join: [first, second], by: "-"}"""


def write(folder: Path, versions: str, *, old: str = OLD) -> Path:
    for name, text in (("old", old), ("new", NEW.replace("VERSIONS", versions))):
        (folder / name).mkdir()
        (folder / name / "api.yaml").write_text(text)
    return folder


def test_the_version_that_says_how_is_stored(tmp_path: Path) -> None:
    (model,) = loader.load([write(tmp_path, GOOD)])
    assert model.version == "2.0"
    (other,) = model.versions
    assert (other.model.version, other.sunset, other.state) == ("1.0", "2027-01-31", "SUPPORTED")
    assert other.here("Thing").name == "Object"
    assert describe.describe(model)["versions"]["1.0"]["status"] == "SUPPORTED"
    kept = stored.restore(stored.stored(model))
    assert kept == model


def test_a_dump_loads_again_beside_the_others(tmp_path: Path) -> None:
    (model,) = loader.load([write(tmp_path, GOOD)])
    (tmp_path / "new" / "api.yaml").write_text(describe.dump(model))
    (again,) = loader.load([tmp_path])
    assert again.digest == model.digest


def test_what_is_said_of_a_version_is_part_of_the_digest(tmp_path: Path) -> None:
    (model,) = loader.load([write(tmp_path, GOOD)])
    text = NEW.replace("VERSIONS", GOOD.replace('by: "-"', 'by: "+"'))
    (tmp_path / "new" / "api.yaml").write_text(text)
    (other,) = loader.load([tmp_path])
    assert other.digest != model.digest


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"1.0":', '"1.1":', "5:3: there is no model net-x 1.1 (give the file"),
        ("sunset: 2027-01-31", "sunset: soon", "6:13: sunset: 'soon' is no date (write it like 2027-06-30)"),
        ("sunset: 2027-01-31", "sunset: 2027-02-31", "6:13: sunset: '2027-02-31' is no date"),
        ("sunset:", "sunrise:", "6:5: unknown key 'sunrise' in version 1.0 (did you mean 'sunset'?)"),
        ("Thing:", "Things:", "8:7: version 1.0 has no object type Things (did you mean 'Thing'?)"),
        ("is: Object", "is: Objekt", "9:13: this version has no object type Objekt (write is: NAME; did"),
        (
            "is: Object",
            "is:",
            "8:7: this version has no object type Thing (write is: NAME; known here: Object)",
        ),
        ("mode: {", "mood: {", "11:11: Thing has no attribute mood there (did you mean 'mode'?)"),
        ("is: kind", "is: kint", "11:22: Object has no attribute kint here (did you mean 'kind'?)"),
        (
            'by: "-"',
            'bye: "-"',
            "12:41: unknown key 'bye' in attribute text of object type Thing of version 1.0",
        ),
        (', by: "-"', "", "12:11: text: `by` is missing"),
        ("join: [first, second]", "split: first", "12:11: text: `part` is missing (number the parts from 0)"),
        ("{join: [first, second],", "{join: [first, second], is: first,", "12:11: text says 2 times where"),
        ("{is: kind, values", "{fixed: a, values", "11:11: mode: values need `is`"),
    ],
)
def test_mistakes_have_a_place_and_a_cure(tmp_path: Path, before: str, after: str, said: str) -> None:
    with pytest.raises(errors.ModelError) as raised:
        loader.load([write(tmp_path, GOOD.replace(before, after, 1))])
    found = [str(p).replace(f"{tmp_path}/new/api.yaml:", "") for p in raised.value.problems]
    assert any(said in text for text in found), found


def test_two_versions_of_which_none_says_how(tmp_path: Path) -> None:
    new = NEW.replace("versions:\nVERSIONS\n", "")
    folder = write(tmp_path, "")
    (folder / "new" / "api.yaml").write_text(new)
    with pytest.raises(errors.ModelError, match=r"another version, 1\.0, of net-x .*versions: \{"):
        loader.load([folder])


def test_two_versions_that_both_want_to_be_stored(tmp_path: Path) -> None:
    both = OLD.replace("objects:", 'versions: {"2.0": {}}\nobjects:')
    with pytest.raises(errors.ModelError, match="two versions of net-x want to be the stored one"):
        loader.load([write(tmp_path, GOOD, old=both)])
