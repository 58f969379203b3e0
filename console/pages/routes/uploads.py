"""Uploads: conversions and adjustments on their way to an ads account, and Google's answers; held, released, sent again."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from console.api.calls import Call
from console.api.problems import FieldError, invalid
from console.api.routes import browsing, day_figures
from console.api.routes import uploads as operations
from console.api.routes.uploads import Hold, Release
from console.pages.ask import ROWS, Ask
from console.pages.formats import word
from console.pages.navigation import READ
from console.pages.overview_cards import weeks_chart
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.translations import N_, _, translated
from console.pages.visible import AdsChoice, account_choice, action_choice, chosen_site, site_choice, site_names
from custom_events.access.roles import Role
from custom_events.browse.uploads import STATES, UploadRow
from custom_events.catalog import ads, assignments, sites
from custom_events.ledger.overview import SOON
from custom_events.ledger.progress import UploadProgress
from custom_events.values.conversions import UploadKind
from custom_events.values.reasons import CONSENT_UNKNOWN_IN_EUROPE

PAGES: Final = Pages()
_CUSTOMER: Final = re.compile(r"[0-9]{3}-?[0-9]{3}-?[0-9]{4}\Z")
_WAITING: Final = (("held", "held", "warn"), ("queued", "queued", ""), ("unknown", N_("without an answer"), "warn"))
_RETRIED: Final = N_("It is sent again with the next request.")
_READ_ONE: Final = right_of(operations.ROUTES, operations.read_upload)


@PAGES.show("/uploads", right=READ, template="uploads.html")
def uploads_page(call: Call, ask: Ask) -> Shown:
    """The ledger, the newest first; what waits as filters with their counts, and how conversions fared over time."""
    site_id, account_id = chosen_site(call, ask), _chosen_account(call, ask)
    expiring = ask.flag("expiring")
    listed = browsing.list_uploads(
        call,
        site_id=site_id,
        state=ask.choice("state", STATES),
        reason=ask.text("reason"),
        account_id=account_id,
        action_id=ask.number("action_id"),
        assignment_id=ask.number("assignment_id"),
        kind=ask.choice("kind", tuple(UploadKind)),
        order_id=ask.text("order_id") if site_id is not None else None,
        since=ask.moment("since"),
        until=ask.moment("until"),
        deadline_before=datetime.now(UTC) + SOON if expiring else None,
        order=ask.order(),
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    may_all = call.caller.may(Role.VIEWER)
    progress = day_figures.read_upload_progress(call, site_id)
    content: dict[str, Any] = {
        "ask": ask,
        "list": listed,
        "names": site_names(call, listed.items),
        "sites": site_choice(call),
        "site_id": site_id,
        "states": STATES,
        "kinds": tuple(UploadKind),
        "actions": ads.action_names_of(call.connection, _actions_of(listed.items)) if may_all else {},
        "action_choice": action_choice(call, account_id) if may_all else AdsChoice(),
        "account_choice": account_choice(call),
        "account_id": account_id,
        "waiting": waiting(progress, ask, site_id),
        "chart": weeks_chart(progress.weeks) if progress.weeks and not ask.query else None,
        "at_once": at_once(ask, site_id, _customer_id(call, account_id) if may_all else None),
        "consent_reason": CONSENT_UNKNOWN_IN_EUROPE,
        "soon": datetime.now(UTC) + SOON,
    }
    return Shown(title=_("Uploads"), content=content)


class Waiting(NamedTuple):
    """A filter with its count. `query`: the end of its address."""

    name: str
    rows: int
    query: str
    tone: str
    is_chosen: bool


def waiting(progress: UploadProgress, ask: Ask, site_id: int | None) -> list[Waiting]:
    """What waits, by state, and what of it will soon be too late."""
    mine = {} if site_id is None else {"site_id": site_id}
    chips = [
        Waiting(
            translated(name),
            progress.waiting.get(state, 0),
            f"?{urlencode({'state': state, **mine})}",
            tone,
            ask.query.get("state") == state,
        )
        for state, name, tone in _WAITING
    ]
    query = f"?{urlencode({'expiring': 'yes', **mine})}"
    late = Waiting(
        _("too late in 48 hours"),
        progress.expiring,
        query,
        "bad" if progress.expiring else "",
        ask.query.get("expiring") == "yes",
    )
    return [*chips, late]


def at_once(ask: Ask, site_id: int | None, customer_id: str | None) -> str:
    """Where all that is listed is changed at once, without what is done at its end ("": nowhere): of one site, or of one account, by reason at most."""
    chosen = {name for name, value in ask.query.items() if value} - {"state", "reason", "after", "order"}
    if site_id is not None and chosen <= {"site_id", "order_id"}:
        return f"sites/{site_id}/uploads"
    if chosen == {"account_id"} and customer_id is not None:
        return f"ads-accounts/{customer_id}/uploads"
    return ""


def _chosen_account(call: Call, ask: Ask) -> int | None:
    """Our id of the account of the query, where Google's customer id may be typed as well. Raises 422."""
    written = ask.text("account_id")
    if written is None or not _CUSTOMER.match(written):
        return ask.number("account_id")
    (account,) = ads.accounts_of(call.connection, [written.replace("-", "")]) or [None]
    if account is None:
        wrong = f"there is no ads account {written}"
        raise invalid(
            FieldError(
                field="account_id", place="query", problem=wrong, remedy="a customer id of the list of ads accounts"
            )
        )
    return account.id


