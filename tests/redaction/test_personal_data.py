"""Every table says what it knows of people, and a redacted event says nothing."""

from pathlib import Path

import msgspec
import pytest

from custom_events.platforms import mentions
from custom_events.platforms.registry import PLATFORMS
from custom_events.redaction import personal_data
from custom_events.redaction.personal_data import PERSONAL_DATA, Done, Personal
from custom_events.tables.registry import TABLES
from custom_events.values import forgotten
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood
from custom_events.values.events import to_json
from custom_events.values.forgotten import SubjectKind, Subjects
from custom_events.values.identifiers import email_sha256, phone_sha256
from custom_events.values.platforms import Platform
from custom_events.values.redacted import redacted

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "personal-data.md"
SUBJECTS = Subjects(b"k" * forgotten.KEY_BYTES, 3)
EMAIL, PHONE = "ann@example.org", "+4930615243987"


def test_every_table_stands_in_the_map_once() -> None:
    assert sorted(PERSONAL_DATA) == sorted(f"{table.schema}.{table.name}" for table in TABLES)


def test_what_is_kept_says_why() -> None:
    kept = {name for name, one in PERSONAL_DATA.items() if isinstance(one, Personal) and one.done is Done.KEPT}
    assert kept == {
        *("app.forgotten_subjects", "app.audit_entries", "app.idempotent_answers"),
        *("app.operations", "app.operation_parts"),
    }


def test_the_page_is_what_the_map_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == personal_data.page()


@pytest.mark.parametrize(
    ("body", "topic", "found"),
    [
        (b'{"shipping": {"email": "Ann@Example.org"}}', None, {("email", "ann@example.org")}),
        (b'{"landing": "/?to=ann%40example.org"}', None, {("email", "ann@example.org")}),
        (b'{"ann@example.org": 1}', None, {("email", "ann@example.org")}),
        (b"not JSON, of ann@example.org", None, {("email", "ann@example.org")}),
        (b'{"phone": "+49 30 615243987"}', None, {("phone", PHONE)}),
        (b'{"telephone": "030 615243987"}', None, {("phone", PHONE)}),
        (b'{"phone": 4930615243987}', None, {("phone", PHONE)}),
        (b'{"anything": "+4930615243987"}', None, {("phone", PHONE)}),
        (b'{"id": 7}', "orders/edited", {("order", "7")}),
        (b'{"id": 7}', "customers/update", {("customer", "7")}),
        (b'{"id": 7}', "subscription_contracts/pause", {("subscription", "7")}),
        (b'{"id": 7}', "products/update", set()),
        (b'{"customer": {"id": "u7"}, "order_id": 8, "cart_token": "c9"}', None, {("customer", "u7"), ("order", "8"), ("cart", "c9")}),
        (b'{"x": "gid://shopify/Customer/7", "y": ["gid://shopify/Order/8"]}', None, {("customer", "7"), ("order", "8")}),
        (b'{"subscription_contract_id": 5, "total": 100, "paid": true}', None, {("subscription", "5")}),
        (b"[" * 100_000, None, set()),
        (b'{"email": "ann\xc3@example.org", "customer_id": "u\xff7"}', None, {("email", "ann\ufffd@example.org"), ("customer", "u\ufffd7")}),
    ],
)  # fmt: skip
def test_whom_a_body_mentions(body: bytes, topic: str | None, found: set[tuple[str, str]]) -> None:
    hashed = {
        (kind, email_sha256(value) if kind == "email" else phone_sha256(value, None) if kind == "phone" else value)
        for kind, value in found
    }
    told = {(kind.value, value) for kind, value in mentions.of_body(body, topic, "DE")}
    assert told == hashed


def test_a_hash_may_be_of_either() -> None:
    digest = "AB" * 32
    told = mentions.of_body(msgspec.json.encode({"a": digest}), None)
    assert told == {(SubjectKind.EMAIL, digest.lower()), (SubjectKind.PHONE, digest.lower())}


def test_what_happened_when_is_the_order_s_own_time() -> None:
    assert mentions.of_understood(Understood(deleted_order_id="7")) == mentions.Mentions(
        subjects=frozenset({(SubjectKind.ORDER, "7")})
    )


def test_pseudonyms_are_the_same_each_time_and_differ_by_site_kind_and_key() -> None:
    one = SUBJECTS.pseudonym("order", "1001")
    assert one == SUBJECTS.pseudonym("order", one)
    assert len(one) <= 64, "Google's longest transaction id"
    others = {
        Subjects(b"k" * 32, 4).pseudonym("order", "1001"),
        Subjects(b"l" * 32, 3).pseudonym("order", "1001"),
        SUBJECTS.pseudonym("refund", "1001"),
        SUBJECTS.pseudonym("order", "1002"),
    }
    assert len(others | {one}) == 5
    key = SUBJECTS.natural_key("order.paid:1001")
    assert key.startswith("order.paid:redacted:")
    assert SUBJECTS.natural_key(key) == key


def test_a_redacted_event_keeps_what_was_bought_and_says_nothing_of_anybody() -> None:
    body = {
        "id": 1001,
        "created_at": "2026-11-01T12:00:00Z",
        "updated_at": "2026-11-01T12:00:00Z",
        "processed_at": "2026-11-01T12:00:00Z",
        "financial_status": "paid",
        "total_price": "100.00",
        "currency": "EUR",
        "name": "#1001",
        "email": EMAIL,
        "tags": "of Ann",
        "note_attributes": [{"name": "gclid", "value": "Click-of-Ann"}, {"name": "for", "value": "Ann"}],
        "line_items": [
            {"sku": "A", "quantity": 1, "price": "100.00", "properties": [{"name": "text", "value": "Ann"}]}
        ],
    }
    site = SiteContext(site_id=3, platform=Platform.SHOPIFY)
    delivery = RawDelivery(topic="orders/paid", body=msgspec.json.encode(body))
    events = PLATFORMS[Platform.SHOPIFY].understand(delivery, site).events
    assert events
    for event in events:
        blank = redacted(event, SUBJECTS)
        assert redacted(blank, SUBJECTS) == blank
        assert (blank.type, blank.occurred_at, blank.amount, blank.currency) == (
            event.type,
            event.occurred_at,
            event.amount,
            "EUR",
        )
        text = to_json(blank).decode()
        assert "Ann" in to_json(event).decode()
        for trace in ("Ann", "1001", EMAIL, str(email_sha256(EMAIL))):
            assert trace not in text


def test_a_delivery_as_received_is_not_taken_for_a_redacted_one() -> None:
    assert forgotten.is_redacted_delivery("{}", 0)
    assert not forgotten.is_redacted_delivery('{"host": "x"}', 0)
    assert not forgotten.is_redacted_delivery("{}", 2)
