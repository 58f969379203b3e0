"""Somebody who asked to be forgotten at a store whose orders have other shapes is found nowhere in the database, nor in a file of ours."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.redaction import requests
from custom_events.redaction.person import person
from custom_events.values.deliveries import PrivacyRequest
from tests.redaction.conftest import ANN, KEY, Planted
from tests.world import World

SAMPLES = Path(__file__).parents[1] / "platforms" / "samples"
NUMBER = str(ANN.number)
# What the samples' person is called, and their ids, in place of Ann's.
OF_SAMPLES = {
    "maja.lindqvist@example.org": ANN.email, "Maja.Lindqvist@example.org": ANN.email, "maja@example.org": ANN.email,
    "Maja": ANN.first, "Lindqvist": ANN.last, "Kungsgatan 12": ANN.street, "Storgatan 1": ANN.street,
    "cus_R1": f"cus_{NUMBER}", "pi_3QaOne": f"pi_{NUMBER}", "in_1QaTwo": f"in_{NUMBER}", "cs_live_a1B2c3": f"cs_{NUMBER}", "sub_1Qa": f"sub_{NUMBER}",
    "evt_1Qsample": f"evt_{NUMBER}", "W-1042": f"W-{NUMBER}", "F-2026-0007": f"F-{NUMBER}",
    "Cj0KCQiA-stripe-one": f"Cj0KCQiA-{NUMBER}", "Cj0KCQiA-first-click": f"Cj0KCQiB-{NUMBER}", "Cj0KCQ-bigcommerce-1": f"Cj0KCQ-{NUMBER}",
    "1184": NUMBER, "5f0f2a3e": NUMBER, '"customer_id": 57': f'"customer_id": {NUMBER}',
}  # fmt: skip
BODIES = {
    "stripe": [
        *("customer.created--shopper", "checkout.session.completed--one_time", "invoice.paid--first"),
        *("customer.subscription.created--active", "invoice.paid--renewal", "refund.created--part"),
    ],
    "bigcommerce": ["store__order__created--hook", "order.read--paid_by_card"],
}
TABLES = sa.text(
    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname <> 'information_schema'"
)


def delivered(platform: str, name: str) -> tuple[str, Any]:
    """Topic and body of a sample, of Ann."""
    text = json.dumps(json.loads((SAMPLES / platform / f"{name}.json").read_text()), ensure_ascii=False)
    for theirs, hers in OF_SAMPLES.items():
        text = text.replace(theirs, hers)
    return name.partition("--")[0].replace("__", "/"), json.loads(text)


def tables_with(planted: Planted, words: list[str]) -> set[str]:
    """Every table of the server's database in whose rows one of the words stands, whoever made it."""
    with planted.engine.connect() as connection:
        return {
            name
            for (name,) in connection.execute(TABLES).all()
            if not name.startswith("pg_catalog.")
            and connection.execute(
                sa.text(f"SELECT EXISTS (SELECT FROM {name} t WHERE lower(t::text) ~ :words)"),
                {"words": "|".join(words)},
            ).scalar_one()
        }


@pytest.mark.parametrize("platform", BODIES)
def test_nothing_of_a_forgotten_person_is_left(planted: Planted, platform: str) -> None:
    world = World(planted.url, planted.engine)
    site = world.site(f"planted-{platform}", platform, default_country="SE")
    world.rule(site, f"purchase_{platform}")
    world.rule(site, f"first_{platform}", dedup={"per": "customer"}, trigger=["order.created"])
    for name in BODIES[platform]:
        world.land(site, *delivered(platform, name))
    planted.drain()
    there = planted.found(ANN)
    assert {
        "landing.raw_events",
        "app.commerce_events",
        "app.orders",
        "app.clicks",
        "app.custom_events",
    } <= there.keys()
    with planted.engine.begin() as connection:
        who = person(emails=(ANN.email,), customer_ids=(f"cus_{NUMBER}", NUMBER))
        kind, now = PrivacyRequest.REDACT_CUSTOMER, datetime.now(UTC)
        requests.ask(connection, KEY, site, kind, who, actor="test", now=now)
    assert [request.is_done for request in planted.carry_out()] == [True]
    assert planted.found(ANN) == {}
    traces = [trace.lower() for trace in ANN.traces({}).values()]
    assert tables_with(planted, traces) == set()
    files = [file for file in planted.settings.local_directory.rglob("*") if file.is_file()]
    assert [file for file in files if any(trace.encode() in file.read_bytes().lower() for trace in traces)] == []
