"""Variables that deployments set and that are no settings of ours."""

from typing import Final

OTHERS: Final = frozenset({"DAGSTER_CURRENT_IMAGE"})  # what Dagster starts runs with
