"""Dagster's own configuration: its storage in our Postgres (schema `dagster`), runs launched at once, no telemetry.

Dagster passes its configuration along on the command lines of what it starts, which everybody on the machine can read. So the
address of its storage, which may hold a password, stands in a variable that the configuration names.
"""

import hashlib
import os
import tempfile
import threading
from pathlib import Path

import sqlalchemy as sa
import structlog
import yaml
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateSchema

from custom_events import private_files
from custom_events.errors import InvalidConfiguration
from custom_events.postgres.connect import engine, session_options
from custom_events.postgres.server import SOCKET_PATH_LIMIT_BYTES
from custom_events.settings import Settings
from custom_events.tables.base import DAGSTER

# dagster-postgres speaks psycopg2; SQLAlchemy 2.1 would take psycopg 3 for a bare postgresql:// address.
DRIVER = "postgresql+psycopg2"
STORAGE_VARIABLE = "CUSTOM_EVENTS_DAGSTER_STORAGE_URL"
CANCEL_LIMIT_S = 5.0  # to import Dagster takes 2 s on an idle core; `docker stop` kills after 10 s

KEPT_DAYS = 14  # as `dagster_retention_days` has it where nothing is set
SKIPPED_DAYS = 1  # sensors look every 5 s, and mostly find nothing
SCHEDULE_DAYS = 90  # some dozens a day

log = structlog.get_logger(__name__)


def home(settings: Settings) -> Path:
    """Dagster's directory."""
    return settings.local_directory / "dagster"


def code_server_socket(settings: Settings) -> Path:
    """The Unix socket of the code server. A socket and no port: two servers can share one port without an error, and answer in turns.

    In a place of its own where the directory's path is too long for a socket's.
    """
    inside = home(settings).resolve() / "code.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(inside)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"custom-events-{os.geteuid()}-{digest}-code.sock"


def storage_url(url: str) -> str:
    """The database's address as dagster-postgres wants it, with its own schema first in the search path."""
    parsed = make_url(url).set(drivername=DRIVER)
    options = f"{session_options(url)} -c search_path={DAGSTER}"
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)


def ticks(kept_days: int) -> dict[str, dict[str, dict[str, int]]]:
    """Days after which Dagster itself deletes ticks, by what came of them: those that started a run as long as runs are kept."""
    sensor = {"skipped": SKIPPED_DAYS, "success": kept_days, "failure": kept_days, "started": kept_days}
    schedule = {"skipped": kept_days, "success": SCHEDULE_DAYS, "failure": SCHEDULE_DAYS, "started": SCHEDULE_DAYS}
    return {"sensor": {"purge_after_days": sensor}, "schedule": {"purge_after_days": schedule}}


def configuration(run_launcher: Path | None = None, kept_days: int = KEPT_DAYS) -> dict[str, object]:
    """The content of dagster.yaml. `run_launcher`: a file with that part of it; `kept_days`: of ticks. Raises InvalidConfiguration where it
    cannot be read."""
    return {
        **({} if run_launcher is None else {"run_launcher": _read_launcher(run_launcher)}),
        "storage": {"postgres": {"postgres_url": {"env": STORAGE_VARIABLE}}},
        # The daemon's queue would add its own waiting; the sensors already keep to one run a stage.
        "run_coordinator": {"module": "dagster.core.run_coordinator", "class": "DefaultRunCoordinator"},
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},  # its first page asks for a newsletter before it shows anything
        # A place in a pool that a killed run had is free a minute later.
        "run_monitoring": {"enabled": True, "free_slots_after_run_end_seconds": 60},
        "concurrency": {"pools": {"granularity": "op", "default_limit": 1}},
        "freshness": {"enabled": True},
        "retention": ticks(kept_days),
    }


def _read_launcher(file: Path) -> dict[str, object]:
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidConfiguration(
            f"{file} cannot be read as YAML ({type(error).__name__})", path="CUSTOM_EVENTS_DAGSTER_RUN_LAUNCHER"
        ) from None
    if not isinstance(read, dict) or not {"module", "class"} <= read.keys():
        raise InvalidConfiguration(
            f"{file} has to name `module` and `class` of a run launcher of Dagster's",
            path="CUSTOM_EVENTS_DAGSTER_RUN_LAUNCHER",
        )
    return read


def prepare(directory: Path, url: str, run_launcher: Path | None = None, kept_days: int = KEPT_DAYS) -> dict[str, str]:
    """Makes the schema, writes dagster.yaml into `directory` (mode 0600); returns the environment to set."""
    made = engine(url)
    try:
        with made.begin() as connection:
            # IF NOT EXISTS asks for the right to make schemas, which a login of its own has not.
            if connection.execute(sa.text(f"SELECT to_regnamespace('{DAGSTER}') IS NULL")).scalar_one():
                connection.execute(CreateSchema(DAGSTER, if_not_exists=True))
    finally:
        made.dispose()
    private_files.make_directory(directory)
    file = directory / "dagster.yaml"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(configuration(run_launcher, kept_days)))
    return {"DAGSTER_HOME": str(directory.resolve()), STORAGE_VARIABLE: storage_url(url)}


def cancel_runs(directory: Path, url: str) -> None:
    """Have the runs that are alive counted as cancelled when their processes are ended now, and not as failed.

    Never raises, and waits CANCEL_LIMIT_S at most: it happens on the way out, where the database may be gone already.
    """

    def cancel() -> None:
        try:
            if has_runs(url):  # to import Dagster takes seconds
                mark_canceling(directory, url)
        except Exception as error:  # noqa: BLE001  whatever it is, the processes have to be ended
            log.warning("runs_not_cancelled", error=type(error).__name__)

    thread = threading.Thread(target=cancel, name="cancel-runs", daemon=True)
    thread.start()
    thread.join(CANCEL_LIMIT_S)


def has_runs(url: str) -> bool:
    """Whether any run of Dagster's is alive, as far as its tables say."""
    made = engine(url, name="custom-events supervisor")
    try:
        with made.connect() as connection:
            if connection.execute(sa.text(f"SELECT to_regclass('{DAGSTER}.runs') IS NULL")).scalar_one():
                return False
            alive = f"SELECT EXISTS (SELECT FROM {DAGSTER}.runs WHERE status IN ('QUEUED', 'STARTING', 'STARTED'))"
            return bool(connection.execute(sa.text(alive)).scalar_one())
    finally:
        made.dispose()


def mark_canceling(directory: Path, url: str) -> int:
    """Tell Dagster that its living runs are ended on purpose. How many; what they had not done is done by later ones."""
    import dagster as dg

    os.environ[STORAGE_VARIABLE] = storage_url(url)
    alive = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    with dg.DagsterInstance.from_config(str(directory)) as instance:
        runs = instance.get_runs(filters=dg.RunsFilter(statuses=alive))
        for run in runs:
            instance.report_run_canceling(run)
        return len(runs)
