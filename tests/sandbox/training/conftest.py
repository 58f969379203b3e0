"""A small world with what the courses ask about: an order that is not sent, one that Google has, a parked and a refused delivery."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from custom_events.postgres import connect
from sandbox.training.courses import COURSES
from sandbox.training.exercises import Exercise, Lesson, Verdict
from tests.backtest.conftest import PastWorld

SENT, NOT_SENT, LARGE = 1, 2, 3  # numbers of orders


class Class:
    """A world, and the courses about it."""

    def __init__(self, world: PastWorld, platform: str = "shopify") -> None:
        self.world = world
        self.shop = world.site(platform=platform)

    @property
    def lesson(self) -> Lesson:
        engine = self.world.engine
        return Lesson(engine=engine, url=connect.libpq_url(engine), settings=self.world.settings, now=datetime.now(UTC))

    def exercise(self, course: str, key: str) -> Exercise:
        return next(exercise for exercise in COURSES[course] if exercise.key == key)

    def question(self, course: str, key: str) -> str:
        return self.exercise(course, key).question(self.lesson)

    def verdict(self, course: str, key: str, answer: str = "") -> Verdict:
        return self.exercise(course, key).check(self.lesson, answer)

    def is_right(self, course: str, key: str, answer: str = "") -> bool:
        return self.verdict(course, key, answer).is_right

    def accept(self, number: int) -> None:
        """Google has accepted the conversion of an order."""
        for state in ("claimed", "sent", "accepted"):
            self.world.execute(
                "UPDATE app.conversion_uploads SET state = :state, settled_at = CASE WHEN :state = 'accepted' THEN now() END "
                "WHERE order_id = :order",
                state=state,
                order=str(number),
            )

    def adjust(self, number: int, kind: str, sequence: int, value: str) -> None:
        """And an adjustment of it."""
        self.world.execute(
            """INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id,
              kind, transaction_id, sequence, order_id, conversion_at, adjusted_at, value, currency, ad_user_data, ad_personalization,
              state, not_before, deadline_at, settled_at)
            SELECT now(), site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, :kind, transaction_id, :sequence,
              order_id, conversion_at, now(), CAST(:value AS numeric), currency, ad_user_data, ad_personalization, 'accepted', now(),
              deadline_at, now()
            FROM app.conversion_uploads WHERE order_id = :order AND sequence = 0""",
            kind=kind, sequence=sequence, value=value, order=str(number),
        )  # fmt: skip


@pytest.fixture
def empty_class(database: str, engine: sa.Engine) -> Class:
    """A site, and nothing of it."""
    return Class(PastWorld(database, engine))


@pytest.fixture
def taught(empty_class: Class) -> Class:
    """Three orders under a rule, one of them without a click, and a delivery that is no JSON."""
    world, shop = empty_class.world, empty_class.shop
    world.assign(shop, world.define("bought"), ads_action=world.action())
    world.order(shop, SENT, 8)
    world.order(shop, NOT_SENT, 9, note_attributes=[], email=None, customer={"id": 7})
    world.order(shop, LARGE, 10, total_price="250.00")
    world.land(shop, "orders/paid", b"no JSON")
    world.drain()
    return empty_class
