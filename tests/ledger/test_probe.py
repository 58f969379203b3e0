"""The capability probe: what Google allows, in sentences, before anything is sent."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.destinations.google_ads import probe as ads_probe
from custom_events.errors import Permanent
from custom_events.ledger import probe
from custom_events.values.conversions import Lane
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger


def findings(ledger: Ledger, lanes: dict[Lane, Any], customer_id: str = "1234567890") -> tuple[Any, ...]:
    found = probe.probe_account(ledger.engine, lanes, ledger.settings, customer_id, ledger.clock())
    return found, {(one.question, one.action_id): one for one in found.findings}


def test_all_is_well(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    google.state.actions["7001"].click_through_lookback_window_days = 45
    google.state.actions["7002"].counting_type = "ONE_PER_CLICK"
    found, by_question = findings(ledger, lanes)
    assert found.fine
    assert by_question["may_import", None].sentence == "Google takes conversions of this account from us"
    assert {question for question, _ in by_question} == {
        "may_import",
        "terms_accepted",
        "enhanced_conversions",
        "action_type",
        "action_enabled",
        "quota_level",
        "action_age",
    }
    kept = ledger.rows(
        "SELECT action_id, click_window_days, one_per_click FROM app.ads_actions WHERE ads_account_id = 1 ORDER BY 1"
    )
    assert kept == [("7001", 45, False), ("7002", 30, True)]
    capabilities = ledger.rows("SELECT capabilities FROM app.ads_accounts WHERE customer_id = '1234567890'")[0][0]
    assert capabilities["fine"]
    assert capabilities["checked_at"] == ledger.clock().isoformat()
    assert google.state.conversions == []


def test_what_is_wrong_is_said(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    customer = google.state.customers["1234567890"]
    customer.allowlisted, customer.terms_accepted, customer.enhanced_conversions = False, False, False
    google.state.actions["7002"].type = "WEBPAGE"
    google.state.actions["7002"].status = "HIDDEN"
    del google.state.actions["7001"]
    found, by_question = findings(ledger, lanes)
    assert not found.fine
    wrong = {question for (question, _), one in by_question.items() if one.fine is False}
    assert wrong == {
        "may_import",
        "terms_accepted",
        "enhanced_conversions",
        "action_exists",
        "action_type",
        "action_enabled",
    }
    assert "data_manager" in by_question["may_import", None].sentence


def test_an_account_that_cannot_be_read(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    google.state.customers["1234567890"].status = "CANCELED"
    _, by_question = findings(ledger, lanes)
    assert by_question["readable", None].sentence.startswith("The account could not be read: The account is cancelled")
    google.state.customers["1234567890"].status = "ENABLED"
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, count=2))
    _, by_question = findings(ledger, lanes)
    assert by_question["may_import", None].fine is None


def test_the_data_manager_is_asked_action_by_action(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    google.state.actions["8002"].type = "WEBPAGE"
    found, by_question = findings(ledger, lanes, "2345678901")
    assert by_question["may_import", "8001"].fine
    assert by_question["may_import", "8002"].fine is False
    assert found.actions == ()
    assert google.state.conversions == []


def test_the_data_manager_has_nothing_to_ask_without_actions(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM app.ads_actions WHERE action_id IN ('8001', '8002')"))
    before = google.state.requests.copy()
    _, by_question = findings(ledger, lanes, "2345678901")
    assert by_question["may_import", None].fine is None
    assert google.state.requests == before


def test_how_old_an_action_is_where_we_know(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    _, by_question = findings(ledger, lanes)
    assert by_question["action_age", None].fine is None
    assert ("action_age", "7001") not in by_question
    with ledger.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE app.ads_actions SET action_created_at = :at WHERE action_id = '7001'"),
            {"at": ledger.clock() - timedelta(hours=2)},
        )
    found, by_question = findings(ledger, lanes)
    assert not found.fine
    assert by_question["action_age", "7001"].sentence == (
        "Made 2026-10-20 10:00 UTC: Google takes its conversions from 2026-10-20 16:00 UTC, and they wait until then"
    )
    assert by_question["action_age", None].fine is None  # of the others nothing is known
    ledger.clock.forward(hours=4)
    found, by_question = findings(ledger, lanes)
    assert found.fine
    assert by_question["action_age", "7001"].sentence == "Made 2026-10-20 10:00 UTC: old enough to take conversions"


def test_which_quota_we_count_on(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.settings = ledger.settings.model_copy(update={"google_ads_operations_per_day": 2_000})
    findings(ledger, lanes)
    _, by_question = findings(ledger, lanes)
    assert by_question["quota_level", None].sentence.startswith(
        "By our settings the project may make 2,000 calls in 24 hours; used in 24 h: 6."
    )
    assert by_question["quota_level", None].fine
    ledger.settings = ledger.settings.model_copy(update={"google_ads_operations_per_day": 9})
    _, by_question = findings(ledger, lanes)
    assert by_question["quota_level", None].fine is False
    ledger.settings = ledger.settings.model_copy(update={"google_ads_operations_per_day": None})
    _, by_question = findings(ledger, lanes)
    assert by_question["quota_level", None].sentence.startswith(
        "By our settings the project may make any number of calls"
    )


def test_an_unknown_account(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    with pytest.raises(Permanent, match="there is no ads account 5"):
        findings(ledger, lanes, "5")


def test_numbers_are_those_of_the_installed_enums() -> None:
    from google.ads.googleads.v26 import enums

    assert enums.ConversionActionTypeEnum.ConversionActionType.UPLOAD_CLICKS == ads_probe.UPLOAD_CLICKS
    assert enums.ConversionActionStatusEnum.ConversionActionStatus.ENABLED == ads_probe.ENABLED
    assert enums.ConversionActionCountingTypeEnum.ConversionActionCountingType.ONE_PER_CLICK == ads_probe.ONE_PER_CLICK
