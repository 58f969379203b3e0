"""Where what the audit trail is about has a page; names and browsers in words."""

import pytest

from console.pages.formats import browser, title_of, word
from console.pages.subjects import address_of

EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("subject", "address"),
    [
        ("site:12", "sites/12"),
        ("definition:big_order", "definitions/big_order"),
        ("ads_account:1234567890", "ads-accounts/1234567890"),
        ("person:ana@example.org", ""),
        ("site:../x", ""),
        ("site:", ""),
        ("nothing", ""),
    ],
)
def test_a_subject_leads_to_its_page(subject: str, address: str) -> None:
    assert address_of(subject) == address


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [(EDGE, "Edge, Windows"), (IPHONE, "Safari, iPhone"), ("curl/8.5", "curl/8.5"), ("CriOS/1", "Chrome")],
)
def test_browsers_are_told_by_their_names(user_agent: str, shown: str) -> None:
    assert browser(user_agent) == shown


def test_names_are_written_as_others_write_them() -> None:
    assert "–" in browser("")
    assert (title_of("DeliveriesParked"), title_of("PartOfSiteWentQuiet")) == (
        "Deliveries parked",
        "Part of site went quiet",
    )
    assert (word("woocommerce"), word("data_manager")) == ("WooCommerce", "Data Manager API")
