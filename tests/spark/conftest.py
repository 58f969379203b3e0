"""An archive of many deliveries, some of the same events, that were drained; and Spark's own warnings, which are not ours."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.queries.stored_facts import facts_of
from custom_events.values import events
from tests.archive.conftest import LATER, OldWeek, settings_of_folder
from tests.world import NOON, World

STORED = sa.text(f"SELECT e.site_id, e.key, {facts_of('e')} FROM app.commerce_events e ORDER BY 1, 2")


class ArchivedPast(OldWeek):
    """Two sites whose orders were told of several times, in another order than they happened."""

    def land_told_again(self, orders: int = 12) -> None:
        """Each order as paid, as updated with a click, and refunded; some that nobody understands."""
        bodies: list[tuple[int, str, Any]] = []
        for number in range(1, orders + 1):
            at = (NOON - timedelta(minutes=number)).isoformat()
            paid = {"id": number, "created_at": at, "updated_at": at, "total_price": "1.10", "currency": "EUR"}
            paid |= {"financial_status": "paid", "email": f"person{number}@example.org", "line_items": []}
            later = (NOON + timedelta(minutes=number)).isoformat()
            attributes = [
                {"name": "gclid", "value": f"Click-{number}"},
                {"name": "consent_ad_user_data", "value": "granted"},
            ]
            updated = paid | {"updated_at": later, "note_attributes": attributes}
            refund = {"id": number * 10, "order_id": number, "created_at": later, "refund_line_items": []}
            refund["transactions"] = [
                {"id": number, "kind": "refund", "status": "success", "amount": "0.10", "currency": "EUR"}
            ]
            bodies += [(self.sites[0], "orders/paid", paid), (self.sites[0], "orders/updated", updated)]
            bodies += [(self.sites[0], "refunds/create", refund), (self.sites[0], "orders/paid", {"id": "none"})]
        random.Random(7).shuffle(bodies)
        for site, topic, body in bodies:
            self.world.land(site, topic, body)
        self.land(orders)

    def stored(self) -> list[tuple[int, str, str]]:
        """What the workers have made of it: site, key and the event's JSON, byte for byte."""
        with self.engine.connect() as connection:
            return [
                (row.site_id, row.key, events.to_json(events.from_json(row.facts)).decode())
                for row in connection.execute(STORED)
            ]

    def archived(self, at: datetime = LATER) -> None:
        """Drained, and in the archive."""
        assert [week.problem for week in self.write(at)] == [None]


@pytest.fixture
def past(database: str, engine: sa.Engine, tmp_path: Path) -> ArchivedPast:
    """With its archive in a folder; nothing has landed."""
    return ArchivedPast(World(database, engine), settings_of_folder(tmp_path))
