"""What a built wheel holds, and that it can do what CONTRIBUTING.md says."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIGRATE = (
    "import sys; from custom_events.postgres import migrate; migrate.upgrade(sys.argv[1]); print(migrate.__file__)"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, built from a copy: building writes beside the sources."""
    source, wheel, target = (tmp_path_factory.mktemp(name) for name in ("source", "wheel", "installed"))
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "benchmarks/", "fuzzing/")):
            copy = source / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((ROOT / name).read_bytes())
    shutil.copytree(ROOT / "api_client", source / "api_client")  # made, not kept in git
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(wheel)], cwd=source, capture_output=True, check=True, timeout=120)
    (made,) = wheel.glob("*.whl")
    zipfile.ZipFile(made).extractall(target)
    return target


def test_the_migrations_are_whole(installed: Path) -> None:
    def files(root: Path) -> set[str]:
        return {
            str(path.relative_to(root))
            for path in (root / "migrations").rglob("*")
            if path.is_file() and path.suffix in (".py", ".sql", ".mako")
        }

    assert files(installed) == files(ROOT)


@pytest.mark.usefixtures("untraced_processes")
def test_a_database_is_migrated_from_the_wheel(installed: Path, empty_database: str) -> None:
    found = subprocess.run(
        [sys.executable, "-P", "-c", MIGRATE, empty_database],
        cwd=installed,
        env={"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert str(installed) in found.stdout


def test_nothing_of_ours_is_called_dbt_there(installed: Path) -> None:
    assert not (installed / "dbt").exists()
    assert not (installed / "tests").exists()


def test_the_client_is_in_it_with_its_types(installed: Path) -> None:
    assert (installed / "api_client" / "client.py").is_file()
    assert (installed / "api_client" / "py.typed").is_file()
