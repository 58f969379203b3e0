"""UploadClickConversions: from a parsed request to recorded conversions and one error per bad row."""

from collections.abc import Sequence
from typing import Any

from sandbox.google_ads.access import Caller, check_allowlisted
from sandbox.google_ads.adjustments import apply_waiting, settle_waiting
from sandbox.google_ads.checks_conversion import check_conversion
from sandbox.google_ads.checks_identifiers import matches_somebody
from sandbox.google_ads.click_ids import Click, ClickFlag
from sandbox.google_ads.diagnostics import Batch
from sandbox.google_ads.error_names import ConversionUpload, ErrorName, Field, PartialFailure
from sandbox.google_ads.failures import Fail, Refused, Status
from sandbox.google_ads.formats import CURRENCIES
from sandbox.google_ads.installed import ads_enums
from sandbox.google_ads.query_rows import ConversionRow, Uploads, read_conversion
from sandbox.google_ads.seed import Action, Customer
from sandbox.google_ads.state import Conversion, State

METHOD = "UploadClickConversions"
MAX_ROWS = 2_000
MAX_JOB_ID = 2**31 - 1
_EEA = int(ClickFlag.EEA)


class Outcome:
    """What a request did: `errors` by row, `job_id`, and the rows that are to get an empty result."""

    def __init__(self, job_id: int, errors: list[tuple[int, Fail]]) -> None:
        self.job_id = job_id
        self.errors = errors
        self.failed = {index for index, _ in errors}


def upload_conversions(state: State, caller: Caller, request: Any, request_id: str) -> Outcome:
    """Check and record every row. Raises `Refused` when the whole request is wrong. The caller holds the lock."""
    settle_waiting(state)
    check_allowlisted(state, caller)
    check_request(
        request,
        request.conversions,
        "conversions",
        ConversionUpload.TOO_MANY_CONVERSIONS_IN_REQUEST,
        ConversionUpload.INVALID_JOB_ID,
    )
    job_id = request.job_id or state.generated_job_id()
    uploads = Uploads(state, caller, [read_conversion(message) for message in request.conversions])
    day = state.local_time(caller.customer, uploads.now).date().isoformat()
    batch = Batch(caller.customer.customer_id, day, job_id, uploads.now)
    draw = None if request.validate_only else state.faults.rows(METHOD)
    errors: list[tuple[int, Fail]] = []
    for index, row in enumerate(uploads.rows):
        error = check_conversion(row, uploads)
        drawn = draw() if error is None and draw is not None else None
        if error is None and not request.validate_only and (drawn is None or drawn.after_apply):
            _record(row, uploads, batch, job_id, request_id)
        if drawn is not None:
            error = Fail(drawn.name)
        if error is not None:
            errors.append((index, error))
            batch.failure(row.action_id if row.action_id in state.actions else "", error.name)
    if not request.validate_only:
        state.record(batch)
    return Outcome(job_id, errors)


def check_request(request: Any, rows: Sequence[Any], field: str, too_many: ErrorName, bad_job: ErrorName) -> None:
    """What both uploads ask of a request: partial_failure, 1 to 2,000 rows, a job id in range. Raises `Refused`."""
    if not request.partial_failure:
        raise Refused.of(Status.INVALID_ARGUMENT, PartialFailure.PARTIAL_FAILURE_MODE_REQUIRED, "partial_failure")
    if not rows:
        raise Refused.of(Status.INVALID_ARGUMENT, Field.REQUIRED, field)
    if len(rows) > MAX_ROWS:
        raise Refused.of(Status.INVALID_ARGUMENT, too_many, field)
    if request.HasField("job_id") and not 1 <= request.job_id <= MAX_JOB_ID:
        raise Refused.of(Status.INVALID_ARGUMENT, bad_job, "job_id", str(request.job_id))


def value_and_currency(action: Action, customer: Customer, value: float | None, currency: str) -> tuple[float, str]:
    """S20: the value and currency that Google records: what was sent, else the action's, else the account's."""
    known = currency if currency in CURRENCIES else action.currency or customer.currency
    if value is None or action.always_use_default_value:
        return action.default_value, known
    return value, known


def usable(consent: str, click: Click | None) -> bool:
    """S21: user data is not usable when consent was denied, or is missing for a click from the EEA."""
    if consent == "DENIED":
        return False
    return consent == "GRANTED" or click is None or not click.flags & _EEA


def counts(state: State, action: Action, click_id: str | None) -> bool:
    """S19: with ONE_PER_CLICK only the first conversion of a click adds to the reported number."""
    if click_id is None or action.counting_type == "MANY_PER_CLICK":
        return True
    return (action.action_id, click_id) not in state.clicks_counted


def _record(row: ConversionRow, uploads: Uploads, batch: Batch, job_id: int, request_id: str) -> None:
    state, message, enums = uploads.state, row.message, ads_enums()
    action = state.actions[row.action_id or ""]
    matched = row.click_id is not None or matches_somebody(row, uploads)
    value, currency = value_and_currency(
        action,
        uploads.customer,
        message.conversion_value if message.HasField("conversion_value") else None,
        message.currency_code,
    )
    consent = enums.consent.name(message.consent.ad_user_data)
    conversion = Conversion(
        customer_id=uploads.customer.customer_id,
        action_id=action.action_id,
        order_id=row.order_id,
        click_id=row.click_id,
        kind=row.kind,
        value=value,
        original_value=value,
        currency=currency,
        conversion_date_time=row.date_time,
        conversion_at=row.instant or 0,
        uploaded_at=uploads.now,
        counted=matched and counts(state, action, row.click_id),
        via="google_ads",
        user_identifiers=row.user_identifiers,
        consent=consent,
        user_data_usable=usable(consent, row.click),
        job_id=job_id,
        request_id=request_id,
        customer_type=enums.customer_type.name(message.customer_type),
        environment=enums.environment.name(message.conversion_environment),
        cart=_cart(message) if message.HasField("cart_data") else None,
    )
    state.remember(conversion)
    if matched:
        batch.success(action.action_id)
    else:
        batch.failure(action.action_id, ConversionUpload.CLICK_NOT_FOUND)
    if state.waiting:
        apply_waiting(state, conversion)


def _cart(message: Any) -> dict[str, object]:
    cart = message.cart_data
    return {
        "merchant_id": cart.merchant_id,
        "feed_country_code": cart.feed_country_code,
        "feed_language_code": cart.feed_language_code,
        "local_transaction_cost": cart.local_transaction_cost,
        "items": [
            {"product_id": item.product_id, "quantity": item.quantity, "unit_price": item.unit_price}
            for item in cart.items
        ],
    }
