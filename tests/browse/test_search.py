"""What somebody has in hand is found, and it says where and by what."""

import pytest
import sqlalchemy as sa

from custom_events.browse.search import Kind, SearchResult, search
from custom_events.errors import InvalidConfiguration
from custom_events.values.identifiers import sha256_hex
from tests.browse.conftest import NOW


def results(connection: sa.Connection, text: str, **how: object) -> list[tuple[str, str, int]]:
    return [(one.kind.value, one.matched, one.site_id) for one in search(connection, text, now=NOW, **how)]  # pyright: ignore[reportArgumentType]


def test_everything_is_found_by_what_people_have(world: sa.Engine) -> None:
    with world.connect() as connection:
        assert ("order", "order id", 2) in results(connection, " 7 ")
        assert results(connection, "#7")[0] == ("order", "order number", 2)
        assert results(connection, "#7", site_id=1) == []
        address = [("customer", "e-mail", 1), ("customer", "e-mail", 2)]
        assert results(connection, "Ada@Example.com ") == address
        assert results(connection, sha256_hex("ada@example.com")) == address
        assert results(connection, "ada@example.com", site_id=2) == address[1:]
        assert results(connection, "+49 151 12345678") == [("customer", "phone", 1)]
        assert results(connection, "0151 12345678", country="DE") == [("customer", "phone", 1)]
        assert results(connection, "0151 12345678") == []
        assert ("customer", "customer id", 1) in results(connection, "5")
        assert results(connection, "c:5") == [("customer", "customer id", 1)]
        assert results(connection, "delivery-399") == [("delivery", "delivery id", 1)]
        assert results(connection, "delivery-399", site_id=2) == []
        assert results(connection, "delivery:delivery-399") == [("delivery", "delivery id", 1)]
        assert results(connection, "raw:399") == [("delivery", "raw event", 1)]
        assert results(connection, "raw:399", site_id=2) == results(connection, "raw:1") == []
        assert results(connection, "nothing at all") == []


def test_a_click_leads_to_the_order_that_carried_it(world: sa.Engine) -> None:
    with world.connect() as connection:
        newer, older = search(connection, "Cj0KCQ-one", now=NOW)
    assert newer == SearchResult(
        kind=Kind.CLICK, matched="click id", site_id=2, at=newer.at, click_kind="gclid", subject="checkout:abc"
    )
    assert (older.order_id, older.subject) == ("12", "order:12")


@pytest.mark.parametrize("text", ["", "  ", "x" * 501])
def test_what_cannot_be_searched_for_is_said(engine: sa.Engine, text: str) -> None:
    with engine.connect() as connection, pytest.raises(InvalidConfiguration, match="text: a text of 1 to 500"):
        search(connection, text, now=NOW)
