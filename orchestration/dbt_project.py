"""Where the dbt project is, its manifest, and what it needs in its environment.

A checkout has it in `dbt/`, where dbt writes as well. A wheel has it as files of this package, of which a copy in the local directory is used.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from sqlalchemy.engine import make_url

from assets import dbt_kept
from custom_events import private_files
from custom_events.errors import NeedsAction
from custom_events.postgres.connect import session_options
from custom_events.settings import Settings, settings

PROJECT_DIRECTORY = Path(__file__).parents[1] / "dbt"  # of a checkout
PROJECT_FILE = "dbt_project.yml"
PACKAGED = Path(__file__).parent / "dbt_files"  # of a wheel (cli/distribution.py)
WRITTEN_BY_DBT = frozenset({"target", "logs", ".user.yml"})
COPY = "dbt_project"  # of it, in the local directory: packages may be read-only, and dbt writes beside its models
# dbt-postgres hands on few parameters of a connection; libpq takes the others from its environment
# (https://www.postgresql.org/docs/current/libpq-envars.html).
LIBPQ_VARIABLES = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "channel_binding": "PGCHANNELBINDING",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "passfile": "PGPASSFILE",
    "gssencmode": "PGGSSENCMODE",
}
# A statement of dbt that waits for a lock gives up before others queue behind it for long, and none runs for ever.
LOCK_LIMIT_S = 30
STATEMENT_LIMIT_S = 7_200
# A build takes no more of the server than its threads (dbt/profiles.yml), so that the batches of the pipeline have theirs. What it commits can be
# built again, so it does not wait for the disk.
LIMITS = (
    f"-c lock_timeout={LOCK_LIMIT_S}s -c statement_timeout={STATEMENT_LIMIT_S}s -c max_parallel_workers_per_gather=0 "
    "-c synchronous_commit=off"
)
PARSE_LIMIT_S = 300.0  # it takes 8 s on an idle core
_DBT = (sys.executable, "-c", "from dbt.cli.main import cli; cli()")

log = structlog.get_logger(__name__)


def is_checkout() -> bool:
    """Whether this runs from a checkout, and not from an installed wheel."""
    return (PROJECT_DIRECTORY / PROJECT_FILE).is_file()


def directory(settings: Settings) -> Path:
    """Where dbt reads its models and writes what it makes of them."""
    return PROJECT_DIRECTORY if is_checkout() else settings.local_directory.resolve() / COPY


def manifest(settings: Settings) -> Path:
    """What dbt says of its models, of which Dagster makes the graph."""
    return directory(settings) / "target" / "manifest.json"


def prepare(settings: Settings) -> Path:
    """The project's directory, copied anew where a wheel has it. Raises NeedsAction where this installation has none."""
    if is_checkout():
        return PROJECT_DIRECTORY
    if not (PACKAGED / PROJECT_FILE).is_file():
        raise NeedsAction(
            f"Dagster needs the models of dbt, and {PACKAGED} is not there: install a wheel that `make wheel` or `make dist` made, or run this from a checkout."
        )
    copy = directory(settings)
    private_files.make_directory(copy)
    names = {part.name for part in (*PACKAGED.iterdir(), *copy.iterdir())} - WRITTEN_BY_DBT
    for part, copied in ((PACKAGED / name, copy / name) for name in sorted(names)):
        if _contents(part) == _contents(copied):
            continue
        if copied.is_dir():
            shutil.rmtree(copied)
        copied.unlink(missing_ok=True)
        # Written now, so that the manifest counts as older.
        if part.is_dir():
            shutil.copytree(part, copied, copy_function=shutil.copyfile)
        elif part.is_file():
            shutil.copyfile(part, copied)
    return copy


def _contents(part: Path) -> dict[str, bytes]:
    """The files of a folder by their paths below it, or the file itself; empty: nothing is there."""
    files = [part] if part.is_file() else part.rglob("*")
    return {str(file.relative_to(part)): file.read_bytes() for file in files if file.is_file()}


