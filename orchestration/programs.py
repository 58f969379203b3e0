"""The product's processes, as `custom-events up` and the demo start them."""

from pathlib import Path

from custom_events.errors import NeedsAction
from custom_events.settings import Settings
from orchestration import dbt_project, instance
from orchestration.processes import Program, python

ROOT = Path(__file__).parents[1]
DAGSTER = "dagster"


def receiver(settings: Settings) -> Program:
    """The public webhook receiver."""
    return Program(
        name="receiver",
        arguments=python("ingest_api.serve"),
        port=settings.receiver_port,
        port_setting="CUSTOM_EVENTS_RECEIVER_PORT",
    )


def console(settings: Settings) -> Program:
    """The console's server: the JSON API."""
    return Program(
        name="console",
        arguments=python("console.serve"),
        port=settings.console_port,
        port_setting="CUSTOM_EVENTS_CONSOLE_PORT",
    )


def dagster(settings: Settings) -> Program:
    """Dagster's webserver and daemon with one code location between them, and dbt's manifest, which it reads.

    Raises NeedsAction outside a checkout, and when dbt cannot read its models.
    """
    if not (ROOT / "workspace.yaml").is_file():
        raise NeedsAction(
            f"Dagster needs workspace.yaml and dbt/, and {ROOT} has none: a wheel holds the receiver, the console and the "
            "command only. Run this from a checkout of the project."
        )
    dbt_project.parse_if_needed()
    arguments = [
        "dev",
        *("--workspace", str(ROOT / "workspace.yaml")),
        *("--host", settings.dagster_host),
        *("--port", str(settings.dagster_port)),
        *("--log-level", "warning"),
    ]
    return Program(
        name=DAGSTER,
        arguments=python("dagster", *arguments),
        port=settings.dagster_port,
        port_setting="CUSTOM_EVENTS_DAGSTER_PORT",
    )


def environment(settings: Settings, url: str) -> dict[str, str]:
    """What every process needs: the one database, Dagster's home, dbt's connection."""
    return {
        "DATABASE_URL": url,
        "PYTHONPATH": str(ROOT),
        "CUSTOM_EVENTS_LOCAL_DIRECTORY": str(settings.local_directory.resolve()),
        **instance.prepare(instance.home(settings), url),
        **dbt_project.environment(url),
    }


def addresses(settings: Settings) -> dict[str, str]:
    """What to open in a browser or post to."""
    return {
        "Webhooks": f"http://{settings.receiver_host}:{settings.receiver_port}/webhooks/...",
        "Console API": f"http://{settings.console_host}:{settings.console_port}/docs",
        "Dagster": f"http://{settings.dagster_host}:{settings.dagster_port}",
    }
