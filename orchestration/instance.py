"""Dagster's own configuration: its storage in our Postgres (schema `dagster`), runs launched at once, no telemetry."""

import threading
from pathlib import Path

import structlog
import yaml
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateSchema

from custom_events.postgres.connect import engine
from custom_events.settings import Settings
from custom_events.tables.base import DAGSTER

# dagster-postgres speaks psycopg2; SQLAlchemy 2.1 would take psycopg 3 for a bare postgresql:// address.
DRIVER = "postgresql+psycopg2"
CANCEL_LIMIT_S = 5.0  # to import Dagster takes 2 s on an idle core; `docker stop` kills after 10 s

log = structlog.get_logger(__name__)


def home(settings: Settings) -> Path:
    """Dagster's directory."""
    return settings.local_directory / "dagster"


def storage_url(url: str) -> str:
    """The database's address as dagster-postgres wants it, with its own schema first in the search path."""
    parsed = make_url(url).set(drivername=DRIVER)
    return parsed.update_query_dict({"options": f"-csearch_path={DAGSTER}"}).render_as_string(hide_password=False)


def configuration(url: str) -> dict[str, object]:
    """The content of dagster.yaml."""
    return {
        "storage": {"postgres": {"postgres_url": storage_url(url)}},
        # The daemon's queue would add its own waiting; the sensors already keep to one run a stage.
        "run_coordinator": {"module": "dagster.core.run_coordinator", "class": "DefaultRunCoordinator"},
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},  # its first page asks for a newsletter before it shows anything
        "run_monitoring": {"enabled": True},
    }


def prepare(directory: Path, url: str) -> dict[str, str]:
    """Makes the schema, writes dagster.yaml into `directory` (mode 0600: the address may hold a password); returns the
    environment to set."""
    made = engine(url)
    try:
        with made.begin() as connection:
            connection.execute(CreateSchema(DAGSTER, if_not_exists=True))
    finally:
        made.dispose()
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "dagster.yaml"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(configuration(url)))
    return {"DAGSTER_HOME": str(directory.resolve())}


def cancel_runs(directory: Path) -> None:
    """Have the runs that are alive counted as cancelled when their processes are ended now, and not as failed.

    Never raises, and waits CANCEL_LIMIT_S at most: it happens on the way out, where the database may be gone already.
    """

    def cancel() -> None:
        try:
            mark_canceling(directory)
        except Exception as error:  # noqa: BLE001  whatever it is, the processes have to be ended
            log.warning("runs_not_cancelled", error=type(error).__name__)

    thread = threading.Thread(target=cancel, name="cancel-runs", daemon=True)
    thread.start()
    thread.join(CANCEL_LIMIT_S)


def mark_canceling(directory: Path) -> int:
    """Tell Dagster that its living runs are ended on purpose. How many; what they had not done is done by later ones."""
    import dagster as dg

    alive = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    with dg.DagsterInstance.from_config(str(directory)) as instance:
        runs = instance.get_runs(filters=dg.RunsFilter(statuses=alive))
        for run in runs:
            instance.report_run_canceling(run)
        return len(runs)
