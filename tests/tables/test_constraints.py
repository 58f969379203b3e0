"""The database refuses what no program should write: the last line of defence behind the programs' own checks."""

import pytest
import sqlalchemy as sa

GROUND = """
INSERT INTO app.sites (id, site_key, platform, name, shop_domain) VALUES (1, 'one', 'shopify', 'One', 'one.example');
INSERT INTO app.ads_accounts (id, customer_id, name, lane) VALUES (1, '1234567890', 'Account', 'google_ads');
INSERT INTO app.ads_actions (id, ads_account_id, action_id, name) VALUES (1, 1, '77', 'Purchase');
INSERT INTO app.custom_event_definitions (id, key, name) VALUES (1, 'mine', 'Mine');
INSERT INTO app.site_custom_events (id, site_id, definition_id, label) VALUES (1, 1, 1, 'main');
INSERT INTO app.definition_revisions (definition_id, number, state, config, author) VALUES (1, 1, 'published', '{}', 'me');
INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author) VALUES (1, 1, 'published', '{}', 'me');
INSERT INTO app.event_keys VALUES (1, 'order.paid:1', 1, now(), now());
INSERT INTO app.custom_event_keys VALUES (1, 'order:1', 1, now());
INSERT INTO app.upload_keys VALUES (1, '1001', 0, 1, now());
INSERT INTO app.order_refunds VALUES (1, '1', 'r1', 5, 'EUR', now());
INSERT INTO app.people (id, login, display_name) VALUES (1, 'ana', 'Ana');
INSERT INTO app.api_keys (id, prefix, name, secret_digest, made_by) VALUES (1, 'ce_1', 'x', 'x', 'me');
INSERT INTO app.role_grants (person_id, role) VALUES (1, 'viewer');
INSERT INTO app.sessions (token_digest, person_id, expires_at, idle_until, last_used_at) VALUES ('x', 1, now(), now(), now());
INSERT INTO app.openid_links (issuer, subject, person_id) VALUES ('https://login.example', 's', 1);
INSERT INTO app.shopify_installations (site_id, shop, state, scopes, api_version, installed_at) VALUES (1, 'a.myshopify.com', 'installed', '{}', '2026-10', now());
INSERT INTO app.saved_views (person_id, list, name, query) VALUES (1, 'assignments', 'x', '');
INSERT INTO app.report_specifications (key, name, content, author) VALUES ('mine', 'Mine', '{}', 'me');
ALTER TABLE app.people ALTER COLUMN id RESTART WITH 100;
ALTER TABLE app.api_keys ALTER COLUMN id RESTART WITH 100;
ALTER TABLE app.sites ALTER COLUMN id RESTART WITH 100;
ALTER TABLE app.ads_accounts ALTER COLUMN id RESTART WITH 100;
ALTER TABLE app.ads_actions ALTER COLUMN id RESTART WITH 100;
ALTER TABLE app.custom_event_definitions ALTER COLUMN id RESTART WITH 100;
ALTER TABLE app.site_custom_events ALTER COLUMN id RESTART WITH 100;
"""
UPLOAD = """
INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, kind, transaction_id, sequence,
  conversion_at, ad_user_data, ad_personalization, state, not_before, deadline_at)
VALUES (now(), 1, 1, 1, '{kind}', '{transaction}', {sequence}, now(), 'granted', 'granted', '{state}', now(), now())
"""


def upload(kind: str = "conversion", transaction: str = "1001", sequence: int = 0, state: str = "queued") -> str:
    return UPLOAD.format(kind=kind, transaction=transaction, sequence=sequence, state=state)


