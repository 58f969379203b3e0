"""What is released, built so that the same sources give the same bytes: `make dist` runs this.

    python -m cli.distribution .local/dist          # everything
    python -m cli.distribution .local/wheel wheel   # the wheel alone

The wheel is made of a copy of what git tracks, with what is generated beside it (the client, what the pages load of others, the manual): neither the
builder's umask, clock, folder nor files that lie about change it. The time within it is that of the newest commit (SOURCE_DATE_EPOCH goes before it).
"""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
EPOCH: Final = "SOURCE_DATE_EPOCH"  # seconds since 1970, https://reproducible-builds.org/docs/source-date-epoch
NOT_RELEASED: Final = ("tests/", "benchmarks/", "findings/", "docs/", "deploy/", ".ci/")
MANUAL: Final = "console/pages/manual_pages"  # where the wheel has docs/, which is no package
DBT: Final = "orchestration/dbt_files"  # and dbt/, whose name is taken
UNIT: Final = "deploy/systemd/custom-events.service"
LOCK: Final = "requirements.txt"
MANUAL_FILES: Final = (".md", ".png", ".svg", ".json")
GENERATED: Final = ("api_client", "console/pages/static/vendor")
RUN_BY: Final = (
    "receiver",
    "console",
    "pipeline",
    "destinations",
    "reports",
    "sandbox",
)  # extras of what runs, without tools
PAGES_LOCK: Final = ROOT / "console/pages/vendor/package-lock.json"
BUILD: Final = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


class Part(NamedTuple):
    """A part of others that runs with the product, and its licence as it names it."""

    name: str
    version: str
    licence: str
    kind: str


def main(target: Path) -> None:
    """Write wheel, lock, systemd unit, plugin, licences and digests into `target`, which is made anew."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    wheel(target, epoch())
    for name in (LOCK, UNIT):
        shutil.copyfile(ROOT / name, target / Path(name).name)
    plugin = [sys.executable, str(ROOT / "plugins/woocommerce/build.py"), str(target)]
    subprocess.run(plugin, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  (ours)
    (target / "licences.csv").write_text(licences(), encoding="utf-8")
    (target / "SHA256SUMS").write_text(digests(target), encoding="utf-8")


def epoch() -> str:
    """The time that stands in what is built: the variable, else that of the newest commit."""
    if seconds := os.environ.get(EPOCH):
        return seconds
    return _git("log", "-1", "--format=%ct").strip()


def wheel(target: Path, at: str) -> Path:
    """Build the wheel into `target`; its path. Raises CalledProcessError with setuptools' words."""
    with tempfile.TemporaryDirectory(prefix="custom-events-dist-") as folder:
        source = Path(folder) / "source"
        for name, file in sorted(sources()):
            copy = source / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
        for path in (source, *source.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        environment = {**os.environ, EPOCH: at, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run(  # noqa: S603  (our own build)
            [sys.executable, "-c", BUILD, str(target.resolve())],
            cwd=source,
            env=environment,
            check=True,
            capture_output=True,
            umask=0o022,
        )
    (made,) = target.glob("*.whl")
    return made


def licences() -> str:
    """Every part of others that runs with the product, as CSV: Python's by the extras of what runs, and what the pages load."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Part._fields)
    parts: set[Part] = {*_python_parts(), *_page_parts()}
    writer.writerows(sorted(parts, key=_place))
    return text.getvalue()


def digests(target: Path) -> str:
    """SHA-256 of each file, as `sha256sum --check` reads it."""
    files = sorted(file for file in target.iterdir() if file.name != "SHA256SUMS")
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


def version() -> str:
    """The version of this checkout, which everything that is released has."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def sources() -> Iterator[tuple[str, Path]]:
    """What the wheel is built of: (name within the copy, file)."""
    for name in _git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        file = ROOT / name
        if not file.is_file():
            continue
        if name.startswith("dbt/"):
            yield f"{DBT}/{name.removeprefix('dbt/')}", file
        elif name and not name.startswith(NOT_RELEASED):
            yield name, file
        elif name.startswith("docs/") and file.suffix in MANUAL_FILES:
            yield f"{MANUAL}/{name.removeprefix('docs/')}", file
    for folder in GENERATED:
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(ROOT).as_posix(), file


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603, S607  (git, by its name)
    return done.stdout


def _python_parts() -> Iterator[Part]:
    """Everything that the product's own requirements lead to, as it is installed here."""
    seen = set[str]()
    waiting = list(_requirements("custom-events", RUN_BY))
    while waiting:
        name, extras = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            described = metadata.metadata(name)
        except metadata.PackageNotFoundError:  # of another machine
            continue
        yield Part(described["Name"], described["Version"], _licence(described), "Python")
        waiting += _requirements(name, extras)


def _requirements(name: str, extras: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    from packaging.requirements import Requirement

    for line in metadata.requires(name) or ():
        required = Requirement(line)
        if required.marker is None or any(required.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield re.sub(r"[-_.]+", "-", required.name).lower(), tuple(sorted(required.extras))


def _place(part: Part) -> tuple[str, str]:
    return part.kind, part.name.lower()


def _licence(described: metadata.PackageMetadata) -> str:
    """The expression; else the classifiers; else the first line of the field, which may hold the whole text."""
    named = [
        line.rpartition(" :: ")[2] for line in described.get_all("Classifier") or () if line.startswith("License ::")
    ]
    field = described["License"] if "License" in described else ""  # noqa: SIM401  (its type has no `get`)
    expression = described["License-Expression"] if "License-Expression" in described else ""  # noqa: SIM401
    return expression or "; ".join(named) or field.strip().partition("\n")[0] or "not named"


def _page_parts() -> Iterator[Part]:
    locked = json.loads(PAGES_LOCK.read_text(encoding="utf-8"))["packages"]
    for place, part in locked.items():
        if place and not part.get("dev"):
            yield Part(place.removeprefix("node_modules/"), part["version"], part.get("license", "not named"), "npm")


if __name__ == "__main__":  # pragma: no cover  (tests call its parts)
    if sys.argv[2:] == ["wheel"]:
        wheel(Path(sys.argv[1]), epoch())
    else:
        main(Path(sys.argv[1]))
