"""What Google asks of every conversion, whichever lane carries it: checked row by row before anything is sent.

One bad row spoils a whole request of the Data Manager API, and costs an operation and a refusal in the other.
"""

import re
from binascii import unhexlify
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from custom_events.destinations.currencies import CURRENCIES
from custom_events.destinations.rules import without_click
from custom_events.values import reasons
from custom_events.values.clicks import Click, ClickKind, ConsentStatus
from custom_events.values.conversions import Conversion, RowAnswer, UploadKind, Verdict

MAX_TRANSACTION_ID_CHARACTERS: Final = 64  # docs/reference/google-ads.md S16
SETTLING: Final = timedelta(hours=6)  # after a click, and after an action was made (docs/reference/google-ads.md 2.2)
OLDEST_CLICK: Final = timedelta(days=90)  # "This click is too old" (docs/reference/google-ads.md 2.2)
OLDEST_USER_DATA: Final = timedelta(days=63)  # hashed e-mail and phone (docs/reference/google-ads.md 2.2)
ADJUSTABLE: Final = timedelta(days=54)  # CONVERSION_EXPIRED (docs/reference/google-ads.md 1.4)
CLOCK_TOLERANCE: Final = timedelta(minutes=5)  # a store's clock may run ahead of ours

_DIGEST_CHARACTERS: Final = 64  # of a SHA-256 in hexadecimal
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+[1-9]\d{7,14}\Z")  # international form only: plain digits are what order ids are made of
_CLICK_ID = re.compile(r"[A-Za-z0-9_\-.~%=]{5,512}\Z")


class _Why(NamedTuple):
    """A reason, with what its sentence says of the row."""

    reason: str
    figures: Mapping[str, object] = {}


def validate(row: Conversion, now: datetime) -> RowAnswer | None:
    """Why Google would not take the row, by its own content alone; None when nothing speaks against it. Pure."""
    wrong = _identity(row) or _amount(row)
    if wrong is None and row.kind is UploadKind.CONVERSION:
        return _conversion(row, now)
    if wrong is None:
        return _adjustment(row, now)
    return _withheld(row, wrong)


def _withheld(row: Conversion, why: _Why) -> RowAnswer:
    sentence = reasons.WITHHELD[why.reason].format(**why.figures)
    return RowAnswer(upload_id=row.upload_id, verdict=Verdict.WITHHELD, code=why.reason, sentence=sentence)


def _expired(row: Conversion, reason: str, **figures: object) -> RowAnswer:
    sentence = reasons.EXPIRED[reason].format(**figures)
    return RowAnswer(upload_id=row.upload_id, verdict=Verdict.EXPIRED, code=reason, sentence=sentence)


def _identity(row: Conversion) -> _Why | None:
    key = row.transaction_id
    if not 1 <= len(key) <= MAX_TRANSACTION_ID_CHARACTERS:
        figures = {"characters": len(key), "limit": MAX_TRANSACTION_ID_CHARACTERS}
        return _Why(reasons.TRANSACTION_ID_LENGTH, figures)
    if ("@" in key and _EMAIL.search(key)) or (key[0] == "+" and _PHONE.match(key)):
        return _Why(reasons.TRANSACTION_ID_PERSONAL)
    if not row.action_id.isdigit():
        return _Why(reasons.ACTION_ID, {"action": row.action_id})
    if row.occurred_at.tzinfo is None:
        return _Why(reasons.TIME_WITHOUT_ZONE)
    return None


def _amount(row: Conversion) -> _Why | None:
    if row.value is None:
        if row.kind is UploadKind.RESTATEMENT:
            return _Why(reasons.VALUE_MISSING)
        return None
    if not row.value.is_finite() or row.value < 0:
        return _Why(reasons.VALUE_NEGATIVE, {"value": row.value})
    if row.currency is not None and row.currency not in CURRENCIES:
        return _Why(reasons.CURRENCY_UNKNOWN, {"currency": row.currency})
    if row.currency is None and row.value > 0:
        return _Why(reasons.CURRENCY_MISSING)
    return None


