"""What Google asks of every conversion, whichever lane carries it: checked row by row before anything is sent.

One bad row spoils a whole request of the Data Manager API, and costs an operation and a refusal in the other.
"""

import re
from binascii import unhexlify
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from custom_events.destinations.currencies import CURRENCIES
from custom_events.destinations.rules import without_click
from custom_events.values.clicks import ClickKind, ConsentStatus
from custom_events.values.conversions import Conversion, RowAnswer, UploadKind, Verdict

MAX_TRANSACTION_ID_CHARACTERS: Final = 64  # help 6386790, by google-ads.md S16
SETTLING: Final = timedelta(hours=6)  # after a click, and after an action was made (google-ads 2.2)
OLDEST_CLICK: Final = timedelta(days=90)  # "This click is too old" (google-ads 2.2)
OLDEST_USER_DATA: Final = timedelta(days=63)  # hashed e-mail and phone (google-ads 2.2)
ADJUSTABLE: Final = timedelta(days=54)  # CONVERSION_EXPIRED (google-ads 1.4)
CLOCK_TOLERANCE: Final = timedelta(minutes=5)  # a store's clock may run ahead of ours

_DIGEST_CHARACTERS: Final = 64  # of a SHA-256 in hexadecimal
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+[1-9]\d{7,14}\Z")  # international form only: plain digits are what order ids are made of
_CLICK_ID = re.compile(r"[A-Za-z0-9_\-.~%=]{5,512}\Z")


def validate(row: Conversion, now: datetime) -> RowAnswer | None:
    """Why Google would not take the row, by its own content alone; None when nothing speaks against it. Pure."""
    wrong = _identity(row) or _amount(row)
    if wrong is None and row.kind is UploadKind.CONVERSION:
        return _conversion(row, now)
    if wrong is None:
        return _adjustment(row, now)
    return _withheld(row, *wrong)


def _withheld(row: Conversion, code: str, sentence: str) -> RowAnswer:
    return RowAnswer(upload_id=row.upload_id, verdict=Verdict.WITHHELD, code=code, sentence=sentence)


def _expired(row: Conversion, code: str, sentence: str) -> RowAnswer:
    return RowAnswer(upload_id=row.upload_id, verdict=Verdict.EXPIRED, code=code, sentence=sentence)


def _identity(row: Conversion) -> tuple[str, str] | None:
    key = row.transaction_id
    if not 1 <= len(key) <= MAX_TRANSACTION_ID_CHARACTERS:
        return "transaction_id_length", f"The order id has {len(key)} characters; Google takes 1 to 64"
    if ("@" in key and _EMAIL.search(key)) or (key[0] == "+" and _PHONE.match(key)):
        return "transaction_id_personal", "The order id looks like an e-mail address or a phone number"
    if not row.action_id.isdigit():
        return "action_id", f"The conversion action {row.action_id!r} is not a number"
    if row.occurred_at.tzinfo is None:
        return "time_without_zone", "The conversion's time has no time zone"
    return None


def _amount(row: Conversion) -> tuple[str, str] | None:
    if row.value is None:
        if row.kind is UploadKind.RESTATEMENT:
            return "value_missing", "A restatement needs the new value"
        return None
    if not row.value.is_finite() or row.value < 0:
        return "value_negative", f"The value {row.value} is negative or not a number"
    if row.currency is not None and row.currency not in CURRENCIES:
        return "currency_unknown", f"{row.currency!r} is not an ISO 4217 currency code"
    if row.currency is None and row.value > 0:
        return "currency_missing", "The value has no currency"
    return None


