"""dbt in the test's own process, on its database: the project is parsed once, each build then takes as long as its SQL."""

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from orchestration import dbt_project

WHOLE_BUILD = ("build", "--exclude-resource-type", "unit_test")
COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


class Warehouse:
    """dbt's project on one database. What dbt writes beside it goes to a directory of the test."""

    def __init__(self, url: str, engine: sa.Engine, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url, self.engine, self.directory, self._monkeypatch = url, engine, directory, monkeypatch
        self._manifest: Any = None

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> list[Any]:
        """One command of dbt; its results by node. Raises AssertionError with what dbt says where a node failed."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of dbt's libraries
            from dbt.cli.main import dbtRunner

            for name, value in {**dbt_project.environment(self.url), **(environment or {})}.items():
                self._monkeypatch.setenv(name, value)
            if self._manifest is None:
                parsed = dbtRunner().invoke(["parse", "--quiet", *self._directories()])
                assert parsed.success, parsed.exception
                self._manifest = parsed.result
            manifest = self._manifest.deepcopy()  # a command leaves marks in it
            done = dbtRunner(manifest=manifest).invoke([*arguments, "--quiet", *self._directories()])
        results = list(done.result or [])
        failed = [
            f"{r.node.name}: {r.message}" for r in results if r.status in ("error", "fail", "warn", "runtime error")
        ]
        assert done.success, failed or done.exception
        return results

    def build(self, *arguments: str, environment: Mapping[str, str] | None = None) -> list[Any]:
        """Build and test all models, without the unit tests, which need no data."""
        return self.run(*WHOLE_BUILD, *arguments, environment=environment)

    def kept(self, *arguments: str, environment: Mapping[str, str] | None = None) -> list[Any]:
        """Build the kept tables; the views under them must be there."""
        return self.run("run", "--select", "config.materialized:kept_table", *arguments, environment=environment)

    def everything(self) -> dict[str, list[str]]:
        """Every row of every kept table as text, in its order."""
        texts: dict[str, list[str]] = {}
        for model in self.marks():
            columns = ", ".join(self.columns(model))
            texts[model] = sorted(row[0] for row in self.rows(f"SELECT row({columns})::text FROM reporting.{model}"))
        return texts

    def columns(self, model: str) -> list[str]:
        """The columns of a kept table, without the number of the transaction that wrote the row."""
        names = self.rows(COLUMNS, table=f"reporting.{model}")
        return [row.attname for row in names if row.attname != "kept_by"]

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """The rows of a statement."""
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(statement), values).all())

    def marks(self) -> dict[str, Any]:
        """What the last build of each kept table did."""
        return {row.model: row for row in self.rows("SELECT * FROM reporting.kept_marks")}

    def _directories(self) -> list[str]:
        target = self.directory / "target"
        if not target.exists():
            source = dbt_project.PROJECT_DIRECTORY / "target" / "partial_parse.msgpack"
            target.mkdir()
            if source.is_file():  # what was parsed before need not be again
                shutil.copy(source, target / source.name)
        project = str(dbt_project.PROJECT_DIRECTORY)
        logs = str(self.directory / "logs")
        return ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target), "--log-path", logs]
