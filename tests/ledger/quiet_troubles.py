"""Troubles of alarms that are about no upload: rows as the programs leave them when shops, reports and the clean-up go wrong."""

from datetime import timedelta

from pydantic import SecretStr

from tests.ledger.conftest import Ledger


class QuietTrouble:
    """What can go wrong beside the ledger, each in a method named as its alarm."""

    ledger: Ledger

    def replica_not_read(self) -> None:
        self.ledger.settings.replica_url = SecretStr("postgresql://nobody@/nothing?host=/nowhere")

    def bodies_older_than_allowed(self) -> None:
        self.ledger.do(
            "INSERT INTO landing.refused_events (received_at, reason) VALUES (:t, 'too_old')",
            t=self.ledger.clock() - timedelta(days=30),
        )

    def archive_failing(self) -> None:
        self.ledger.do(
            "INSERT INTO app.raw_archives (landed_week, problem, problem_since) VALUES ('2026-06-01', 'The folder is full.', :t)",
            t=self.ledger.clock(),
        )

    def shopify_app_needs_action(self, problem: str = "token_refused") -> None:
        self.ledger.do(
            "INSERT INTO app.shopify_installations (site_id, shop, state, scopes, api_version, problems, installed_at, watched_at) "
            "VALUES (:s, 'a.myshopify.com', 'installed', '{}', '2026-10', jsonb_build_array(jsonb_build_object('what', CAST(:p AS text))), :t, :t)",
            s=self.ledger.site, p=problem, t=self.ledger.clock(),
        )  # fmt: skip

    def shopify_registered_again(self) -> None:
        self.shopify_app_needs_action("registered_again")

    def shop_not_watched(self) -> None:
        self.shopify_app_needs_action()
        self.ledger.clock.forward(hours=7)

    def orders_missing(self) -> None:
        self.ledger.do(
            "INSERT INTO app.missing_orders (site_id, day, kind, orders, sample_raw_id, found_at) VALUES (:s, '2026-11-20', 'order', 2, 7, :t)",
            s=self.ledger.site, t=self.ledger.clock(),
        )  # fmt: skip

    def orders_not_read(self) -> None:
        self.ledger.do(
            "INSERT INTO app.store_api_keys (site_id, store_url, key_ending, key_encrypted) VALUES (:s, 'https://shop.example', 'abcd', 'x')",
            s=self.ledger.site,
        )  # fmt: skip
        self.ledger.do(
            "INSERT INTO app.order_recoveries (site_id, problem, problem_since) VALUES (:s, 'It says no.', :t)",
            s=self.ledger.site,
            t=self.ledger.clock(),
        )
        self.ledger.clock.forward(hours=7)

    def site_went_quiet(self, place: str = "", subject: str = "store") -> None:
        self.ledger.do(
            "INSERT INTO app.quiet_traffic (place, subject, found_at, hours, events, usual) VALUES (:p, :w, :t, 5, 0, 40)",
            p=place or f"site:{self.ledger.site}",
            w=subject,
            t=self.ledger.clock(),
        )

    def part_of_site_went_quiet(self) -> None:
        self.site_went_quiet(subject="clicks")

    def lane_went_quiet(self) -> None:
        self.site_went_quiet("account:1234567890", "lane:google_ads")

    def report_failed(self, state: str = "failed") -> None:
        self.ledger.do(
            "INSERT INTO app.report_schedules (report_key, name, rule, targets, catch_up, retries, is_active, next_due_at, owner) "
            "VALUES ('funnel', 'Funnel', '{}', '[]', 'newest', 3, true, CAST(:t AS timestamptz) + interval '1 day', 'ana')",
            t=self.ledger.clock(),
        )
        self.ledger.do(
            "INSERT INTO app.report_runs (schedule_id, report_key, name, content, period, first_day, last_day, time_zone, due_at, retries, "
            "not_before, delivery_key, state, ended_at) SELECT id, report_key, name, '{}', '2026-11-20', '2026-11-20', '2026-11-20', 'UTC', :t, 3, "
            ":t, gen_random_uuid(), CAST(:state AS text), CASE WHEN :state = 'failed' THEN CAST(:t AS timestamptz) END FROM app.report_schedules",
            t=self.ledger.clock(), state=state,
        )  # fmt: skip

    def report_late(self) -> None:
        self.report_failed("queued")
        self.ledger.clock.forward(hours=7)