def _conversion(row: Conversion, now: datetime) -> RowAnswer | None:
    if row.occurred_at > now + CLOCK_TOLERANCE:
        return _withheld(
            row, "time_in_future", f"The conversion's time {row.occurred_at.isoformat()} lies in the future"
        )
    wrong = _user_data(row)
    if wrong is not None:
        return _withheld(row, *wrong)
    click = row.click
    if click is None:
        if now - row.occurred_at > OLDEST_USER_DATA:
            return _expired(row, "user_data_too_old", "Google takes hashed user data for 63 days")
        return _action_age(row, now)
    if not _CLICK_ID.match(click.id):
        return _malformed(row, f"The {click.kind} holds characters that no click id has")
    if click.kind is not ClickKind.GCLID and row.one_per_click:
        return _withheld(
            row, "braid_one_per_click", "The action counts one per click, which excludes gbraid and wbraid"
        )
    if click.clicked_at is not None:
        return _click_time(row, click.clicked_at, now)
    return _action_age(row, now)


def _malformed(row: Conversion, sentence: str) -> RowAnswer:
    verdict, words = without_click(row, sentence)
    if verdict is Verdict.REJECTED:
        return _withheld(row, "click_id_malformed", words)
    return RowAnswer(upload_id=row.upload_id, verdict=verdict, code="click_id_malformed", sentence=words)


def _user_data(row: Conversion) -> tuple[str, str] | None:
    email, phone = row.email_sha256, row.phone_sha256
    if (email is not None and not _is_digest(email)) or (phone is not None and not _is_digest(phone)):
        return "hash_malformed", "An e-mail or phone hash is not a SHA-256 of 64 lower-case hexadecimal characters"
    if row.click is not None:
        return None
    if email is None and phone is None:
        return "no_identifier", "There is neither a click id nor a hashed e-mail or phone: nothing to attribute it by"
    if row.ad_user_data is ConsentStatus.DENIED:
        return "consent_denied", "The customer denied the use of personal data for ads, and there is no click id"
    return None


def _is_digest(text: str) -> bool:
    """There and back costs a seventh of a pattern of 64 characters, and rows have two."""
    try:
        return len(text) == _DIGEST_CHARACTERS and unhexlify(text).hex() == text
    except ValueError:
        return False


def _click_time(row: Conversion, clicked_at: datetime, now: datetime) -> RowAnswer | None:
    if clicked_at > row.occurred_at:
        return _withheld(row, "conversion_before_click", "The conversion happened before the click")
    if now - clicked_at > OLDEST_CLICK:
        return _expired(row, "click_too_old", "The click is older than 90 days, which is as long as Google keeps it")
    if row.occurred_at - clicked_at > _days(row.click_window_days):
        return _expired(
            row, "outside_click_window", f"The click was more than {row.click_window_days} days before the conversion"
        )
    ready_at = clicked_at + SETTLING
    if ready_at > now:
        return _held(row, "click_too_recent", "Google accepts this click 6 hours after it happened", ready_at)
    return _action_age(row, now)


@cache
def _days(number: int) -> timedelta:
    """A window; there are as many as Google has lengths of them."""
    return timedelta(days=number)


def _action_age(row: Conversion, now: datetime) -> RowAnswer | None:
    if row.action_created_at is None or row.action_created_at + SETTLING <= now:
        return None
    ready_at = row.action_created_at + SETTLING
    return _held(row, "action_too_recent", "Google takes conversions for an action 6 hours after it was made", ready_at)


def _held(row: Conversion, code: str, sentence: str, until: datetime) -> RowAnswer:
    return RowAnswer(
        upload_id=row.upload_id,
        verdict=Verdict.HOLD,
        code=code,
        sentence=f"{sentence}: {until:%Y-%m-%d %H:%M} UTC",
        retry_at=until,
    )


def _adjustment(row: Conversion, now: datetime) -> RowAnswer | None:
    if row.adjusted_at is None or row.adjusted_at <= row.occurred_at:
        return _withheld(row, "adjustment_before_conversion", "The adjustment's time is not after the conversion's")
    if now - row.occurred_at > ADJUSTABLE:
        return _expired(row, "conversion_too_old", "Google adjusts conversions for 54 days")
    return None
