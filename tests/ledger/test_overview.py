"""How accounts stand, as `custom-events uploads` shows it and changes it."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner

from cli.main import main
from custom_events import settings as settings_module
from custom_events.ledger import operator_actions, overview
from custom_events.values.conversions import Lane
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger


def test_counts_stops_and_what_will_be_too_late(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.orders(2)
    ledger.order(
        state="held", not_before=ledger.clock() + timedelta(days=9), deadline_at=ledger.clock() + timedelta(hours=47)
    )
    ledger.settle(lanes)
    ledger.do(
        "UPDATE app.ads_accounts SET parked_reason = 'why', parked_at = :n, paused_until = :n WHERE lane = 'google_ads'",
        n=ledger.clock(),
    )
    with ledger.engine.connect() as connection:
        ads, dm = overview.overview(connection, ledger.clock())
    assert (ads.customer_id, ads.conversions, ads.expiring) == ("1234567890", {"accepted": 2, "held": 1}, 1)
    assert (ads.parked_reason, ads.paused_until) == ("why", None)
    assert (dm.lane, dm.conversions, dm.adjustments, dm.expiring) == (Lane.DATA_MANAGER, {}, {}, 0)


@pytest.fixture
def command(
    database: str, monkeypatch: pytest.MonkeyPatch, google: SandboxGoogle, tmp_path: Path
) -> Iterator[Callable[..., Any]]:
    from sandbox.google_ads.service_account import write_service_account

    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("GOOGLE_ADS_ENDPOINT", google.grpc_endpoint)
    monkeypatch.setenv(
        "GOOGLE_ADS_JSON_KEY_FILE_PATH", str(write_service_account(tmp_path, f"{google.http_url}/token"))
    )
    settings_module.settings.cache_clear()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda *words: CliRunner().invoke(main, ["uploads", *words])
    settings_module.settings.cache_clear()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_the_command(ledger: Ledger, command: Callable[..., Any], google: SandboxGoogle) -> None:
    ledger.order(
        state="held", not_before=ledger.clock() + timedelta(days=300), deadline_at=ledger.clock() + timedelta(days=3000)
    )
    ledger.do(
        "UPDATE app.ads_accounts SET parked_reason = 'why', parked_at = now(), paused_until = now() + interval '1 hour'"
    )
    shown = command("list")
    assert shown.exit_code == 0, shown.output
    assert "PARKED since" in shown.output
    assert "paused until" in shown.output
    assert "held" in shown.output
    probed = command("probe", "123-456-7890")
    assert probed.exit_code == 0, probed.output
    assert "Google takes conversions of this account from us" in probed.output
    google.state.customers["1234567890"].terms_accepted = False
    assert command("probe", "1234567890").exit_code == 1
    released = command("release", "123-456-7890", "--held")
    assert "123-456-7890 goes on. 1 rows go now." in released.output
    assert command("release", "1234567890").output == "1234567890 goes on.\n"
    assert command("release", "5").exit_code != 0


def test_an_unknown_account(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection, pytest.raises(Exception, match="there is no ads account 5"):
        operator_actions.account_id_of(connection, "5")
