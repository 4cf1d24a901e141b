"""PATHs and imports: which files make which model, and where an import is looked up."""

import tempfile
import time
from pathlib import Path

import pytest

from gluon import errors
from gluon.model import find, loader
from tests.unit.model.conftest import Write


def head(name: str, version: str = "1.0") -> str:
    return f'file_version: "1.0"\ninfo: {{name: {name}, version: "{version}"}}\n'


def thing(name: str, extends: str = "") -> str:
    base = f", extends: {extends}" if extends else ""
    return f"objects:\n  {name}: {{api: {{name: {name.lower()}}}{base}, attributes: {{about: {{type: string}}}}}}\n"


def names(*paths: Path) -> list[str]:
    return [f"{m.name} {m.version}: {', '.join(m.types)}" for m in loader.load(paths)]


def refused(*paths: Path) -> list[str]:
    with pytest.raises(errors.ModelError) as raised:
        loader.load(paths)
    return [p.message for p in raised.value.problems]


def test_a_path_may_be_a_file(write: Write) -> None:
    folder = write({"a.yaml": head("a") + thing("A"), "b.yaml": head("b") + thing("B")})
    assert names(folder / "b.yaml") == ["b 1.0: B"]


def test_all_files_of_a_models_folder_make_one_model(write: Write) -> None:
    folder = write(
        {"m/1.yaml": head("m") + thing("A"), "m/2.yml": thing("B"), "m/notes.txt": "no: yaml: at all"}
    )
    assert names(folder / "m") == ["m 1.0: A, B"]


def test_a_path_may_be_a_folder_of_models(write: Write) -> None:
    folder = write({
        "m/1.yaml": head("m") + thing("A"),
        "n/1.yaml": head("n") + thing("A"),
        "base/base.yaml": "objects: {B: {attributes: {x: {type: string}}}}",
        ".hidden/1.yaml": head("h") + thing("A"),
        "single.yaml": head("s") + thing("A"),
    })  # fmt: skip
    assert names(folder) == ["s 1.0: A", "m 1.0: A", "n 1.0: A"]


def test_several_models_in_one_folder_are_a_model_each(write: Write) -> None:
    folder = write({"a.yaml": head("a") + thing("A"), "b.yaml": head("b") + thing("A")})
    assert names(folder) == ["a 1.0: A", "b 1.0: A"]


def test_a_file_that_belongs_to_none_of_several_models_is_refused(write: Write) -> None:
    folder = write({"a.yaml": head("a") + thing("A"), "b.yaml": head("b") + thing("A"), "c.yaml": thing("C")})
    assert "several models lie in this folder" in refused(folder)[0]


def test_a_model_reached_twice_counts_once(write: Write) -> None:
    folder = write({"m/1.yaml": head("m") + thing("A")})
    assert names(folder, folder / "m", folder / "m" / ".." / "m") == ["m 1.0: A"]


def test_two_models_of_the_same_name_and_version_are_refused(write: Write) -> None:
    folder = write({"m/1.yaml": head("m") + thing("A"), "n/1.yaml": head("m") + thing("A")})
    assert refused(folder / "m", folder / "n") == ["a second model m 1.0"]
    assert names(folder / "m") == ["m 1.0: A"]


def test_two_versions_of_one_model_are_refused(write: Write) -> None:
    folder = write({"m/1.yaml": head("m") + thing("A"), "n/1.yaml": head("m", "1.1") + thing("A")})
    assert refused(folder) == ["another version, 1.1, of m"]


def test_names_that_would_share_tables_are_refused(write: Write) -> None:
    folder = write({"m/1.yaml": head("net-x") + thing("A"), "n/1.yaml": head("net_X") + thing("A")})
    assert "too alike" in refused(folder)[0]


@pytest.mark.parametrize("name", ["nothing", "empty", "note.txt"])
def test_a_path_without_a_model_is_refused(write: Write, name: str) -> None:
    folder = write({"note.txt": "", "empty/note.txt": ""})
    assert refused(folder / name) in (["no such file or folder"], ["no model here"], ["the file is empty"])


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\xfa")
    assert "not UTF-8" in refused(tmp_path)[0]


def test_a_file_that_cannot_be_read_is_refused() -> None:
    # Even root cannot read the memory at address 0.
    assert "cannot be read" in refused(Path("/proc/self/mem"))[0]


BASE = "objects: {Base: {attributes: {id: {type: uuid, primary: true}}}}\n"


@pytest.mark.parametrize(
    "place", ["m/base/base.yaml", "base/base.yaml", "other/base/base.yaml", "other/up/../base/base.yaml"]
)
def test_imports_are_found_beside_above_and_in_other_paths(write: Write, place: str) -> None:
    model = head("m") + "imports: base/base.yaml\n" + thing("A", "Base")
    other = {"other/up/api.yaml": head("o") + thing("O")}
    folder = write({"m/api.yaml": model, place.replace("up/../", ""): BASE, **other})
    given = folder / "other" / "up" if "up" in place else folder / "other"
    (found, *_) = loader.load([folder / "m", given])
    assert list(found.types["A"].attributes) == ["id", "about"]


