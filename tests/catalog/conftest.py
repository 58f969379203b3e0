from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from custom_events.catalog import ads, definitions, sites
from custom_events.catalog.sites import Site
from custom_events.postgres import connect
from custom_events.values.conversions import Lane
from custom_events.values.deliveries import Platform

ME = "ana@example.org"


@pytest.fixture(scope="session")
def _catalog_engine(postgres_url: str, _template: str) -> Iterator[sa.Engine]:
    """One migrated database for all tests here: what they do is rolled back."""
    server = connect.engine(postgres_url, name="tests").execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE catalog_tests TEMPLATE {_template}"))
    server.dispose()
    url = sa.make_url(postgres_url).set(database="catalog_tests").render_as_string(hide_password=False)
    engine = connect.engine(url, name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def connection(_catalog_engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction, rolled back."""
    with _catalog_engine.connect() as made, made.begin() as transaction:
        yield made
        transaction.rollback()


@pytest.fixture(scope="session")
def key() -> bytes:
    return Fernet.generate_key()


@pytest.fixture
def site(connection: sa.Connection) -> Site:
    return sites.create(
        connection, platform=Platform.SHOPIFY, name="Shop", actor=ME, shop_domain="shop.myshopify.com", currency="EUR"
    )


@pytest.fixture
def purchase(connection: sa.Connection) -> str:
    """A published definition."""
    definitions.create(connection, key="bought", name="Bought", config={"trigger": ["order.paid"]}, author=ME)
    definitions.publish(connection, "bought", 1, by=ME)
    return "bought"


@pytest.fixture
def action(connection: sa.Connection) -> str:
    """A conversion action with a window of 30 days."""
    ads.create_account(
        connection, customer_id="123-456-7890", name="Ads", lane=Lane.GOOGLE_ADS, actor=ME, currency="EUR"
    )
    made = ads.create_action(
        connection, customer_id="1234567890", action_id="77", name="Buy", actor=ME, click_window_days=30
    )
    return made.reference


@pytest.fixture
def refused_by_database(connection: sa.Connection) -> Callable[[str], str]:
    """Run a statement that the database must refuse; its message."""

    def run(statement: str) -> str:
        with pytest.raises(sa.exc.IntegrityError) as caught, connection.begin_nested():
            connection.execute(sa.text(statement))
        return str(caught.value.orig)

    return run
