import json

import sqlalchemy as sa

from tests.cli.conftest import Run


def test_an_empty_installation_agrees(run: Run, database: str) -> None:
    result = run("status", DATABASE_URL=database)
    assert result.exit_code == 0
    assert result.output.startswith("received           0 = landed 0 + refused 0\n")
    assert result.output.endswith("The sums agree.\n")


def test_what_google_counts_and_what_is_wrong_are_shown(run: Run, database: str, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(
            """
            INSERT INTO app.ads_accounts (id, customer_id, name, lane) VALUES (1, '1234567890', 'A', 'google_ads');
            INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, refused, events,
              google_successful, google_failed, updated_at) VALUES (1, '7001', current_date, 42, 35, 7, 42, 31, 11, now());
            INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, events, updated_at)
            VALUES (1, '7002', current_date, 5, 5, 5, now());
            INSERT INTO app.alarms (key, name, severity, place, sentence, remedy, opened_at, seen_at)
            VALUES ('k', 'AccountParked', 'critical', '{}', 's', 'r', now(), now());
            INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, kind, transaction_id,
              sequence, conversion_at, ad_user_data, ad_personalization, state, not_before, deadline_at, click_dropped)
            VALUES (now(), 1, 1, 1, 'conversion', '1', 0, now(), 'granted', 'granted', 'accepted', now(), now(), 'none');
            INSERT INTO app.sites (id, site_key, platform, name) VALUES (1, 'shop', 'custom', 'Shop');
            INSERT INTO app.odd_leaves VALUES (1, '$.line_items[].sku', 7, now(), now(), 1, '2026-11-23')
            """
        )
    text = run("status", DATABASE_URL=database).output
    assert "Beside Google's counts, 28 days\n          42  carried by answered calls\n          42  sent\n" in text
    assert "           5  sent, and Google has not told of it yet\n" in text
    assert "          31  taken, as Google counts\n" in text
    assert "Alarms, open\n           1  AccountParked\n" in text
    assert "of an odd type, by site and path\n           7  shop $.line_items[].sku\n" in text
    assert "as their click id is invalid, by state\n           1  accepted\n" in text


def test_figures_are_shown_by_reason_and_gaps_are_named(run: Run, database: str, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO landing.receipts (at, received, landed, duplicates, refused) VALUES (now(), 1500, 0, 0, 3)"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO landing.refused_events (received_at, platform, reason) "
                "VALUES (now(), 'custom', 'too_old'), (now(), 'custom', 'wrong_signature'), (now(), 'custom', 'too_old')"
            )
        )
    text = run("status", DATABASE_URL=database).output
    assert "received       1,500 = landed 0 + refused 3" in text
    assert "Refused, by reason\n           2  too_old\n           1  wrong_signature\n" in text
    assert "The sums do NOT agree: received 1500 is" in text
    document = json.loads(run("status", "--json", DATABASE_URL=database).output)
    assert document["agree"] is False
    assert document["sums"]["refused_by_reason"] == {"too_old": 2, "wrong_signature": 1}