def test_the_shipped_base_is_the_last_resort(write: Write) -> None:
    folder = write({"api.yaml": head("m") + "imports: base/base.yaml\n" + thing("A", "BaseService")})
    (model,) = loader.load([folder])
    assert "description" in model.types["A"].attributes


def test_a_base_nearer_than_the_shipped_one_wins(write: Write) -> None:
    model = head("m") + "imports: base/base.yaml\n" + thing("A", "Base")
    folder = write({"m/api.yaml": model, "base/base.yaml": BASE})
    assert list(loader.load([folder])[0].types["A"].attributes) == ["id", "about"]


def test_imports_may_import(write: Write) -> None:
    middle = "imports: low.yaml\nobjects: {Middle: {extends: Low, attributes: {m: {type: string}}}}\n"
    low = "objects: {Low: {attributes: {l: {type: string}}}}\n"
    model = head("m") + "imports: parts/middle.yaml\n" + thing("A", "Middle")
    folder = write({"api.yaml": model, "parts/middle.yaml": middle, "parts/low.yaml": low})
    assert list(loader.load([folder])[0].types["A"].attributes) == ["uuid", "l", "m", "about"]


def test_imports_in_a_circle_are_refused(write: Write) -> None:
    folder = write({
        "api.yaml": head("m") + "imports: parts/a.yaml\n" + thing("A"),
        "parts/a.yaml": "imports: b.yaml\n",
        "parts/b.yaml": "imports: a.yaml\n",
    })  # fmt: skip
    (problem,) = refused(folder)
    assert problem.startswith("imports go in a circle: ")


def test_a_missing_import_says_where_it_was_looked_for(write: Write) -> None:
    folder = write({"api.yaml": head("m") + "imports: nowhere.yaml\n" + thing("A")})
    with pytest.raises(errors.ModelError) as raised:
        loader.load([folder])
    (problem,) = raised.value.problems
    assert (problem.line, problem.column) == (3, 10)
    assert "one folder up" in problem.hint


def test_a_mistake_in_an_imported_file_is_told_once(write: Write) -> None:
    folder = write({
        "base/base.yaml": "objects: {Base: {attributes: {id: {type: uid}}}}\n",
        "m/api.yaml": head("m") + "imports: base/base.yaml\n" + thing("A", "Base"),
        "n/api.yaml": head("n") + "imports: base/base.yaml\n" + thing("A", "Base"),
    })  # fmt: skip
    assert refused(folder) == ["attribute id of Base: unknown type 'uid'"]


def test_the_digest_depends_on_content_only(write: Write) -> None:
    one = write({"one/api.yaml": head("m") + thing("A") + thing("B").removeprefix("objects:\n")})
    two = write({"two/1.yaml": "# hello\n" + thing("B"), "two/2.yaml": head("m") + thing("A")})
    three = write(
        {
            "three/1.yaml": head("m")
            + thing("A")
            + thing("B").replace("string", "uuid").removeprefix("objects:\n")
        }
    )
    digests = [loader.load([path])[0].digest for path in (one / "one", two / "two", three / "three")]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_a_file_without_end_is_refused() -> None:
    """A link to /dev/zero is a file for all who look at its name."""
    (said,) = refused(Path("/dev/zero"))
    assert said == f"the file is larger than {find.MAX_BYTES} bytes"


def test_many_problems_among_many_types_are_told_soon(write: Write) -> None:
    """The types of a model are not looked through for each of its words."""
    types = "".join(
        f"  T{n}: {{api: {{name: t{n}}}, attributes: {{about: {{type: No{n}}}}}}}\n" for n in range(1500)
    )
    folder = write({"m/api.yaml": head("m") + "objects:\n" + types})
    began = time.process_time()
    assert len(refused(folder / "m")) >= 1500
    assert time.process_time() - began < 6, "it is half a second"


@pytest.mark.parametrize("way", ["../../../../../../../../../../{}", "../secret.yaml"])
def test_texts_that_were_sent_import_nothing_of_the_machine(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may load a model may not read the server's files by it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "secret.yaml").write_text("objects: {}\npassword: hunter2\n")
    text = head("m") + f"imports: {way.format(tmp_path / 'secret.yaml').replace('//', '/')}\n" + thing("A")
    with pytest.raises(errors.ModelError) as raised:
        loader.load_texts({"m.yaml": text})
    assert [p.message.split(" '")[0] for p in raised.value.problems] == ["no file"]
    assert "hunter2" not in str(raised.value) and "password" not in str(raised.value)


def test_texts_that_were_sent_import_the_catalogue() -> None:
    text = head("m") + "imports: base/base.yaml\n" + thing("A", extends="BaseObject")
    assert [m.name for m in loader.load_texts({"m.yaml": text})] == ["m"]


@pytest.mark.parametrize("name", ["", "..", "/", "a\0b", "x" * 300, ".hidden", "../../a"])
def test_a_text_that_was_sent_may_have_any_name(name: str) -> None:
    assert [m.name for m in loader.load_texts({name: head("m") + thing("A")})] == ["m"]
