"""Somebody to sign in to the demo, by a link that no server sees, and something to publish."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa

from custom_events.access import people, sessions
from custom_events.catalog import definitions, sites
from custom_events.settings import Settings
from custom_events.values.deliveries import Platform
from custom_events.watching import state
from sandbox.demo.console import DRAFT, LOGIN, prepare_console, show_alarms, sign_in_link
from tests.console.api.raw_rows import parked_delivery


def test_the_link_signs_one_in_as_an_administrator_and_each_run_has_another_password(engine: sa.Engine) -> None:
    settings = Settings(_env_file=None, console_port=18080)
    passwords = []
    for _ in range(2):
        with engine.begin() as connection:
            passwords.append(prepare_console(connection))
    assert passwords[0] != passwords[1]
    link = urlsplit(sign_in_link(settings, passwords[1]))
    assert (link.netloc, link.path, link.query) == ("127.0.0.1:18080", "/sign-in", "")
    given = {name: value for name, (value,) in parse_qs(link.fragment).items()}
    token = sessions.sign_in(engine, **given, client_address="", user_agent="", settings=settings)
    with engine.begin() as connection:
        caller = sessions.caller_of(connection, token, settings)
        assert caller is not None
        assert caller.name == LOGIN
        assert definitions.get(connection, DRAFT).state == "draft"
        assert people.called(connection, LOGIN).disabled_at is None


def test_parked_bodies_are_an_alarm_at_once(engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    with engine.begin() as connection:
        site = sites.create(connection, platform=Platform.CUSTOM, name="Shop", actor="test", currency="EUR")
        parked_delivery(connection, site.id, b'{"id": 1}', "unknown_topic")
    show_alarms(engine, Settings(_env_file=None), now)
    with engine.connect() as connection:
        assert "DeliveriesParked" in {episode.name for episode in state.episodes(connection, now)}