def _customer_id(call: Call, account_id: int | None) -> str | None:
    account = None if account_id is None else ads.account_name(call.connection, account_id)
    return None if account is None else account.reference


def _actions_of(rows: Iterable[UploadRow]) -> set[int]:
    return {row.action_id for row in rows if row.action_id is not None}


@PAGES.show("/uploads/{upload_reference}", right=_READ_ONE, template="upload.html")
def upload_page(call: Call, ask: Ask) -> Shown:
    """One conversion or adjustment: where it stands and why, and every answer."""
    upload = operations.read_upload(call, ask.path["upload_reference"])
    content = {
        "upload": upload,
        "site": sites.get(call.connection, upload.site_id),
        "assignment": _assignment(call, upload.assignment_id),
        "action": _action_name(call, upload.customer_id, upload.action_id),
        "consent_reason": CONSENT_UNKNOWN_IN_EUROPE,
    }
    return Shown(title=f"{word(upload.kind).capitalize()} {upload.transaction_id}", content=content)


@PAGES.change("/uploads/{upload_reference}/hold", right=right_of(operations.ROUTES, operations.hold_upload))
def hold(call: Call, ask: Ask) -> Moved:
    """Hold what waits, with a reason in words."""
    reference = ask.path["upload_reference"]
    operations.hold_upload(call, reference, Hold(why=ask.field("why") or "no reason given"))
    return _back(reference, _("It is held until somebody releases it."))


@PAGES.change("/uploads/{upload_reference}/release", right=right_of(operations.ROUTES, operations.release_upload))
def release(call: Call, ask: Ask) -> Moved:
    """Let what is held go now."""
    reference = ask.path["upload_reference"]
    operations.release_upload(call, reference, Release(reason=ask.field("reason") or None))
    return _back(reference, _("It is released, and goes with the next request."))


@PAGES.change("/uploads/{upload_reference}/retry", right=right_of(operations.ROUTES, operations.retry_upload))
def retry(call: Call, ask: Ask) -> Moved:
    """Send what was refused once more."""
    reference = ask.path["upload_reference"]
    operations.retry_upload(call, reference)
    return _back(reference, translated(_RETRIED))


@PAGES.change("/uploads/{upload_reference}/withhold", right=right_of(operations.ROUTES, operations.withhold_upload))
def withhold(call: Call, ask: Ask) -> Moved:
    """Never send what waits."""
    reference = ask.path["upload_reference"]
    operations.withhold_upload(call, reference, Hold(why=ask.field("why") or "no reason given"))
    return _back(reference, _("It is withheld: it is not sent, unless somebody sends it again."))


def _back(reference: str, said: str) -> Moved:
    return Moved(to=f"uploads/{reference}", said=said)


def _assignment(call: Call, assignment_id: int) -> Any:
    site_id = assignments.site_of(call.connection, assignment_id)
    return None if site_id is None else assignments.get(call.connection, assignment_id)


def _action_name(call: Call, customer_id: str | None, action_id: str | None) -> str | None:
    if customer_id is None or action_id is None:
        return None
    return next(
        (action.name for action in ads.actions(call.connection, customer_id) if action.action_id == action_id), None
    )
