"""The whole product, in processes as people run them."""

import pytest


@pytest.fixture(autouse=True)
def _as_people_run_it(untraced_processes: None) -> None:
    """Without coverage in the processes."""
