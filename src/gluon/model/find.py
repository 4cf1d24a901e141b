"""Third stage: PATHs in, bundles out: which files together make one model.

A PATH is a file, a model's folder (a file with `info` lies directly in it; all its YAML files are
one model) or a folder of those. Several files with unlike `info` in one folder are a model each.
Folders with base objects only are no models; imports find them. Reads each file once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gluon.model import declare, facts, fieldtypes, source
from gluon.model.problems import Mark, Problems

CATALOG = Path(__file__).resolve().parent.parent / "catalog"

MAX_BYTES = 16 * 2**20
_TOO_LARGE = "is it a model? the files of one folder make one model, so a large one may lie in several"
_SUFFIXES = {".yaml", ".yml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file read: its declarations and the place it has (the path as the user would write it)."""

    path: Path
    declared: declare.File


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The files of one model, imports not yet followed."""

    source: str
    files: tuple[SourceFile, ...]


class Library:
    """All files read so far, by their real path, and where imports may be found.

    `inside`: the folder of texts that somebody sent; they import from it and the catalogue, from nowhere else.
    """

    def __init__(self, paths: Sequence[Path], problems: Problems, *, inside: Path | None = None) -> None:
        self.problems = problems
        self._inside = (inside.resolve(), CATALOG) if inside else ()
        self._files: dict[Path, SourceFile | None] = {}
        self._roots_read: dict[Path, source.Node | None] = {}
        self._roots = [root for path in paths for root in _roots(path)]
        self._roots += [CATALOG]

    def read(self, path: Path, version: str = fieldtypes.OLD) -> SourceFile | None:
        """The file at `path`, or None where it cannot be used (noted). `version`: where it says none."""
        real = path.resolve()
        if real not in self._files:
            declared = declare.read(self._root(path, real), str(path), version, self.problems)
            self._files[real] = SourceFile(path=path, declared=declared) if declared else None
        return self._files[real]

    def version(self, paths: Sequence[Path]) -> str:
        """The version of the language of those files that say none: that of the first that does."""
        stated = (declare.stated_version(self._root(path, path.resolve())) for path in paths)
        return next((version for version in stated if version), fieldtypes.OLD)

    def _root(self, path: Path, real: Path) -> source.Node | None:
        if real not in self._roots_read:
            self._roots_read[real] = self._parse(path)
        return self._roots_read[real]

    def _parse(self, path: Path) -> source.Node | None:
        mark = Mark(file=str(path))
        try:
            with path.open("rb") as file:  # /dev/zero is a file too
                content = file.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                self.problems.add(mark, f"the file is larger than {MAX_BYTES} bytes", _TOO_LARGE)
                return None
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.problems.add(mark, f"the file is not UTF-8: {error.reason}")
            return None
        except OSError as error:
            self.problems.add(mark, f"the file cannot be read: {error.strerror}")
            return None
        before = len(self.problems)
        root = source.parse(text, str(path), self.problems)
        if (root is None or facts.is_null(root)) and len(self.problems) == before:
            self.problems.add(mark, "the file is empty", "start with file_version, info and objects")
        return root

    def imported(self, name: facts.Fact[str], importer: SourceFile) -> list[SourceFile]:
        """The files that `imports: <name>` of `importer` means: one, or in 2.0 all of a folder."""
        version = importer.declared.version
        if Path(name.value).is_absolute():
            self.problems.add(name.mark, f"imports takes a relative path, not {name.value!r}")
            return []
        for root in (importer.path.parent, importer.path.parent / "..", *self._roots):
            candidate = _tidy(root / name.value)
            if not self._may_read(candidate) or not _exists(candidate):
                continue
            if candidate.is_file():
                return [file for file in [self.read(candidate, version)] if file]
            if version != fieldtypes.OLD and candidate.is_dir() and (paths := _yaml_files(candidate)):
                return [file for path in paths if (file := self.read(path, version))]
        self.problems.add(
            name.mark,
            f"no file {name.value!r} to import",
            "looked beside this file, one folder up, in the other paths given and in the shipped catalogue",
        )
        return []

    def _may_read(self, path: Path) -> bool:
        if not self._inside:
            return True
        try:
            real = path.resolve()
        except (OSError, ValueError, RuntimeError):  # no name of a file; links in a circle
            return False
        return any(real.is_relative_to(folder) for folder in self._inside)


def bundles(paths: Sequence[Path], library: Library) -> tuple[Bundle, ...]:
    """All models at `paths`, in that order, each once however often it is reached."""
    found: dict[frozenset[Path], Bundle] = {}
    for path in paths:
        before = len(library.problems)
        here = list(_at(path, library))
        for bundle in here:
            found.setdefault(frozenset(f.path.resolve() for f in bundle.files), bundle)
        if not here and len(library.problems) == before and not _holds_base_objects(path, library):
            library.problems.add(
                Mark(file=str(path)), "no model here", "a model is a *.yaml file with info and objects"
            )
    return tuple(found.values())


def _at(path: Path, library: Library) -> Iterator[Bundle]:
    if path.is_dir():
        yield from _in_folder(path, library)
        for folder in sorted(p for p in _listed(path) if p.is_dir()):
            yield from _in_folder(folder, library)
    elif path.exists():
        file = library.read(path)
        if file and not _is_base(file):
            yield Bundle(source=str(path), files=(file,))
    else:
        library.problems.add(Mark(file=str(path)), "no such file or folder")


def _in_folder(folder: Path, library: Library) -> Iterator[Bundle]:
    paths = _yaml_files(folder)
    version = library.version(paths)
    files = [f for f in (library.read(path, version) for path in paths) if f]
    if all(_is_base(f) for f in files):
        return
    informed = [f for f in files if f.declared.info]
    if len({_identity(f) for f in informed}) <= 1:
        yield Bundle(source=str(folder), files=tuple(files))
        return
    for file in files:
        if file.declared.info:
            yield Bundle(source=str(file.path), files=(file,))
        elif not _is_base(file):
            library.problems.add(
                file.declared.mark,
                "several models lie in this folder and this file says of none that it belongs to it",
                "give it info with the model's name and version, or each model a folder",
            )


def _identity(file: SourceFile) -> tuple[str, str]:
    info = file.declared.info
    name = info.name.value if info and info.name else ""
    version = info.version.value if info and info.version else ""
    return name, version


def _is_base(file: SourceFile) -> bool:
    return file.declared.info is None and not any(o.api for o in file.declared.objects)


def _holds_base_objects(path: Path, library: Library) -> bool:
    files = _yaml_files(path) if path.is_dir() else [path]
    return any(f.declared.objects for f in map(library.read, files) if f)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # longer than any name of a file
        return False


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(p for p in _listed(folder) if p.suffix in _SUFFIXES and p.is_file())


def _listed(folder: Path) -> list[Path]:
    try:
        return [p for p in folder.iterdir() if not p.name.startswith(".")]
    except OSError:
        return []


def _roots(path: Path) -> tuple[Path, ...]:
    """Where the imports of other PATHs may look because of this one."""
    return (path, path / "..") if path.is_dir() else (path.parent,)


def _tidy(path: Path) -> Path:
    """`a/b/../c` as `a/c` where that is the same file: shorter in messages."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] not in {"..", "/"} and not Path(*parts).is_symlink():
            parts.pop()
        else:
            parts.append(part)
    return Path(*parts) if parts else Path()
