"""A folder of YAML files as a catalog, with everything that is wrong in it, and a catalog as such a folder."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from custom_events.catalog.files import text
from custom_events.catalog.files.documents import STRUCTS, Catalog, Kind, plain
from custom_events.catalog.files.strays import ENDING, strays
from custom_events.catalog.files.text import Parsed, TextProblem
from custom_events.catalog.reading import OLD_NAMES, read_as_far
from custom_events.conditions.problems import Problem, Severity
from custom_events.values.texts import printable


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something wrong in a file: where, what, and what would be right. `line` 0: not in a file."""

    file: str
    path: str
    wrong: str
    right: str
    line: int = 0
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {f'{self.path}: ' if self.path else ''}{self.wrong}; {self.right}"


class Folder(msgspec.Struct, frozen=True):
    """What a folder says, as far as it can be read; `findings` says what cannot. `unread`: files that are not in the catalog
    at all."""

    catalog: Catalog
    findings: list[Finding]
    parsed: dict[str, Parsed]  # by the file's name inside the folder
    unread: set[str]

    @property
    def is_readable(self) -> bool:
        """Whether the catalog is all that the files say."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    def located_all(self, problems: Iterable[tuple[str, Problem]]) -> list[Finding]:
        """Problems with their lines; none about a path whose value could not be read."""
        known = {(finding.file, finding.path) for finding in self.findings}
        return [self.located(file, problem) for file, problem in problems if (file, problem.path) not in known]

    def located(self, file: str, problem: Problem) -> Finding:
        """A problem of a file's content, with its line."""
        known = self.parsed.get(file)
        if isinstance(problem, TextProblem):
            line = problem.line
        else:
            line = known.line_of(problem.path) if known is not None else 0
        return Finding(
            file=printable(file),
            path=printable(problem.path),
            wrong=printable(problem.wrong),
            right=printable(problem.right),
            line=line,
            severity=problem.severity,
        )


def file_of(kind: Kind, key: str) -> str:
    """The name of a file inside the folder."""
    return f"{kind}/{key}{ENDING}"


def read(directory: Path) -> Folder:
    """Every file of the folder. Only shapes are checked here; what the values mean, `checks` knows."""
    documents: dict[Kind, dict[str, Any]] = {kind: {} for kind in Kind}
    folder = Folder(
        Catalog(accounts=documents[Kind.ACCOUNT], definitions=documents[Kind.DEFINITION], sites=documents[Kind.SITE]),
        [],
        {},
        set(),
    )
    if not any((directory / kind).is_dir() for kind in Kind):
        folders = ", ".join(f"{kind}/" for kind in Kind)
        folder.findings.append(
            Finding(
                file=str(directory), path="", wrong="there is no configuration here", right=f"a folder with {folders}"
            )
        )
    for kind in Kind:
        for path in sorted((directory / kind).glob("*")):
            name = f"{kind}/{path.name}"
            if path.suffix == ENDING and path.is_file():
                _read_file(folder, kind, name, path)
    folder.findings.extend(folder.located(name, problem) for name, problem in strays(directory))
    return folder


def _read_file(folder: Folder, kind: Kind, name: str, path: Path) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        wrong = f"it cannot be read ({error.strerror})"
        folder.findings.append(Finding(file=name, path="", wrong=wrong, right="mend its permissions"))
        folder.unread.add(name)
        return
    parsed = folder.parsed[name] = text.parse(content)
    problems: list[Problem] = list(parsed.problems)
    document = None
    if not parsed.is_broken:  # else nothing more can be said about it
        problems += _old_names(parsed)
        document, wrong = read_as_far({} if parsed.value is None else parsed.value, STRUCTS[kind])
        problems += wrong
    if document is None:
        folder.unread.add(name)
    else:
        folder.catalog.of(kind)[path.stem] = document
    folder.findings.extend(folder.located(name, problem) for problem in problems)


def _old_names(parsed: Parsed) -> list[Problem]:
    """A warning for each setting under its old name, which the file's lines are then known by as well."""
    problems: list[Problem] = []
    for old, new in OLD_NAMES.items():
        setting = re.compile(rf"(^|^assignments\[\d+\]\.){old}(?=$|[.\[])")
        for path, line in list(parsed.lines.items()):
            renamed = setting.sub(rf"\g<1>{new}", path)
            if renamed == path:
                continue
            parsed.lines.setdefault(renamed, line)
            if path.endswith(old):
                wrong = f"{old} is called {new} now"
                problems.append(Problem(path=path, wrong=wrong, right=f"rename it to {new}", severity=Severity.WARNING))
    return problems


def texts(catalog: Catalog) -> dict[str, str]:
    """The files of a catalog: their content by name, in order."""
    return {
        file_of(kind, key): text.render(plain(document))
        for kind in Kind
        for key, document in sorted(catalog.of(kind).items())
    }


def write(directory: Path, files: Mapping[str, str], *, prune: bool = False) -> tuple[list[str], list[str]]:
    """Write the files; the names of those that changed, and of the folder's other files (`prune` removes them)."""
    for kind in Kind:
        (directory / kind).mkdir(parents=True, exist_ok=True)
    changed: list[str] = []
    for name, content in files.items():
        path = directory / name
        if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != content:
            path.write_text(content, encoding="utf-8")
            changed.append(name)
    others = [
        name
        for kind in Kind
        for path in sorted((directory / kind).glob(f"*{ENDING}"))
        if (name := f"{kind}/{path.name}") not in files
    ]
    for name in others if prune else ():
        (directory / name).unlink()
    return changed, others
