"""Stores are read, and apps in shops are watched, by the pipeline's login; the console's connects shops. Each with no more than its own rights."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from custom_events.postgres import connect, role_logins
from custom_events.postgres.role_logins import Program
from custom_events.recovery.run import recover_all
from custom_events.settings import Settings
from custom_events.shopify_app import installing, watching
from sandbox.stores.shopify_admin.server import ShopifyAdmin
from tests.recovery.conftest import ShopWorld
from tests.shopify_app.conftest import clock, settings, store
from tests.shopify_app.owner import SHOP, install

__all__ = ["clock", "settings", "store"]


@contextmanager
def engine_of(owner: sa.Engine, program: Program) -> Generator[sa.Engine]:
    with owner.begin() as connection:
        url = role_logins.make(connection, [program])[program]
    engine = connect.engine(url, name="tests")
    try:
        yield engine
    finally:
        engine.dispose()


def test_the_pipeline_reads_stores(world: ShopWorld) -> None:
    world.order(1)
    with engine_of(world.engine, Program.PIPELINE) as pipeline:
        (recovery,) = recover_all(pipeline, world.settings, world.now)
    assert (recovery.landed, recovery.problem) == (1, None)


def test_the_console_connects_shops_and_the_pipeline_watches_and_reads_them(
    engine: sa.Engine, settings: Settings, store: ShopifyAdmin
) -> None:
    with engine_of(engine, Program.CONSOLE) as console:
        begun = installing.begin(console, settings, [("shop", SHOP)])
        assert isinstance(begun, installing.Begun)
        assert install(console, settings, begun).look.problems == ()
    with engine.begin() as connection:  # the token must be renewed
        connection.exec_driver_sql("UPDATE app.shopify_installations SET access_expires_at = now()")
    store.admin.shops[SHOP].webhooks.clear()  # and all of them registered again
    with engine_of(engine, Program.PIPELINE) as pipeline:
        (look,) = watching.watch_all(pipeline, settings, actor="test")
        assert [problem.what for problem in look.problems] == [watching.REGISTERED_AGAIN]
        assert [recovery.problem for recovery in recover_all(pipeline, settings, datetime.now(UTC))] == [None]