REFUSED = {
    "ck_sites_removed_is_not_active": "UPDATE app.sites SET removed_at = now()",
    "ck_privacy_requests_done_by_somebody": "INSERT INTO app.privacy_requests (raw_id, landed_week, site_id, kind, received_at, due_at, done_at) "
    "VALUES (1, '2026-11-16', 1, 'redact_shop', now(), now(), now())",
    "ck_forgetting_keys_is_only": "INSERT INTO app.forgetting_keys (secret_encrypted, is_only) VALUES ('x', false)",
    "ck_key_ring_checks_is_only": "INSERT INTO app.key_ring_checks (token, is_only) VALUES ('x', false)",
    "pk_key_ring_checks": "INSERT INTO app.key_ring_checks (token) VALUES ('x'), ('y')",
    "uq_forgetting_keys_is_only": "INSERT INTO app.forgetting_keys (secret_encrypted) VALUES ('x'), ('y')",
    "ck_upload_requests_shared_verdict": "INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at, shared_verdict) "
    "SELECT id, 'google_ads', 'conversions', 1, now(), 'rejected' FROM app.ads_accounts LIMIT 1",
    "fk_site_secrets_site_id": "INSERT INTO app.site_secrets (site_id, secret_encrypted) VALUES (9, 'x')",
    "fk_store_api_keys_site_id": "INSERT INTO app.store_api_keys (site_id, store_url, key_ending, key_encrypted) VALUES (9, 'x', 'x', 'x')",
    "fk_order_recoveries_site_id": "INSERT INTO app.order_recoveries (site_id) VALUES (9)",
    "fk_order_recovery_runs_site_id": "INSERT INTO app.order_recovery_runs (site_id, started_at, ended_at, since, until) VALUES (9, now(), now(), now(), now())",
    "fk_missing_orders_site_id": "INSERT INTO app.missing_orders VALUES (9, '2026-11-20', 'order', 1, 1, now())",
    "ck_missing_orders_kind_known": "INSERT INTO app.missing_orders VALUES (1, '2026-11-20', 'lost', 1, 1, now())",
    "ck_traffic_counted_is_only": "INSERT INTO app.traffic_counted VALUES (false, now(), now())",
    "fk_ads_actions_ads_account_id": "INSERT INTO app.ads_actions (ads_account_id, action_id, name) VALUES (9, '1', 'x')",
    "fk_site_custom_events_site_id": "INSERT INTO app.site_custom_events (site_id, definition_id, label) VALUES (9, 1, 'x')",
    "fk_site_custom_events_definition_id": "INSERT INTO app.site_custom_events (site_id, definition_id, label) VALUES (1, 9, 'x')",
    "fk_definition_revisions_definition_id": "INSERT INTO app.definition_revisions (definition_id, number, state, config, author) VALUES (9, 1, 'draft', '{}', 'me')",
    "fk_assignment_revisions_assignment_id": "INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author) VALUES (9, 1, 'draft', '{}', 'me')",
    "fk_upload_requests_ads_account_id": "INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at) VALUES (9, 'google_ads', 'conversions', 1, now())",
    "fk_upload_stops_ads_account_id": "INSERT INTO app.upload_stops (ads_account_id, lane, concerns, reason, since) VALUES (9, 'google_ads', 'user_data', 'x', now())",
    "ck_upload_stops_concerns_known": "INSERT INTO app.upload_stops (ads_account_id, lane, concerns, reason, since) VALUES (1, 'google_ads', 'clicks', 'x', now())",
    "fk_google_upload_status_ads_account_id": "INSERT INTO app.google_upload_status (ads_account_id, action_id, client, status, read_at) VALUES (9, '', 'GOOGLE_ADS_API', 'GOOD', now())",
    "fk_reconciliation_days_ads_account_id": "INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, updated_at) VALUES (9, '77', '2026-11-16', now())",
    "ck_reconciliation_days_every_sent_row_stands_somewhere": "INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, updated_at) VALUES (1, '77', '2026-11-16', 2, 1, now())",
    "fk_site_custom_events_site_id ": "DELETE FROM app.sites",
    "fk_definition_revisions_definition_id ": "DELETE FROM app.custom_event_definitions",
    "uq_sites_site_key": "INSERT INTO app.sites (site_key, platform, name) VALUES ('one', 'shopify', 'x')",
    "uq_sites_shop_domain": "INSERT INTO app.sites (site_key, platform, name, shop_domain) VALUES ('x', 'shopify', 'x', 'one.example')",
    "uq_ads_accounts_customer_id": "INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES ('1234567890', 'x', 'google_ads')",
    "uq_ads_actions_ads_account_id_action_id": "INSERT INTO app.ads_actions (ads_account_id, action_id, name) VALUES (1, '77', 'x')",
    "uq_custom_event_definitions_key": "INSERT INTO app.custom_event_definitions (key, name) VALUES ('mine', 'x')",
    "uq_site_custom_events_site_id_definition_id_label": "INSERT INTO app.site_custom_events (site_id, definition_id, label) VALUES (1, 1, 'main')",
    "uq_definition_revisions_definition_id_number": "INSERT INTO app.definition_revisions (definition_id, number, state, config, author) VALUES (1, 1, 'draft', '{}', 'me')",
    "uq_definition_revisions_published": "INSERT INTO app.definition_revisions (definition_id, number, state, config, author) VALUES (1, 2, 'published', '{}', 'me')",
    "uq_assignment_revisions_assignment_id_number": "INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author) VALUES (1, 1, 'draft', '{}', 'me')",
    "uq_assignment_revisions_published": "INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author) VALUES (1, 2, 'published', '{}', 'me')",
    "uq_threshold_counters_rules": "INSERT INTO app.threshold_counters (assignment_id, definition_revision_id, assignment_revision_id, time_zone) SELECT 1, 1, 1, 'UTC' FROM generate_series(1, 2)",
    "fk_operation_parts_operation_id": "INSERT INTO app.operation_parts VALUES (9, 0, 'x')",
    "fk_bulk_changes_operation_id": "INSERT INTO app.bulk_changes (all_or_nothing, asked_by, site_ids, rows, operation_id) VALUES (true, 'me', '{1}', 1, 9)",
    "fk_bulk_change_rows_bulk_change_id": "INSERT INTO app.bulk_change_rows VALUES (9, 0, 'made', '{}', '[]')",
    "uq_people_login": "INSERT INTO app.people (login, display_name) VALUES ('ana', 'x')",
    "uq_api_keys_prefix": "INSERT INTO app.api_keys (prefix, name, secret_digest, made_by) VALUES ('ce_1', 'x', 'x', 'me')",
    "fk_api_keys_person_id": "INSERT INTO app.api_keys (prefix, name, secret_digest, made_by, person_id) VALUES ('ce_2', 'x', 'x', 'me', 9)",
    "ck_role_grants_of_one": "INSERT INTO app.role_grants (person_id, api_key_id, role) VALUES (1, 1, 'viewer')",
    "ck_role_grants_of_one ": "INSERT INTO app.role_grants (role) VALUES ('viewer')",
    "uq_role_grants_person_id_api_key_id_site_id": "INSERT INTO app.role_grants (person_id, role) VALUES (1, 'editor')",
    "fk_role_grants_person_id": "INSERT INTO app.role_grants (person_id, role) VALUES (9, 'editor')",
    "fk_role_grants_api_key_id": "INSERT INTO app.role_grants (api_key_id, role) VALUES (9, 'editor')",
    "fk_role_grants_site_id": "INSERT INTO app.role_grants (api_key_id, role, site_id) VALUES (1, 'editor', 9)",
    "uq_sessions_token_digest": "INSERT INTO app.sessions (token_digest, person_id, expires_at, idle_until, last_used_at) VALUES ('x', 1, now(), now(), now())",
    "fk_sessions_person_id": "INSERT INTO app.sessions (token_digest, person_id, expires_at, idle_until, last_used_at) VALUES ('y', 9, now(), now(), now())",
    "uq_openid_links_issuer_subject": "INSERT INTO app.openid_links (issuer, subject, person_id) VALUES ('https://login.example', 's', 9)",
    "uq_openid_links_person_id_issuer": "INSERT INTO app.openid_links (issuer, subject, person_id) VALUES ('https://login.example', 't', 1)",
    "fk_openid_links_person_id": "INSERT INTO app.openid_links (issuer, subject, person_id) VALUES ('https://login.example', 't', 9)",
    "uq_saved_views_person_id_list_name": "INSERT INTO app.saved_views (person_id, list, name, query) VALUES (1, 'assignments', 'x', 'a=b')",
    "fk_saved_views_person_id": "INSERT INTO app.saved_views (person_id, list, name, query) VALUES (9, 'assignments', 'y', '')",
    "ck_shopify_installations_uninstalled_has_no_tokens": "UPDATE app.shopify_installations SET state = 'uninstalled', uninstalled_at = now(), tokens_encrypted = 'x'",
    "ck_shopify_installations_uninstalled_at_of_uninstalled": "UPDATE app.shopify_installations SET state = 'uninstalled'",
    "ck_shopify_installations_state_known": "UPDATE app.shopify_installations SET state = 'gone'",
    "ck_shopify_installations_shop_of_shopify": "UPDATE app.shopify_installations SET shop = 'a.myshopify.com.evil.example'",
    "uq_shopify_installations_shop": "INSERT INTO app.shopify_installations (site_id, shop, state, scopes, api_version, installed_at) VALUES (2, 'a.myshopify.com', 'installed', '{}', '2026-10', now())",
    "fk_shopify_installations_site_id": "INSERT INTO app.shopify_installations (site_id, shop, state, scopes, api_version, installed_at) VALUES (9, 'b.myshopify.com', 'installed', '{}', '2026-10', now())",
    "ck_exchange_rates_rate_positive": "INSERT INTO app.exchange_rates (day, currency, reporting_currency, rate, source) VALUES ('2026-11-02', 'USD', 'EUR', 0, 'x')",
    "ck_exchange_rates_two_currencies": "INSERT INTO app.exchange_rates (day, currency, reporting_currency, rate, source) VALUES ('2026-11-02', 'EUR', 'EUR', 1, 'x')",
    "uq_report_specifications_key": "INSERT INTO app.report_specifications (key, name, content, author) VALUES ('mine', 'x', '{}', 'me')",
    "fk_report_runs_schedule_id": "INSERT INTO app.report_runs (schedule_id, report_key, name, content, period, first_day, last_day, time_zone, due_at, retries, not_before, delivery_key) VALUES (9, 'x', 'x', '{}', 'x', now(), now(), 'UTC', now(), 0, now(), 'x')",
    "uq_event_keys": "INSERT INTO app.event_keys VALUES (1, 'order.paid:1', 2, now(), now())",
    "uq_custom_event_keys": "INSERT INTO app.custom_event_keys VALUES (1, 'order:1', 2, now())",
    "uq_upload_keys": "INSERT INTO app.upload_keys VALUES (1, '1001', 0, 2, now())",
    "pk_order_refunds": "INSERT INTO app.order_refunds VALUES (1, '1', 'r1', 6, 'EUR', now())",
    "ck_sites_platform_known": "INSERT INTO app.sites (site_key, platform, name) VALUES ('x', 'My platform', 'x')",
    "ck_ads_accounts_customer_id_ten_digits": "INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES ('123-456-7890', 'x', 'google_ads')",
    "ck_ads_accounts_lane_known": "INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES ('1234567891', 'x', 'By post')",
    "ck_ads_actions_action_id_digits": "INSERT INTO app.ads_actions (ads_account_id, action_id, name) VALUES (1, 'AW-1', 'x')",
    "ck_definition_revisions_state_known": "INSERT INTO app.definition_revisions (definition_id, number, state, config, author) VALUES (1, 2, 'live', '{}', 'me')",
    "ck_order_refunds_amount_positive": "INSERT INTO app.order_refunds VALUES (1, '1', 'r2', -5, 'EUR', now())",
    "ck_raw_outcomes_outcome_known": "INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, new_events) VALUES ('2026-11-16', 1, now(), 1, 'lost', 0)",
    "ck_refused_events_reason_known": "INSERT INTO landing.refused_events (received_at, reason) VALUES (now(), 'mood')",
    "ck_raw_events_landed_week_monday": "INSERT INTO landing.raw_events (landed_week, site_id, dedup_key, signature, headers, body, body_bytes) VALUES ('2026-11-17', 1, 'k', 'verified', '{}', 'x', 1)",
    "ck_clicks_kind_known": "INSERT INTO app.clicks VALUES (now(), 1, 'fbclid', 'x', 'order:1', 'pixel')",
    "ck_clicks_carrier_known": "INSERT INTO app.clicks VALUES (now(), 1, 'gclid', 'x', 'order:1', 'pigeon')",
    "ck_conversion_uploads_kind_known": upload(kind="wish"),
    "ck_conversion_uploads_state_known": upload(state="lost"),
    "ck_conversion_uploads_sequence_of_kind": upload(sequence=1),
    "ck_conversion_uploads_sequence_of_kind ": upload(kind="retraction", sequence=0),
    "ck_conversion_uploads_transaction_id_length": upload(transaction=""),
    "ck_conversion_uploads_transaction_id_length ": upload(transaction="x" * 65),
}


