"""Who must be forgotten, and who asks what is stored: parked, with a due date, and an alarm until somebody has carried it out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.catalog import privacy
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.postgres import connect
from custom_events.settings import Settings
from custom_events.values.deliveries import PrivacyRequest
from custom_events.watching.alarms import raised
from custom_events.watching.measure import measure

InWorld = Callable[[Callable[[Any], Any]], None]
TOPICS = ("customers/redact", "shop/redact", "customers/data_request")
OUTCOMES = "SELECT outcome, reason FROM app.raw_outcomes ORDER BY raw_id"
AGAIN = "INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT id, landed_week, site_id FROM landing.raw_events"


def alarms(connection: sa.Connection, now: datetime) -> set[tuple[str, str]]:
    reading = measure(connection, Settings.model_validate({}), now)
    return {(one.name, one.where["kind"]) for one in raised(reading) if one.name.startswith("Privacy")}


def test_it_is_parked_until_somebody_has_carried_it_out(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        raw_ids = [world.land(site, topic, {"shop_id": 1}) for topic in TOPICS]
        await world.batch()
        assert await world.rows(OUTCOMES) == [("parked", kind.value) for kind in PrivacyRequest]
        engine = connect.engine(world.url)
        with engine.begin() as connection:
            found = privacy.requests(connection)
            assert [(one.raw_id, one.kind) for one in found] == list(zip(raw_ids, PrivacyRequest, strict=True))
            assert {one.due_at - one.received_at for one in found} == {timedelta(days=30)}
            now = datetime.now(UTC)
            assert alarms(connection, now) == {("PrivacyRequestOpen", kind.value) for kind in PrivacyRequest}
            assert ("PrivacyRequestDue", "redact_shop") in alarms(connection, now + timedelta(days=24))
            for raw_id in raw_ids:
                privacy.done(connection, raw_id, actor="anna", note="deleted by hand")
            assert alarms(connection, now) == set()
            assert privacy.requests(connection) == []
            assert {(one.done_by, one.note) for one in privacy.requests(connection, every=True)} == {
                ("anna", "deleted by hand")
            }
        engine.dispose()

    in_world(test)


def test_one_that_is_understood_again_stays_closed(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        raw_id = world.land(world.site(), "shop/redact", {})
        await world.batch()
        engine = connect.engine(world.url)
        with engine.begin() as connection:
            privacy.done(connection, raw_id, actor="anna", note="done")
        await world.connection.execute("DELETE FROM app.raw_outcomes")
        await world.connection.execute(AGAIN)
        assert (await world.batch()).parked == {"redact_shop": 1}
        with engine.begin() as connection:
            assert privacy.requests(connection) == []
            with pytest.raises(NeedsAction, match=r"was carried out on .* by anna"):
                privacy.done(connection, raw_id, actor="anna", note="again")
            for unknown in (raw_id + 1, -1, 2**70):
                with pytest.raises(NotFound, match="privacy list"):
                    privacy.done(connection, unknown, actor="anna", note="again")
            with pytest.raises(InvalidConfiguration, match="say what was done"):
                privacy.done(connection, raw_id, actor="anna", note=" ")
        engine.dispose()

    in_world(test)
