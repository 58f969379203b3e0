"""What sending is measured against: the sandbox's Google in a process of its own, and a ledger full of queued conversions."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from custom_events.values.conversions import Lane

CUSTOMERS = {Lane.GOOGLE_ADS: ("1234567890", "7001"), Lane.DATA_MANAGER: ("2345678901", "8001")}
DIGEST = "a" * 64
CONVERTED, CLICKED = timedelta(hours=20), timedelta(hours=30)  # before now
SEED_ROWS = """
INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind,
  transaction_id, sequence, order_id, conversion_at, value, currency, click_kind, click_id, clicked_at, email_sha256,
  phone_sha256, ad_user_data, ad_personalization, state, not_before, deadline_at)
SELECT :now, 1, 1, n, :account, :action, 'conversion', :prefix || n, 0, :prefix || n, CAST(:at AS timestamptz), 100 + n % 50,
  'EUR', 'gclid', c.click, CAST(:clicked AS timestamptz), :hash, :hash, 'granted', 'unknown', 'queued', :now,
  CAST(:at AS timestamptz) + interval '60 days'
FROM unnest(CAST(:clicks AS text[])) WITH ORDINALITY AS c(click, n)
"""


class Google:
    """The sandbox, in its own process."""

    def __init__(self, variables: dict[str, str], http: str, seed: bytes) -> None:
        self.endpoint = variables["GOOGLE_ADS_ENDPOINT"]
        self._http, self._seed = http, seed

    def forget(self) -> None:
        """Empty it, so that every round sends into the same state."""
        urllib.request.urlopen(urllib.request.Request(f"{self._http}/control/reset", self._seed, method="POST")).read()


@contextmanager
def sandbox(directory: Path) -> Generator[Google]:
    """Started, trusted by this process's channels, and stopped."""
    seed = json.dumps(
        {
            "customers": [{"customer_id": customer} for customer, _ in CUSTOMERS.values()],
            "actions": [{"customer_id": customer, "action_id": action} for customer, action in CUSTOMERS.values()],
        }
    )
    seed_file = directory / "seed.json"
    seed_file.write_text(seed)
    command = [sys.executable, "-m", "sandbox.google_ads.server", "--directory", str(directory)]
    with subprocess.Popen([*command, "--seed", str(seed_file)], stdout=subprocess.PIPE, text=True) as process:
        lines: list[str] = []
        for line in process.stdout or ():
            lines.append(line.strip())
            if line.startswith("Ready"):
                break
        variables = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
        os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = variables["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"]
        try:
            yield Google(variables, lines[0].rsplit(" ", 1)[-1], seed.encode())
        finally:
            process.terminate()


def clicks(lane: Lane, rows: int) -> list[str]:
    """Click ids of yesterday."""
    from sandbox.google_ads.click_ids import make_click_id

    at = datetime.now(UTC) - CLICKED
    return [make_click_id("gclid", CUSTOMERS[lane][0], at, number) for number in range(rows)]


def queue(engine: sa.Engine, lane: Lane, made: list[str], prefix: str) -> None:
    """One account, one action, and as many queued conversions as there are clicks; nothing else."""
    customer, action = CUSTOMERS[lane]
    now = datetime.now(UTC)
    with engine.begin() as connection:
        connection.execute(
            sa.text("TRUNCATE app.conversion_uploads, app.upload_attempts, app.upload_keys, app.upload_requests")
        )
        account = connection.execute(
            sa.text(
                "INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES (:c, 'A', :l) "
                "ON CONFLICT (customer_id) DO UPDATE SET lane = excluded.lane RETURNING id"
            ),
            {"c": customer, "l": lane.value},
        ).scalar_one()
        action_id = connection.execute(
            sa.text(
                "INSERT INTO app.ads_actions (ads_account_id, action_id, name) VALUES (:a, :i, 'P') "
                "ON CONFLICT (ads_account_id, action_id) DO UPDATE SET name = excluded.name RETURNING id"
            ),
            {"a": account, "i": action},
        ).scalar_one()
        connection.execute(
            sa.text(SEED_ROWS),
            {
                "now": now, "account": account, "action": action_id, "prefix": prefix, "at": now - CONVERTED,
                "clicked": now - CLICKED, "hash": DIGEST, "clicks": made,
            },
        )  # fmt: skip
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE app.conversion_uploads"))
        connection.execute(sa.text("CHECKPOINT"))
