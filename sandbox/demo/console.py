"""What the demo gives the console: somebody who signs in, by a link, something to publish, and what is wrong."""

import secrets
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import sqlalchemy as sa

from custom_events.access import people
from custom_events.access.roles import Grant, Role
from custom_events.catalog import definitions
from custom_events.errors import NotFound
from custom_events.settings import Settings
from custom_events.watching.watch import look

LOGIN: Final = "demo"
PASSWORD_BYTES: Final = 12  # 96 bits: nobody guesses it while the demo runs
DRAFT: Final = "vip_order"
_CONFIG: Final = {
    "trigger": ["order.paid"],
    "conditions": {
        "all": [
            {"field": "order.total", "op": ">=", "value": "300.00", "currency": "EUR"},
            {"field": "customer.orders_before", "op": ">=", "value": 2},
        ]
    },
    "value": {"factor": "1.5"},
}


def prepare_console(connection: sa.Connection) -> str:
    """Make the demo's administrator, with another password in each run, and a draft. Returns the password."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    try:
        person = people.called(connection, LOGIN)
    except NotFound:
        grants = (Grant(role=Role.ADMINISTRATOR),)
        people.add(
            connection, login=LOGIN, display_name="Demo", grants=grants, actor="custom-events", password=password
        )
    else:
        people.set_password(connection, person.id, password, actor="custom-events")
    _draft(connection)
    return password


def sign_in_link(settings: Settings, password: str) -> str:
    """A link that signs one in. Login and password stand in its fragment, which browsers keep to themselves: no server and no log sees
    it. Pages use it on the machine that they run on alone (console/pages/static/console.js)."""
    return f"http://{settings.console_host}:{settings.console_port}/sign-in#{urlencode({'login': LOGIN, 'password': password})}"


def show_alarms(engine: sa.Engine, settings: Settings, now: datetime) -> None:
    """Look once at what is wrong, instead of waiting for the minute's watcher: bodies that are parked. Nobody is told."""
    look(engine, (), settings, now)


def _draft(connection: sa.Connection) -> None:
    try:
        definitions.get(connection, DRAFT)
    except NotFound:
        definitions.create(
            connection,
            key=DRAFT,
            name="VIP order",
            config=_CONFIG,
            author="custom-events",
            description="The third order of a customer or a later one, of 300 EUR and more.",
            reason="to be looked at: publish it, or edit it first",
        )