def parse_if_needed(
    project: Path = PROJECT_DIRECTORY, run: Callable[[Sequence[str]], tuple[int, str]] | None = None
) -> bool:
    """Have dbt write its manifest where there is none, or one older than a model: Dagster reads the graph from it when it starts.

    True when it was written. Raises NeedsAction with dbt's own words when it could not be.
    """
    manifest = project / "target" / "manifest.json"
    if manifest.is_file() and manifest.stat().st_mtime >= _changed_at(project):
        _keep_specs(manifest, run or _run)
        return False
    log.info("dbt_parse", project=str(project))
    command = [*_DBT, "parse", "--quiet", "--project-dir", str(project), "--profiles-dir", str(project)]
    code, said = (run or _run)(command)
    if code:
        raise NeedsAction(f"dbt cannot read its models in {project}:\n{said}")
    manifest.touch()  # dbt leaves a file alone that would be the same
    _keep_specs(manifest, run or _run)
    return True


def _keep_specs(manifest: Path, run: Callable[[Sequence[str]], tuple[int, str]]) -> None:
    """In a process of its own, so that Dagster's need not import dbt."""
    if dbt_kept.is_kept(manifest):
        return
    code, said = run([sys.executable, "-m", "assets.dbt_specs", str(manifest)])
    if code:
        raise NeedsAction(f"Dagster cannot read dbt's models from {manifest}:\n{said}")


def _changed_at(project: Path) -> float:
    """When a file of the project was changed last, seconds since 1970; what dbt itself writes left out."""
    own = [project / PROJECT_FILE, project / "profiles.yml"]
    folders = [project / name for name in ("models", "tests", "macros")]
    paths = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return max((file.stat().st_mtime for file in (*own, *paths) if file.is_file()), default=0.0)


def _run(command: Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603  (our own command line)
        command,
        capture_output=True,
        text=True,
        timeout=PARSE_LIMIT_S,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def executable() -> str:
    """The command dbt beside the interpreter that runs this: an environment that nobody activated is not in PATH."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.is_file() else "dbt"


def environment(url: str) -> dict[str, str]:
    """The variables that dbt/profiles.yml reads, from a libpq URL (TCP or Unix socket), and those that libpq reads itself: what
    the URL says of the session and of TLS."""
    parsed = make_url(url)
    host = parsed.host or parsed.query.get("host") or "localhost"
    return {
        "CUSTOM_EVENTS_DBT_HOST": host if isinstance(host, str) else host[0],
        "CUSTOM_EVENTS_DBT_PORT": str(parsed.port or _first(parsed.query.get("port")) or 5432),
        "CUSTOM_EVENTS_DBT_USER": parsed.username or _first(parsed.query.get("user")) or "postgres",
        "CUSTOM_EVENTS_DBT_PASSWORD": parsed.password or "",
        "CUSTOM_EVENTS_DBT_NAME": parsed.database or "postgres",
        "CUSTOM_EVENTS_DBT_THREADS": str(settings().report_threads),
        "CUSTOM_EVENTS_DBT_REPORTING_CURRENCY": settings().reporting_currency,
        "CUSTOM_EVENTS_DBT_EXCHANGE_RATE_DAYS": str(settings().exchange_rate_days),
        "CUSTOM_EVENTS_DBT_ATTRIBUTION_LOOKBACK_DAYS": str(settings().attribution_lookback_days),
        "CUSTOM_EVENTS_DBT_ATTRIBUTION_HALF_LIFE_DAYS": str(settings().attribution_half_life_days),
        "PGOPTIONS": f"{session_options(url)} {LIMITS}",
        **{
            variable: value
            for parameter, variable in LIBPQ_VARIABLES.items()
            if (value := _first(parsed.query.get(parameter))) is not None
        },
    }


def _first(value: str | tuple[str, ...] | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value[0] if value else None
