"""What came in at the sandbox's Google, row by row, refused or not: the messages themselves, as they left our clients."""

from typing import Any, NamedTuple

import pytest

from sandbox.google_ads import adjustments, conversions
from sandbox.google_ads.data_manager import DataManager

_ADS_CONSENT = {2: "granted", 3: "denied"}
_DM_CONSENT = {1: "granted", 2: "denied"}


class Arrival(NamedTuple):
    """One row of a request. `hashes`: how many identifiers came with it."""

    transaction: str
    adjusts: bool
    hashes: int
    ad_user_data: str | None
    ad_personalization: str | None
    click: str | None
    app: bool
    customer_type: int
    value: float
    rehearsed: bool


class Arrivals:
    """Notes them from when it is made until the test ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: list[Arrival] = []
        upload, adjust, check = conversions.upload_conversions, adjustments.adjust_conversions, DataManager._check

        def uploaded(state: Any, caller: Any, request: Any, request_id: str) -> Any:
            self.rows += [_conversion(row, rehearsed=request.validate_only) for row in request.conversions]
            return upload(state, caller, request, request_id)

        def adjusted(state: Any, caller: Any, request: Any, job_id: int) -> Any:
            self.rows += [_adjustment(row) for row in request.conversion_adjustments]
            return adjust(state, caller, request, job_id)

        def checked(api: Any, token: Any, request: Any) -> Any:
            self.rows += [_event(row, rehearsed=request.validate_only) for row in request.events]
            return check(api, token, request)

        monkeypatch.setattr(conversions, "upload_conversions", uploaded)
        monkeypatch.setattr(adjustments, "adjust_conversions", adjusted)
        monkeypatch.setattr(DataManager, "_check", checked)

    def of(self, order: str, since: int = 0) -> list[Arrival]:
        """Those of an order, by its own id or with the site's before it, from the `since`-th row on."""
        return [row for row in self.rows[since:] if row.transaction == order or row.transaction.endswith(f"-{order}")]


def _conversion(row: Any, *, rehearsed: bool) -> Arrival:
    return Arrival(
        row.order_id,
        adjusts=False,
        hashes=len(row.user_identifiers),
        ad_user_data=_ADS_CONSENT.get(row.consent.ad_user_data),
        ad_personalization=_ADS_CONSENT.get(row.consent.ad_personalization),
        click=row.gclid or row.gbraid or row.wbraid or None,
        app=row.conversion_environment == 2,
        customer_type=row.customer_type,
        value=row.conversion_value,
        rehearsed=rehearsed,
    )


def _adjustment(row: Any) -> Arrival:
    return Arrival(
        row.order_id,
        adjusts=True,
        hashes=len(row.user_identifiers),
        ad_user_data=None,
        ad_personalization=None,
        click=row.gclid_date_time_pair.gclid or None,
        app=False,
        customer_type=0,
        value=row.restatement_value.adjusted_value,
        rehearsed=False,
    )


def _event(row: Any, *, rehearsed: bool) -> Arrival:
    ids = row.ad_identifiers
    return Arrival(
        row.transaction_id,
        adjusts=row.HasField("last_updated_timestamp"),
        hashes=len(row.user_data.user_identifiers),
        ad_user_data=_DM_CONSENT.get(row.consent.ad_user_data),
        ad_personalization=_DM_CONSENT.get(row.consent.ad_personalization),
        click=ids.gclid or ids.gbraid or ids.wbraid or None,
        app=row.event_source == 2,
        customer_type=row.user_properties.customer_type,
        value=row.conversion_value,
        rehearsed=rehearsed,
    )
