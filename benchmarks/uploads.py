"""Conversions per second through each lane, ledger writes included, against the bare client with the same batches.

Server: the sandbox's Google in a process of its own. Database: the embedded PostgreSQL, durable. Medians of ROUNDS runs, the
bare client and the ledger taking turns, so that a busy machine slows both alike.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

ROUNDS = 3
BATCH_ROWS = 2_000
WANTED_RATIO = 0.7
CUSTOMERS = {"google_ads": ("1234567890", "7001"), "data_manager": ("2345678901", "8001")}
SEED_ROWS = """
INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind,
  transaction_id, sequence, order_id, conversion_at, value, currency, click_kind, click_id, clicked_at, email_sha256,
  phone_sha256, ad_user_data, ad_personalization, state, not_before, deadline_at)
SELECT :now, 1, 1, n, :account, :action, 'conversion', :prefix || n, 0, :prefix || n, CAST(:at AS timestamptz), 100 + n % 50,
  'EUR', 'gclid', c.click, CAST(:clicked AS timestamptz), :hash, :hash, 'granted', 'unknown', 'queued', :now,
  CAST(:at AS timestamptz) + interval '60 days'
FROM unnest(CAST(:clicks AS text[])) WITH ORDINALITY AS c(click, n)
"""


@contextmanager
def sandbox(directory: Path) -> Iterator[dict[str, str]]:
    """The sandbox in its own process; gives its addresses."""
    seed = {
        "customers": [{"customer_id": customer} for customer, _ in CUSTOMERS.values()],
        "actions": [{"customer_id": customer, "action_id": action} for customer, action in CUSTOMERS.values()],
    }
    seed_file = directory / "seed.json"
    seed_file.write_text(json.dumps(seed))
    command = [
        sys.executable,
        "-m",
        "sandbox.google_ads.server",
        "--directory",
        str(directory),
        "--seed",
        str(seed_file),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines: list[str] = []
        for line in process.stdout or ():
            lines.append(line.strip())
            if line.startswith("Ready"):
                break
        variables = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
        variables["http"] = lines[0].rsplit(" ", 1)[-1]
        try:
            yield variables
        finally:
            process.terminate()


def forget(address: str, directory: Path) -> None:
    """Empty the sandbox, so that every round sends into the same state."""
    body = (directory / "seed.json").read_bytes()
    urllib.request.urlopen(urllib.request.Request(f"{address}/control/reset", body, method="POST")).read()


def main() -> int:
    """Run, print the table, write .local/bench/uploads.json; 0 when the wanted ratio was reached on both lanes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-uploads-") as name, sandbox(Path(name)) as addresses:
        directory = Path(name)
        os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = addresses["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"]
        results = {lane: measure(lane, directory, addresses, options.rows) for lane in CUSTOMERS}
    ratios = {lane: round(found["ledger"] / found["bare"], 2) for lane, found in results.items()}
    print(
        f"{'lane':<14}{'bare client':>14}{'with ledger':>14}{'ratio':>8}   conversions per second, medians of {ROUNDS}"
    )
    for lane, found in results.items():
        print(f"{lane:<14}{found['bare']:>14,.0f}{found['ledger']:>14,.0f}{ratios[lane]:>8.2f}")
    reached = {lane: ratio >= WANTED_RATIO for lane, ratio in ratios.items()}
    output = Path(".local/bench/uploads.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        json.dumps({"rows": options.rows, "rates": results, "ratios": ratios, "reached": reached}, indent=2)
    )
    return 0 if all(reached.values()) else 1


def measure(lane: str, directory: Path, addresses: dict[str, str], rows: int) -> dict[str, float]:
    """Conversions per second of the bare client and of the ledger."""
    from custom_events.postgres import connect, embedded, migrate

    made = clicks(CUSTOMERS[lane][0], rows)
    destination = lanes(addresses)
    bare: list[float] = []
    with_ledger: list[float] = []
    with embedded.start(directory / f"pg-{lane}") as server:
        migrate.upgrade(server.url)
        engine = connect.engine(server.url, name="bench")
        for number in range(ROUNDS):
            forget(addresses["http"], directory)
            bare.append(rows / bare_run(lane, destination, made))
            forget(addresses["http"], directory)
            seed(engine, lane, made, f"r{number}-")
            with_ledger.append(rows / ledger_run(engine, destination, rows))
        engine.dispose()
    return {"bare": statistics.median(bare), "ledger": statistics.median(with_ledger)}


