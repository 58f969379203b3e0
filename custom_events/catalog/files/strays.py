"""Files and folders that stand where nothing is read: a folder changes what it names, and these say nothing.

What plainly is something else (hidden files, Markdown, folders without YAML in them) is left alone.
"""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from custom_events.catalog.files.documents import Kind
from custom_events.catalog.reading import LIKENESS
from custom_events.conditions.problems import Problem, Severity

ENDING = ".yaml"
_MAX_FILES = 200  # looked at in one folder that is not read
_YAML = re.compile(r"\.(ya?ml|json)\Z", re.IGNORECASE)
# What editors and people leave beside a file: shop.yaml~, shop.yaml.bak, shop.yaml.orig, shop.yaml.txt, "shop.yaml 2"
_LEFT_BESIDE = re.compile(r"\.(ya?ml|json)([~.\s].*)\Z", re.IGNORECASE)
_READ = f"read are {', '.join(f'{kind}/<key>{ENDING}' for kind in Kind)}"


def strays(directory: Path) -> Iterator[tuple[str, Problem]]:
    """What is not read, by its name inside the folder."""
    for path in _entries(directory):
        if path.name in tuple(Kind) and path.is_dir():
            yield from _in_kind(Kind(path.name), path)
        elif path.is_dir():
            yield from _folder(path)
        elif _looks_like_rules(path):
            yield path.name, _not_read(f"move it into one of {', '.join(f'{kind}/' for kind in Kind)}, or remove it")


def _folder(path: Path) -> Iterator[tuple[str, Problem]]:
    near = difflib.get_close_matches(path.name.lower(), tuple(Kind), n=1, cutoff=LIKENESS)
    if near or _holds_configuration(path):
        yield f"{path.name}/", _not_read(f"did you mean {near[0]}/? {_READ}" if near else _READ)


def _in_kind(kind: Kind, directory: Path) -> Iterator[tuple[str, Problem]]:
    for path in _entries(directory):
        name = f"{kind}/{path.name}"
        if path.is_dir():
            yield f"{name}/", _not_read(f"its files belong into {kind}/ itself; {_READ}")
        elif path.suffix == ENDING or path.suffix.lower() == ".md":
            continue
        elif _YAML.search(path.name):
            yield name, _not_read(f"name it {path.stem}{ENDING}")
        elif (ending := _LEFT_BESIDE.search(path.name)) is not None:
            yield name, _not_read(f"remove it, or name it {path.name[: ending.start()]}{ENDING}")
        else:
            yield name, _not_read(_READ)


def _holds_configuration(directory: Path) -> bool:
    for count, path in enumerate(directory.rglob("*")):
        if _looks_like_rules(path):
            return True
        if count >= _MAX_FILES:
            break
    return False


def _looks_like_rules(path: Path) -> bool:
    """Outside of the three folders: YAML, whatever its ending is written like. JSON there is plans, orders, packages."""
    name = path.name.lower()
    return ".json" not in name and (_YAML.search(name) is not None or _LEFT_BESIDE.search(name) is not None)


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    except OSError:
        return []  # the files of it that are read say why they cannot be


def _not_read(right: str) -> Problem:
    return Problem(path="", wrong="it is not read", right=right, severity=Severity.WARNING)
