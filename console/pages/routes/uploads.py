"""Uploads: conversions and adjustments on their way to an ads account, and Google's answers; held, released, sent again."""

from typing import Any, Final

from console.api.calls import Call
from console.api.routes import browsing
from console.api.routes import uploads as operations
from console.api.routes.uploads import Hold, Release
from console.pages.ask import ROWS, Ask
from console.pages.navigation import READ
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.visible import chosen_site, site_choice, site_names
from custom_events.access.roles import Role
from custom_events.browse.uploads import STATES
from custom_events.catalog import ads, assignments, sites
from custom_events.values.conversions import UploadKind
from custom_events.values.reasons import CONSENT_UNKNOWN_IN_EUROPE

PAGES: Final = Pages()
_RETRIED: Final = "It is sent again with the next request."
_READ_ONE: Final = right_of(operations.ROUTES, operations.read_upload)


@PAGES.show("/uploads", right=READ, template="uploads.html")
def uploads_page(call: Call, ask: Ask) -> Shown:
    """The ledger, the newest first."""
    site_id = chosen_site(call, ask)
    listed = browsing.list_uploads(
        call,
        site_id=site_id,
        state=ask.choice("state", STATES),
        reason=ask.text("reason"),
        account_id=ask.number("account_id"),
        action_id=ask.number("action_id"),
        assignment_id=ask.number("assignment_id"),
        kind=ask.choice("kind", tuple(UploadKind)),
        order_id=ask.text("order_id") if site_id is not None else None,
        since=ask.moment("since"),
        until=ask.moment("until"),
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    may_all = call.caller.may(Role.VIEWER)
    actions = ads.actions(call.connection) if may_all else []
    accounts = ads.accounts(call.connection) if may_all else []
    content: dict[str, Any] = {
        "ask": ask,
        "list": listed,
        "names": site_names(call, listed.items),
        "sites": site_choice(call),
        "site_id": site_id,
        "states": STATES,
        "kinds": tuple(UploadKind),
        "actions": {action.id: action for action in actions},
        "action_choices": [(action.id, f"{action.name}, {action.reference}") for action in actions],
        "account_choices": [(account.id, account.name) for account in accounts],
    }
    return Shown(title="Uploads", content=content)


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
    return Shown(title=f"{upload.kind.capitalize()} {upload.transaction_id}", content=content)


@PAGES.change("/uploads/{upload_reference}/hold", right=right_of(operations.ROUTES, operations.hold_upload))
def hold(call: Call, ask: Ask) -> Moved:
    """Hold what waits, with a reason in words."""
    reference = ask.path["upload_reference"]
    operations.hold_upload(call, reference, Hold(why=ask.field("why") or "no reason given"))
    return _back(reference, "It is held until somebody releases it.")


@PAGES.change("/uploads/{upload_reference}/release", right=right_of(operations.ROUTES, operations.release_upload))
def release(call: Call, ask: Ask) -> Moved:
    """Let what is held go now."""
    reference = ask.path["upload_reference"]
    operations.release_upload(call, reference, Release(reason=ask.field("reason") or None))
    return _back(reference, "It is released, and goes with the next request.")


@PAGES.change("/uploads/{upload_reference}/retry", right=right_of(operations.ROUTES, operations.retry_upload))
def retry(call: Call, ask: Ask) -> Moved:
    """Send what was refused once more."""
    reference = ask.path["upload_reference"]
    operations.retry_upload(call, reference)
    return _back(reference, _RETRIED)


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