def clicks(customer: str, rows: int) -> list[str]:
    """Click ids of yesterday."""
    from sandbox.google_ads.click_ids import make_click_id

    at = datetime.now(UTC) - timedelta(hours=30)
    return [make_click_id("gclid", customer, at, number) for number in range(rows)]


def lanes(addresses: dict[str, str]) -> dict[Any, Any]:
    """Both lanes with the real clients."""
    from google.oauth2.credentials import Credentials

    from custom_events.destinations.google_ads.client import Services
    from custom_events.destinations.google_ads.lane import GoogleAdsLane
    from custom_events.destinations.google_data_manager.client import connect
    from custom_events.destinations.google_data_manager.lane import DataManagerLane
    from custom_events.values.conversions import Lane

    services = Services(Credentials(token="bench"), addresses["GOOGLE_ADS_ENDPOINT"], None)
    ingestion = connect(Credentials(token="bench"), addresses["GOOGLE_ADS_ENDPOINT"])
    return {Lane.GOOGLE_ADS: GoogleAdsLane(lambda _: services), Lane.DATA_MANAGER: DataManagerLane(lambda: ingestion)}


def bare_run(lane: str, destinations: dict[Any, Any], made: list[str]) -> float:
    """Seconds for building and sending every batch; nothing is read from or written to a database."""
    from custom_events.values.clicks import Click, ClickKind, ConsentStatus
    from custom_events.values.conversions import AdsAccount, Conversion, Lane, RequestKind, UploadKind

    customer, action = CUSTOMERS[lane]
    now = datetime.now(UTC)
    at, clicked_at, digest = now - timedelta(hours=20), now - timedelta(hours=30), "a" * 64
    rows = [
        Conversion(
            upload_id=number, kind=UploadKind.CONVERSION, action_id=action, transaction_id=f"b{number}", occurred_at=at,
            value=Decimal(100 + number % 50), currency="EUR",
            click=Click(kind=ClickKind.GCLID, id=click, clicked_at=clicked_at), email_sha256=digest, phone_sha256=digest,
            ad_user_data=ConsentStatus.GRANTED,
        )
        for number, click in enumerate(made)
    ]  # fmt: skip
    account = AdsAccount(id=1, customer_id=customer, lane=Lane(lane))
    began = time.perf_counter()
    for start in range(0, len(rows), BATCH_ROWS):
        answer = destinations[Lane(lane)].send(
            account, rows[start : start + BATCH_ROWS], kind=RequestKind.CONVERSIONS, job_id=1, timeout_s=60, now=now
        )
        assert answer.verdict is None, answer.sentence
    return time.perf_counter() - began


def seed(engine: sa.Engine, lane: str, made: list[str], prefix: str) -> None:
    """One account, one action, and as many queued conversions as there are clicks."""
    customer, action = CUSTOMERS[lane]
    now = datetime.now(UTC)
    with engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE app.conversion_uploads, app.upload_attempts, app.upload_keys"))
        account = connection.execute(
            sa.text(
                "INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES (:c, 'A', :l) "
                "ON CONFLICT (customer_id) DO UPDATE SET lane = excluded.lane RETURNING id"
            ),
            {"c": customer, "l": lane},
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
                "now": now, "account": account, "action": action_id, "prefix": prefix, "at": now - timedelta(hours=20),
                "clicked": now - timedelta(hours=30), "hash": "a" * 64, "clicks": made,
            },
        )  # fmt: skip
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE app.conversion_uploads"))
        connection.execute(sa.text("CHECKPOINT"))


def ledger_run(engine: sa.Engine, destinations: dict[Any, Any], rows: int) -> float:
    """Seconds until every conversion was sent and its answer is in the ledger."""
    from custom_events.ledger import send
    from custom_events.settings import Settings

    began = time.perf_counter()
    figures = send.drain(
        engine,
        Settings(upload_batch_size=BATCH_ROWS, upload_lease_s=600),
        until_idle_s=0,
        limit_s=600,
        lanes=destinations,
    )
    took = time.perf_counter() - began
    assert figures.rows == rows, figures
    return took


if __name__ == "__main__":
    raise SystemExit(main())
