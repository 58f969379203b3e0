"""Who is told what, and when: changes, not looks."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from custom_events.errors import Transient
from custom_events.queries import watching as queries
from custom_events.settings import Settings
from custom_events.watching import exposition, messages
from custom_events.watching.alarms import WATCHES, Severity, number, raised
from custom_events.watching.metrics import METRICS, Reading, Sample
from custom_events.watching.state import Episode, News
from custom_events.watching.watch import Look, look

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONSOLE = "https://console.example"


class Told:
    """A channel that remembers, and can be out of order."""

    def __init__(self, name: str = "told") -> None:
        self.name = name
        self.titles: list[str] = []
        self.texts: list[str] = []
        self.broken = False

    def send(self, message: messages.Message) -> None:
        if self.broken:
            raise Transient("out of order")
        self.titles.append(message.title)
        self.texts.append(message.text)


class Watcher:
    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.now = START
        self.told = Told()
        self.others: tuple[Told, ...] = ()

    def forward(self, **step: float) -> "Watcher":
        self.now += timedelta(**step)
        return self

    def look(self, **options: bool) -> Look:
        return look(self.engine, (self.told, *self.others), Settings(console_url=CONSOLE), self.now, **options)

    def park(self, reason: str | None) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text("UPDATE app.ads_accounts SET parked_reason = :r"), {"r": reason})


@pytest.fixture
def watcher(engine: sa.Engine) -> Watcher:
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES ('1234567890', 'A', 'google_ads')")
        )
    return Watcher(engine)


FORBIDDEN = """
INSERT INTO app.sites (id, site_key, platform, name) VALUES (7, 'shop', 'woocommerce', 'Shop');
INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, reason, new_events)
SELECT date_trunc('week', at AT TIME ZONE 'UTC')::date, place, at, 7, 'parked', reason, 0
FROM (VALUES (1, 'rest_forbidden'), (2, 'rest_forbidden'), (3, 'rest_error')) AS g(place, reason),
  (SELECT CAST('2026-11-20 11:00+00' AS timestamptz) AS at) t
