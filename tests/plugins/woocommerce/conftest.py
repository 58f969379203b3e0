"""A real WordPress, by npm, in which the plugin lies and is not active."""

from pathlib import Path

import pytest

from plugins.woocommerce.tests import real_wordpress


@pytest.fixture(scope="session")
def wordpress(tmp_path_factory: pytest.TempPathFactory) -> Path:
    problem = real_wordpress.bring()
    if problem:
        pytest.skip(f"npm brought no WordPress: {problem}")
    shop = tmp_path_factory.mktemp("wordpress") / "shop"
    real_wordpress.install(shop)
    return shop