@pytest.fixture
def ground(engine: sa.Engine) -> sa.Engine:
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(GROUND)
    return engine


def test_bad_rows_are_refused_by_the_constraint_that_names_the_fault(ground: sa.Engine) -> None:
    with ground.begin() as connection:
        for name, statement in REFUSED.items():
            with pytest.raises(sa.exc.IntegrityError) as caught, connection.begin_nested():
                connection.execution_options(no_parameters=True).exec_driver_sql(statement)
            # A partition's own constraint is named after the parent's or the partition.
            found = caught.value.orig.diag.constraint_name
            assert found == name.strip(), (name, str(caught.value.orig))


def test_good_rows_are_taken(ground: sa.Engine) -> None:
    with ground.begin() as connection:
        plain = connection.execution_options(no_parameters=True)
        plain.exec_driver_sql(upload())
        plain.exec_driver_sql(upload(kind="retraction", sequence=1, transaction="x" * 64))
        plain.exec_driver_sql(
            "INSERT INTO app.site_custom_events (site_id, definition_id, label) VALUES (1, 1, 'other')"
        )
        plain.exec_driver_sql(
            "INSERT INTO app.definition_revisions (definition_id, number, state, config, author) VALUES (1, 2, 'draft', '{}', 'me')"
        )


def test_every_constraint_is_tried(ground: sa.Engine) -> None:
    """By the catalogue: a check, foreign key or unique constraint made tomorrow must come with a row that it refuses."""
    question = """
    SELECT conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype IN ('c', 'f', 'u') AND NOT c.relispartition
      AND c.relnamespace IN ('landing'::regnamespace, 'app'::regnamespace) AND conparentid = 0
    """
    with ground.connect() as connection:
        constraints = set(connection.execute(sa.text(question)).scalars())
    words = {name for name in constraints if name.endswith("_known")}  # all made by one_of(); some are tried
    others = {"uq_raw_events_delivery"}  # tested with what lands (tests/ingest_api)
    assert constraints - words - others <= {name.strip() for name in REFUSED}