"""


def test_a_store_that_sends_errors_in_place_of_orders(watcher: Watcher) -> None:
    with watcher.engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(FORBIDDEN)
    assert watcher.look().told == {"told": 1}
    assert watcher.told.titles == ["Custom Events: opened: StoreForbidsReading (site shop, reason rest_forbidden)"]
    assert "give the webhook to an administrator or a shop manager" in watcher.told.texts[0]
    assert watcher.forward(minutes=6).look().told == {"told": 1}
    assert watcher.told.titles[1:] == ["Custom Events: opened: DeliveriesParked (site shop, reason rest_error)"]


def test_what_only_rises_is_a_counter() -> None:
    reading = Reading((Sample("custom_events_odd_leaves_total", ("shop", "$.line_items[].sku"), 7.0),), frozenset())
    text = exposition.text(reading).decode()
    assert "# TYPE custom_events_odd_leaves_total counter" in text
    assert 'custom_events_odd_leaves_total{path="$.line_items[].sku",site="shop"} 7.0' in text


def test_it_speaks_on_a_change_and_not_on_every_look(watcher: Watcher) -> None:
    assert watcher.look().told == {}
    watcher.park("no right")
    assert watcher.look().told == {"told": 1}
    for _ in range(5):
        assert watcher.forward(minutes=1).look().told == {}
    assert watcher.told.titles == ["Custom Events: opened: AccountParked (account 1234567890)"]
    text = watcher.told.texts[0]
    assert "[OPENED] critical: Nothing is sent to ads account 1234567890: it waits until a person acts." in text
    assert "Since 2026-11-20 12:00 UTC (0 minutes)." in text
    assert "What to do: `custom-events uploads list` says why" in text
    assert text.endswith(f"Console: {CONSOLE}")


def test_a_day_later_it_reminds_and_then_closes(watcher: Watcher) -> None:
    watcher.park("no right")
    watcher.look()
    watcher.forward(hours=23).look()
    watcher.forward(hours=1).look()
    watcher.park(None)
    assert watcher.forward(minutes=5).look().open
    watcher.forward(minutes=5).look()
    watcher.forward(minutes=1).look()
    assert watcher.told.titles == [
        "Custom Events: opened: AccountParked (account 1234567890)",
        "Custom Events: still open: AccountParked (account 1234567890)",
        "Custom Events: closed: AccountParked (account 1234567890)",
    ]
    assert "It lasted from 2026-11-20 12:00 UTC to 2026-11-21 12:00 UTC." in watcher.told.texts[2]
    assert watcher.forward(minutes=1).look() == watcher.look()


def test_what_comes_and_goes_is_one_alarm(watcher: Watcher) -> None:
    watcher.park("no right")
    watcher.look()
    for reason in (None, "again", None, "again"):
        watcher.park(reason)
        watcher.forward(minutes=3).look()
    assert len(watcher.told.titles) == 1


def test_a_second_episode_is_news_again(watcher: Watcher) -> None:
    for reason in ("no right", None, None, "no right"):
        watcher.park(reason)
        watcher.forward(minutes=11).look()
    assert [title.split(": ")[1] for title in watcher.told.titles] == ["opened", "closed", "opened"]


def test_an_alarm_lasts_before_it_is_told(watcher: Watcher) -> None:
    """AnswersMissing asks for five minutes."""
    watcher.engine.dispose()
    with watcher.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO app.value_changes VALUES (1, 'A', :t)"), {"t": START - timedelta(hours=2)}
        )
    assert watcher.look().open == ()
    assert watcher.forward(minutes=4).look().told == {}
    found = watcher.forward(minutes=1).look()
    assert [one.name for one in found.open] == ["RefundsStalled"]
    assert found.told == {"told": 1}


def test_a_channel_out_of_order_is_tried_again_and_holds_up_no_other(watcher: Watcher) -> None:
    other = Told("other")
    watcher.others = (other,)
    watcher.told.broken = True
    watcher.park("no right")
    found = watcher.look()
    assert (found.told, found.not_told) == ({"other": 1}, {"told": "out of order"})
    watcher.told.broken = False
    found = watcher.forward(minutes=1).look()
    assert (found.told, found.not_told) == ({"told": 1}, {})
    assert len(other.titles) == len(watcher.told.titles) == 1


def test_nobody_hears_the_all_clear_of_what_nobody_heard(watcher: Watcher) -> None:
    watcher.told.broken = True
    watcher.park("no right")
    watcher.look()
    watcher.told.broken = False
    watcher.park(None)
    watcher.forward(minutes=11).look()
    assert watcher.told.titles == []


def test_many_at_once_are_one_message(watcher: Watcher) -> None:
    with watcher.engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO app.ads_accounts (customer_id, name, lane, parked_reason) "
                "SELECT '30000000' || i, 'A', 'google_ads', 'x' FROM generate_series(10, 40) AS i"
            )
        )
    assert watcher.look().told == {"told": 31}
    assert watcher.told.titles == ["Custom Events: 31 opened"]
    assert watcher.told.texts[0].count("[OPENED]") == messages.MOST_PARTS
    assert "... and 11 more." in watcher.told.texts[0]


def test_sums_that_were_not_counted_are_neither_opened_nor_closed(watcher: Watcher) -> None:
    with watcher.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO landing.receipts VALUES (now(), 5, 0, 0, 0)"))
    assert watcher.look().told == {}
    assert watcher.look(with_sums=True).told == {"told": 1}
    watcher.forward(minutes=30).look()
    assert [one.name for one in watcher.look().open] == ["SumsDisagree"]
    with watcher.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM landing.receipts"))
    watcher.look(with_sums=True)
    assert watcher.look().open == ()
    assert "The sum of what was received does not agree" in watcher.told.texts[0]


def test_two_watchers_do_not_tell_twice(watcher: Watcher) -> None:
    with watcher.engine.connect() as other:
        other.execute(queries.TAKE_TURN, {"key": queries.WATCHERS})
        watcher.park("no right")
        assert watcher.look().other_watches
        other.execute(queries.END_TURN, {"key": queries.WATCHERS})
    assert watcher.look().told == {"told": 1}


# ---------------------------------------------------------------- without a database


def sample(metric: str, value: float, *labels: str) -> Sample:
    return Sample(f"custom_events_{metric}", labels, value)


def names(*samples: Sample) -> list[Any]:
    return [alarm.key for alarm in raised(Reading(samples, frozenset(METRICS)))]


def test_limits() -> None:
    assert names(sample("uploads_success_ratio", 0.99, "1"), sample("uploads_expiring_rows", 9, "1", "168")) == []
    assert names(sample("uploads_success_ratio", 0.98, "1"), sample("uploads_expiring_rows", 9, "1", "48")) == [
        "ConversionsExpireSoon{account=1,within_hours=48}",
        "SuccessRateLow{account=1}",
    ]
    assert names(sample("receiver_quarantined_rows", 20, "too_old")) == []


def test_numbers_read_well() -> None:
    assert [number(value) for value in (12345.0, 0.98, 3600.4)] == ["12,345", "0.980", "3,600"]


def test_lengths_read_well() -> None:
    for hours, words in ((0.5, "30 minutes"), (5, "5 hours"), (72, "3 days")):
        episode = Episode(
            id=1, key="k", name="n", severity=Severity.WARNING, place={}, sentence="s", remedy="r",
            opened_at=START, seen_at=START,
        )  # fmt: skip
        message = messages.compose([(News.OPENED, episode)], CONSOLE, START + timedelta(hours=hours))
        assert f"({words})" in message.text
        assert message.title == "Custom Events: opened: n"


def test_every_rule_for_prometheus_names_what_is_served() -> None:
    groups = yaml.safe_load(exposition.rules())["groups"]
    rules = {rule["alert"]: rule for group in groups for rule in group["rules"]}
    assert len(rules) == len(WATCHES) + 1
    served = exposition.text(Reading((), frozenset(METRICS))).decode()
    for rule in rules.values():
        metric = rule["expr"].removeprefix("absent(").split("{")[0].split(")")[0].split(" ")[0]
        assert f"# TYPE {metric} gauge\n" in served
        assert rule["labels"]["severity"] in set(Severity)
        assert rule["annotations"]["description"]
        assert "{account}" not in rule["annotations"]["summary"]
    assert rules["ConversionsExpireSoon"]["expr"] == 'custom_events_uploads_expiring_rows{within_hours="48"} > 0'
    assert rules["SuccessRateLow"]["expr"] == "custom_events_uploads_success_ratio < 0.99"


def test_every_watch_names_a_metric_and_its_labels() -> None:
    for watch in WATCHES:
        labels = dict.fromkeys(METRICS[watch.metric].labels, "x")
        assert watch.sentence.format(value="1", **labels)
        assert {name for name, _ in watch.only} <= set(labels)
    assert len({watch.name for watch in WATCHES}) == len(WATCHES)


def test_the_text_format() -> None:
    served = exposition.text(Reading((sample("uploads_due_rows", 7, "1234567890"),), frozenset(METRICS))).decode()
    assert 'custom_events_uploads_due_rows{account="1234567890"} 7.0\n' in served
    assert json.dumps(served)
