"""What assets are given: the database's address and dbt. Made when a run needs them, never at import."""

import os
from typing import Any

import dagster as dg

from custom_events.postgres.address import database
from custom_events.settings import settings
from orchestration import dbt_project


@dg.resource(description="libpq URL of the project's database.")
def database_url(_: dg.InitResourceContext) -> str:
    """DATABASE_URL, else the embedded server that is already running."""
    return address()


def address() -> str:
    """The database's URL, for sensors as well, which have no resources of their own."""
    with database(settings()) as url:
        return url


@dg.resource(description="dbt with the project's directory and profile.")
def dbt(_: dg.InitResourceContext) -> Any:
    """The command dbt (DbtCliResource), with the database's address in its environment."""
    from dagster_dbt import DbtCliResource  # imports dbt, which no other run needs

    own = settings().reporting_database_url
    os.environ.update(dbt_project.environment(address() if own is None else own.get_secret_value()))
    directory = os.fspath(dbt_project.directory(settings()))
    return DbtCliResource(project_dir=directory, profiles_dir=directory, dbt_executable=dbt_project.executable())
