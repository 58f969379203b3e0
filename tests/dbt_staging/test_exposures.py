"""Each report of the console that reads a mart is an exposure of it."""

import yaml

from custom_events.browse.reports import SOURCES
from dbt_staging.sources import SOURCES_FILE

FILE = SOURCES_FILE.parents[1] / "exposures.yml"


def test_reports_of_the_console_are_exposures() -> None:
    exposures = {one["url"].rpartition("/reports/")[2]: one for one in yaml.safe_load(FILE.read_text())["exposures"]}
    for name, source in SOURCES.items():
        assert f"ref('{source.table}')" in exposures[name]["depends_on"], name
