"""What Google knows about a click when its conversion arrives (S18). Both lanes ask the same question."""

from enum import Enum, auto

from sandbox.google_ads.access import Caller, reaches, same_tree
from sandbox.google_ads.click_ids import Click, ClickFlag
from sandbox.google_ads.error_names import ConversionUpload, ErrorName
from sandbox.google_ads.failures import Fail
from sandbox.google_ads.query_rows import ConversionRow, Uploads
from sandbox.google_ads.seed import Action
from sandbox.google_ads.state import State

SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 86_400
TOO_RECENT_CLICK_S = 6 * SECONDS_PER_HOUR  # ConversionUploadError.TOO_RECENT_EVENT
CLICK_ID_LIFE_S = 90 * SECONDS_PER_DAY  # a click id can be used for 90 days (help 10029210)
_UNKNOWN, _TRACKING_OFF = int(ClickFlag.UNKNOWN), int(ClickFlag.TRACKING_OFF)  # flags as numbers: five times faster


class ClickProblem(Enum):
    """Why a click that decodes cannot carry this conversion."""

    OTHER_ACCOUNT = auto()
    NO_ACCESS = auto()
    NOT_FOUND = auto()
    TOO_RECENT = auto()
    AFTER_CONVERSION = auto()
    TOO_OLD = auto()
    TRACKING_OFF = auto()


_NAMES: dict[ClickProblem, ErrorName] = {
    ClickProblem.OTHER_ACCOUNT: ConversionUpload.INVALID_CUSTOMER_FOR_CLICK,
    ClickProblem.NO_ACCESS: ConversionUpload.UNAUTHORIZED_CUSTOMER,
    ClickProblem.NOT_FOUND: ConversionUpload.EVENT_NOT_FOUND,
    ClickProblem.TOO_RECENT: ConversionUpload.TOO_RECENT_EVENT,
    ClickProblem.AFTER_CONVERSION: ConversionUpload.CONVERSION_PRECEDES_EVENT,
    ClickProblem.TOO_OLD: ConversionUpload.EXPIRED_EVENT,
    ClickProblem.TRACKING_OFF: ConversionUpload.CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME,
}


def click_problem(
    state: State, caller: Caller, action: Action, click: Click, instant: int, now: float
) -> ClickProblem | None:
    """What stands between this click and a conversion of `action` at `instant` (both times: seconds since 1970)."""
    if click.customer_id != caller.customer.customer_id:
        owner = state.customers.get(click.customer_id)
        if owner is None:
            return ClickProblem.NOT_FOUND
        if not same_tree(state, owner, caller.customer):
            return ClickProblem.OTHER_ACCOUNT if reaches(state, caller.token, owner) else ClickProblem.NO_ACCESS
    if click.flags & _UNKNOWN:
        return ClickProblem.NOT_FOUND
    if now - click.clicked_at < TOO_RECENT_CLICK_S:
        return ClickProblem.TOO_RECENT
    if instant < click.clicked_at:
        return ClickProblem.AFTER_CONVERSION
    window_s = action.click_through_lookback_window_days * SECONDS_PER_DAY
    if instant - click.clicked_at > window_s or now - click.clicked_at > CLICK_ID_LIFE_S:
        return ClickProblem.TOO_OLD
    return ClickProblem.TRACKING_OFF if click.flags & _TRACKING_OFF else None


def check_click(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """S18 for the click id that counts."""
    if row.click is None or row.instant is None:  # no click id, or found by the checks before this one
        return None
    action = uploads.state.actions[row.action_id or ""]
    problem = click_problem(uploads.state, uploads.caller, action, row.click, row.instant, uploads.now)
    return None if problem is None else Fail.at(_NAMES[problem], row.kind, trigger=row.click_id)
