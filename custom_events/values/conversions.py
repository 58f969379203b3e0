"""A conversion or an adjustment on its way to an ad platform, and the answer. Independent of the lane that carries it.

Rows and their answers hold no references to each other, so the garbage collector need not look at them (`gc=False`): beside the
large heap of Google's client its passes cost more than making 2,000 answers does.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from custom_events.values.clicks import Click, ConsentStatus
from custom_events.values.summaries import RequestCounts

# Reasons with which Google says that it took the call and has no such click, so that nothing came of it; the row is `accepted`, or
# `rejected` where Google says so row by row. Sums, marts and lists call its outcome `unmatched`; nothing is adjusted for it.
UNMATCHED_REASONS: Final = (
    "ConversionUploadError.CLICK_NOT_FOUND",
    "ConversionUploadError.EVENT_NOT_FOUND",
    "ProcessingErrorReason.CLICK_NOT_FOUND",
    "ProcessingErrorReason.INVALID_CLICK",
)


class Lane(StrEnum):
    """The ways to an ad platform, each a folder of `custom_events/destinations`; two go to Google (docs/reference/google-ads.md 0)."""

    GOOGLE_ADS = "google_ads"
    DATA_MANAGER = "data_manager"


class UploadKind(StrEnum):
    CONVERSION = "conversion"
    RESTATEMENT = "restatement"  # value is the new total
    RETRACTION = "retraction"


class UploadState(StrEnum):
    """States of a row of `conversion_uploads` (docs/architecture.md 4.4)."""

    NEW = "new"  # made, not yet decided
    HELD = "held"  # reason, until
    QUEUED = "queued"
    CLAIMED = "claimed"  # a worker has it; intent committed, nothing sent
    SENT = "sent"  # accepted for processing, verdict comes later (Data Manager)
    UNKNOWN = "unknown"  # sent, and no answer came
    ACCEPTED = "accepted"
    REJECTED = "rejected"  # code
    EXPIRED = "expired"
    WITHHELD = "withheld"  # reason; never sent


class AdsAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Google's side: whose conversions these are, and how we get in."""

    id: int
    customer_id: str  # ten digits
    lane: Lane
    login_customer_id: str | None = None


class CartItem(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a cart; `unit_price` in the conversion's currency."""

    id: str  # in the merchant centre
    quantity: int
    unit_price: Decimal | None = None


class Cart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was bought, by a merchant centre's ids. `discount` is the whole order's."""

    merchant_id: str
    country: str | None = None
    language: str | None = None
    discount: Decimal | None = None
    items: tuple[CartItem, ...] = ()


class AdsAction(msgspec.Struct, frozen=True, kw_only=True):
    """A conversion action, as far as deciding needs to know it; a row of `ads_actions`."""

    id: int
    ads_account_id: int
    click_window_days: int = 90
    one_per_click: bool = False
    created_at: datetime | None = None


class Conversion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row to send. `transaction_id` is the idempotency key at Google: one conversion per (action, transaction id)."""

    upload_id: int
    kind: UploadKind
    action_id: str  # Google's numeric id
    transaction_id: str  # at most 64 characters, no personal data
    occurred_at: datetime
    adjusted_at: datetime | None = None  # adjustments only; later than any before
    value: Decimal | None = None
    currency: str | None = None
    click: Click | None = None
    email_sha256: str | None = None
    phone_sha256: str | None = None
    ad_user_data: ConsentStatus = ConsentStatus.UNKNOWN
    ad_personalization: ConsentStatus = ConsentStatus.UNKNOWN
    new_customer: bool | None = None
    from_app: bool = False
    cart: Cart | None = None
    click_window_days: int = 90  # of the action
    one_per_click: bool = False  # counting type of the action
    action_created_at: datetime | None = None  # at Google; the action takes nothing in its first hours
    has_other_clicks: bool = False  # which are tried when this one is refused

    @property
    def has_user_data(self) -> bool:
        """Whether it has a hashed e-mail or phone that may be sent."""
        hashed = self.email_sha256 is not None or self.phone_sha256 is not None
        return hashed and self.ad_user_data is not ConsentStatus.DENIED

    @property
    def goes_without_click(self) -> bool:
        """Whether hashed e-mail or phone may go alone, should its click id be of no use."""
        return self.has_user_data and self.kind is UploadKind.CONVERSION


class RequestKind(StrEnum):
    """What one request carries; conversions and adjustments go to different methods."""

    CONVERSIONS = "conversions"
    ADJUSTMENTS = "adjustments"


class Verdict(StrEnum):
    """What happens next to a row, from the lane's answer."""

    ACCEPTED = "accepted"
    ALREADY_THERE = "already_there"  # duplicate answer: delivered before
    PENDING = "pending"  # accepted for processing; ask again with the request id
    RETRY = "retry"
    HOLD = "hold"  # until retry_at
    FIX = "fix"  # configuration: park the lane or the action, a person must act
    REJECTED = "rejected"  # never
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # no answer: it may have been applied
    DROP_CLICK = (
        "drop_click"  # the click id is none: go again with the next one, else with hashed e-mail or phone alone
    )
    SPLIT = "split"  # refused as a whole, and no row is named: send again in smaller parts
    WITHHELD = "withheld"  # our own check says no; it was never sent


class Scope(StrEnum):
    """How far an answer reaches: what has to wait, or to be mended, before more is sent."""

    ROW = "row"
    ACTION = "action"  # every conversion of this conversion action
    USER_DATA = "user_data"  # what carries hashed e-mail or phone, of the whole account; clicks alone go on
    ADJUSTMENTS = "adjustments"  # restatements and retractions of the whole account; conversions go on
    ACCOUNT = "account"
    PROJECT = "project"  # every account that is reached with the same credentials


class RowAnswer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Google's answer to one row, in our words. `code` is Google's (`ConversionUploadError.EXPIRED_EVENT`)."""

    upload_id: int
    verdict: Verdict
    code: str | None = None
    sentence: str | None = None
    retry_at: datetime | None = None
    scope: Scope = Scope.ROW
    then: Verdict | None = None  # of a HOLD: the verdict if the same code had come before


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one request: an answer for each row, in the order of the rows."""

    rows: tuple[RowAnswer, ...]
    request_id: str | None = None
    job_id: int | None = None
    verdict: Verdict | None = None  # set when the request failed as a whole
    code: str | None = None
    sentence: str | None = None
    retry_after_s: float | None = None
    scope: Scope = Scope.ACCOUNT  # of `verdict`
    counts: tuple[RequestCounts, ...] = ()  # a later verdict: what Google says of the request, action by action
