"""Dagster's own configuration: its storage in our Postgres (schema `dagster`), runs launched at once, no telemetry."""

from pathlib import Path

import yaml
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateSchema

from custom_events.postgres.connect import engine
from custom_events.tables.base import DAGSTER

# dagster-postgres speaks psycopg2; SQLAlchemy 2.1 would take psycopg 3 for a bare postgresql:// address.
DRIVER = "postgresql+psycopg2"


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
