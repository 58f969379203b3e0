"""What filter bars offer: few to choose from, many to be typed; and pages of ads accounts."""

import re

import httpx
import pytest
import sqlalchemy as sa

from console.pages.ask import ROWS
from console.pages.formats import options, with_code
from console.pages.visible import MOST_CHOICES
from tests.console.api.ledger_rows import CUSTOMER_ID

MANY = MOST_CHOICES + 1
ACCOUNTS = sa.text("""
INSERT INTO app.ads_accounts (customer_id, name, lane)
SELECT CAST(2000000000 + n AS text), 'Account ' || n, 'data_manager' FROM generate_series(1, :many) n
""")
ACTIONS = sa.text("""
INSERT INTO app.ads_actions (ads_account_id, action_id, name)
SELECT a.id, '7', 'Purchase' FROM app.ads_accounts a WHERE a.customer_id LIKE '20%'
""")


def test_options_are_escaped_and_one_is_chosen() -> None:
    made = options([(1, "<a>"), ("b", 'say "b"')], 1)
    assert made == '<option value="1" selected>&lt;a&gt;</option>\n<option value="b">say &#34;b&#34;</option>'
    assert " selected" not in options([("1", "a")], None)


def test_commands_in_a_sentence_are_code() -> None:
    assert with_code("Run `a <b>` or `c`.") == "Run <code>a &lt;b&gt;</code> or <code>c</code>."
    assert with_code("a ` alone") == "a ` alone"


def test_few_are_chosen_from(browser: httpx.Client) -> None:
    page = browser.get("/uploads").text
    account = re.search(r'<select id="f-account_id".*?<option value="(\d+)">', page, re.DOTALL)
    assert account is not None
    assert '<select id="f-action_id"' in page
    assert '<select id="f-ads_account"' in browser.get("/assignments").text
    chosen = browser.get(f"/uploads?account_id={account[1]}").text
    assert f'<option value="{account[1]}" selected>' in chosen
    typed = browser.get(f"/uploads?account_id={CUSTOMER_ID[:3]}-{CUSTOMER_ID[3:6]}-{CUSTOMER_ID[6:]}").text
    assert "<option value=" in typed
    assert " selected>" in typed
    assert "there is no ads account 9999999999" in browser.get("/uploads?account_id=9999999999").text
    assert browser.get("/uploads?account_id=x").status_code == 422


@pytest.mark.parametrize(
    "path", ["/deliveries", "/deliveries/refused", "/orders", "/custom-events", "/uploads", "/alarms", "/report-runs"]
)
def test_lists_by_time_are_read_from_either_end(browser: httpx.Client, path: str) -> None:
    newest, oldest = browser.get(path), browser.get(f"{path}?order=oldest")
    assert (newest.status_code, oldest.status_code) == (200, 200)
    for page, order, link in ((newest, "descending", "order=oldest"), (oldest, "ascending", "?")):
        head = re.search(r'aria-sort="(\w+)"><a class="sort" href="([^"]+)"', page.text)
        assert (head is None) == ("<table" not in page.text)
        assert head is None or (head[1] == order and link in head[2])
    assert '<input type="hidden" name="order" value="oldest">' in oldest.text  # filters keep the order
    assert "Filters (" not in oldest.text  # and it is none of them
    assert browser.get(f"{path}?order=odd").status_code == 422


def test_the_trail_begins_with_the_first_entry_where_that_is_asked_for(browser: httpx.Client) -> None:
    whens = re.compile(r'data-label="When"><time datetime="([^"]+)"')
    newest, oldest = (whens.findall(browser.get(path).text) for path in ("/audit", "/audit?order=oldest"))
    assert newest == sorted(newest, reverse=True)
    assert oldest == sorted(oldest)
    assert oldest[0] < newest[0]


@pytest.fixture
def many(browser: httpx.Client, engine: sa.Engine) -> None:
    """More ads accounts and actions than one field offers. Last in the file: they stay."""
    with engine.begin() as connection:
        connection.execute(ACCOUNTS, {"many": MANY})
        connection.execute(ACTIONS)


@pytest.mark.parametrize(
    ("path", "column", "by"),
    [("/people", "Person", "login"), ("/people", "Made", "created_at"), ("/definitions", "Definition", "key")],
)
def test_heads_sort_people_and_definitions(browser: httpx.Client, path: str, column: str, by: str) -> None:
    rows = re.compile(rf'<td class="main" data-label="\w+"><a href="{path[1:]}/([^"]+)"')
    up, down = (browser.get(f"{path}?sort={sort}").text for sort in (by, f"-{by}"))
    assert rows.findall(up)
    assert rows.findall(down) == rows.findall(up)[::-1]
    assert f'aria-sort="ascending"><a class="sort" href="?sort=-{by}">{column}</a>' in up
    assert f'aria-sort="descending"><a class="sort" href="?sort={by}">{column}</a>' in down
    assert f'<input type="hidden" name="sort" value="-{by}">' in down
    assert browser.get(f"{path}?sort=price").status_code == 422


@pytest.mark.usefixtures("many")
def test_many_are_typed_and_listed_page_by_page(browser: httpx.Client) -> None:
    page = browser.get("/uploads").text
    assert "Ads account (customer id)" in page
    assert "f-action_id" not in page
    assert '<select id="f-action_id"' in browser.get("/uploads?account_id=2000000001").text
    assert "Ads account (customer id)" in browser.get("/assignments").text
    form = browser.get("/bulk-changes/new?action=change&all=yes").text
    assert "Ads action (customer id/action id; empty: recorded only)" in form

    seen = list[str]()
    path: str | None = "/ads-accounts"
    while path is not None:
        shown = browser.get(path).text
        rows = re.findall(r'data-label="Account"><a href="ads-accounts/(\d{10})"', shown)
        assert len(rows) <= ROWS
        seen += rows
        following = re.search(r'rel="next" href="(\?[^"]+)"', shown)
        path = f"/ads-accounts{following[1]}" if following else None
    assert seen == sorted(set(seen))
    assert len(seen) > MANY

    page = browser.get("/ads-accounts?search=2000000001&lane=data_manager&state=sending").text
    assert re.findall(r'data-label="Account"><a href="ads-accounts/(\d{10})"', page) == ["2000000001"]
    assert '<option value="sending" selected>sends' in page
    assert "No account fits" in browser.get("/ads-accounts?search=2000000001&state=parked").text
    assert browser.get("/ads-accounts?state=odd").status_code == 422


SITES = sa.text("""
INSERT INTO app.sites (site_key, platform, name) SELECT 'many-sites-' || n, 'custom', 'Many ' || n FROM generate_series(1, :many) n
""")
TALLY = sa.text("""
INSERT INTO app.tally_changes (what, week, subject, kind, state, reason, change) VALUES ('commerce_events', '1970-01-01', 0, '', :state, '', 1)
""")


def test_with_many_sites_what_is_added_up_of_each_is_kept_for_a_while(browser: httpx.Client, engine: sa.Engine) -> None:
    """Last in the file: the sites stay."""

    def is_shown_after(state: str) -> bool:
        with engine.begin() as connection:
            connection.execute(TALLY, {"state": state})
        return f"orders?type={state}" in browser.get("/").text

    assert is_shown_after("order.first")
    assert is_shown_after("order.second")
    with engine.begin() as connection:
        connection.execute(SITES, {"many": MANY})
    assert is_shown_after("order.third")
    assert not is_shown_after("order.fourth")