def _conversion(row: Conversion, now: datetime) -> RowAnswer | None:
    if row.occurred_at > now + CLOCK_TOLERANCE:
        return _withheld(row, _Why(reasons.TIME_IN_FUTURE, {"at": row.occurred_at.isoformat()}))
    wrong = _consent(row) or _user_data(row)
    if wrong is not None:
        return _withheld(row, wrong)
    click = row.click
    if click is None:
        if now - row.occurred_at > OLDEST_USER_DATA:
            return _expired(row, reasons.USER_DATA_TOO_OLD)
        return _action_age(row, now)
    if not _CLICK_ID.match(click.id):
        return _malformed(row, click)
    if click.kind is not ClickKind.GCLID and row.one_per_click:
        return _of_click(row, _withheld(row, _Why(reasons.BRAID_ONE_PER_CLICK)))
    if click.clicked_at is not None:
        return _of_click(row, _click_time(row, click.clicked_at, now))
    return _action_age(row, now)


def _of_click(row: Conversion, answer: RowAnswer | None) -> RowAnswer | None:
    """What speaks against a click speaks against the conversion only where no other click id may stand for it."""
    if answer is None or not row.has_other_clicks or answer.verdict is Verdict.HOLD:
        return answer
    verdict, words = without_click(row, answer.sentence or "")
    return RowAnswer(upload_id=row.upload_id, verdict=verdict, code=answer.code, sentence=words)


def _malformed(row: Conversion, click: Click) -> RowAnswer:
    reason = reasons.CLICK_ID_MALFORMED
    verdict, words = without_click(row, reasons.WITHHELD[reason].format(kind=click.kind))
    verdict = Verdict.WITHHELD if verdict is Verdict.REJECTED else verdict
    return RowAnswer(upload_id=row.upload_id, verdict=verdict, code=reason, sentence=words)


def _user_data(row: Conversion) -> _Why | None:
    email, phone = row.email_sha256, row.phone_sha256
    if (email is not None and not _is_digest(email)) or (phone is not None and not _is_digest(phone)):
        return _Why(reasons.HASH_MALFORMED)
    if row.click is not None:
        return None
    if email is None and phone is None:
        return _Why(reasons.NO_IDENTIFIER)
    return None


def _consent(row: Conversion) -> _Why | None:
    if row.ad_user_data is ConsentStatus.DENIED:
        return _Why(reasons.Reason.CONSENT_DENIED)
    return None


def _is_digest(text: str) -> bool:
    """There and back costs a seventh of a pattern of 64 characters, and rows have two."""
    try:
        return len(text) == _DIGEST_CHARACTERS and unhexlify(text).hex() == text
    except ValueError:
        return False


def _click_time(row: Conversion, clicked_at: datetime, now: datetime) -> RowAnswer | None:
    if clicked_at > row.occurred_at:
        return _withheld(row, _Why(reasons.CONVERSION_BEFORE_CLICK))
    if now - clicked_at > OLDEST_CLICK:
        return _expired(row, reasons.Reason.CLICK_TOO_OLD)
    if row.occurred_at - clicked_at > _days(row.click_window_days):
        return _expired(row, reasons.OUTSIDE_CLICK_WINDOW, days=row.click_window_days)
    ready_at = clicked_at + SETTLING
    if ready_at > now:
        return _held(row, reasons.CLICK_TOO_RECENT, ready_at)
    return _action_age(row, now)


@cache
def _days(number: int) -> timedelta:
    """A window; there are as many as Google has lengths of them."""
    return timedelta(days=number)


def _action_age(row: Conversion, now: datetime) -> RowAnswer | None:
    if row.action_created_at is None or row.action_created_at + SETTLING <= now:
        return None
    ready_at = row.action_created_at + SETTLING
    return _held(row, reasons.ACTION_TOO_RECENT, ready_at)


def _held(row: Conversion, reason: str, until: datetime) -> RowAnswer:
    return RowAnswer(
        upload_id=row.upload_id,
        verdict=Verdict.HOLD,
        code=reason,
        sentence=reasons.waits_until(reason, until),
        retry_at=until,
    )


def _adjustment(row: Conversion, now: datetime) -> RowAnswer | None:
    if row.adjusted_at is None or row.adjusted_at <= row.occurred_at:
        return _withheld(row, _Why(reasons.ADJUSTMENT_BEFORE_CONVERSION))
    if now - row.occurred_at > ADJUSTABLE:
        return _expired(row, reasons.CONVERSION_TOO_OLD)
    return None
