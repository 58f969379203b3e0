"""docs/reference/marts.md: the tables of schema `reporting` that people read, made of the YAML beside their models."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from dbt_staging.sources import SOURCES_FILE

MARTS: Final = SOURCES_FILE.parents[1] / "marts"
PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "marts.md"

_HEAD: Final = """\
# Tables for reports

What dbt makes in the schema `reporting`, from `dbt/models/marts`. The first sentence says what one row is. Days are those of the site's time zone (`dim_sites.time_zone`),
by the one source of zones ([decision 18](../decisions/0018-one-source-of-time-zones.md)); times are UTC. Amounts stand in their own currency (`currency`),
and in the reporting currency (`..._in_reporting`) by the rate of their day: where no rate was loaded they are null and `lacks_rate` says so; they
are never taken for rates of 1. Tables hold sums and counts; divide where you read.

A build changes the rows that differ, hourly, while others read ([decision 50](../decisions/0050-kept-tables.md)). `reporting.kept_marks` says when each table was built last.
Beside the columns here each table has `kept_by`, by which builds find new rows ([decision 60](../decisions/0060-what-builds-look-up.md)).
"""


def render() -> str:
    """The page, whole."""
    return "\n".join([_HEAD, *_tables()])


def _tables() -> Iterator[str]:
    for file in sorted(MARTS.glob("*.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", []):
            yield f"## {model['name']}\n\n{model['description'].strip()}\n"
            yield "| column | type | what it is |\n|---|---|---|"
            yield from (_row(column) for column in model["columns"])
            yield ""


def _row(column: Mapping[str, Any]) -> str:
    description = str(column["description"]).strip().replace("|", "\\|").replace("\n", " ")
    return f"| `{column['name']}` | {column.get('data_type', '')} | {description} |"


def write(file: Path = PAGE) -> None:
    """Write the page."""
    file.write_text(render(), encoding="utf-8")
