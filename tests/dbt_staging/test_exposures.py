"""Each report of the console that reads a mart is an exposure of it, and each that ships with the product."""

from typing import Any

import yaml

from custom_events.browse.reports import SOURCES
from custom_events.reports.built_in import BUILT_IN
from dbt_staging.sources import SOURCES_FILE

FILE = SOURCES_FILE.parents[1] / "exposures.yml"


def exposures() -> list[dict[str, Any]]:
    return yaml.safe_load(FILE.read_text())["exposures"]


def test_reports_of_the_console_are_exposures() -> None:
    by_page = {exposure["url"].rpartition("/reports/")[2]: exposure for exposure in exposures()}
    for name, source in SOURCES.items():
        assert f"ref('{source.table}')" in by_page[name]["depends_on"], name


def test_reports_that_ship_with_the_product_are_exposures() -> None:
    marts = {exposure["name"]: exposure["depends_on"] for exposure in exposures() if exposure["type"] == "analysis"}
    assert marts == {f"report_{key}": [f"ref('{report.content.mart}')"] for key, report in BUILT_IN.items()}
