"""Exports: lists as CSV files, whole, as operations."""

from datetime import datetime
from typing import Final

import msgspec

from console.api import problems
from console.api.calls import Answer, Call, forbidden
from console.api.operations import Routes
from console.api.parameters import FIRST_YEAR, LAST_YEAR
from console.api.problems import FieldError
from console.api.rights import of_some_site
from console.api.routes import operations as shown_operations
from console.api.routes.looking_back import chosen_sites
from console.api.routes.operations import LongOperation, under_way
from custom_events.access.roles import Role
from custom_events.browse.uploads import STATES
from custom_events.operations import exports, operation

ROUTES: Final = Routes("exports", "Lists as CSV files, whole: for spreadsheets, and for other programs.")
# What narrows which list, beside the site.
_FILTERS: Final[dict[exports.List, tuple[str, ...]]] = {
    "assignments": ("definition_key",),
    "audit_entries": ("since", "until", "actor", "action"),
    "uploads": ("since", "until", "state", "reason"),
}


class NewExport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which list, and what of it. Of audit entries `since`, `until`, `actor` and `action` narrow it, of uploads `since`, `until`, `state`
    and `reason`, of assignments `definition_key`; `site_id` narrows each."""

    list: exports.List
    site_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    action: str | None = None
    state: str | None = None
    reason: str | None = None
    definition_key: str | None = None


@ROUTES.post(
    "/exports",
    right=of_some_site(Role.VIEWER),
    status=202,
    answer=LongOperation,
    example=msgspec.structs.replace(
        shown_operations.EXAMPLE,
        kind="export",
        state=operation.State.WAITING,
        unit="",
        done=0,
        total=None,
        started_at=None,
    ),
    body_example=NewExport(list="uploads", state="rejected"),
    raises=(problems.BROKEN_REFERENCE,),
)
def ask_for_export(call: Call, body: NewExport) -> Answer:
    """A list as CSV, of the sites that you may see; the audit trail of those on which you are administrator. The file is the operation's
    `result.csv`."""
    _check(body)
    role = Role.ADMINISTRATOR if body.list == "audit_entries" else Role.VIEWER
    if not call.caller.may_somewhere(role):
        raise forbidden(role, "at least one site")
    chosen = chosen_sites(call, None if body.site_id is None else (body.site_id,), role)
    asked = exports.ExportRequest(
        name=body.list,
        only=chosen,
        site_id=body.site_id,
        since=body.since,
        until=body.until,
        actor=body.actor,
        action=body.action,
        state=body.state,
        reason=body.reason,
        definition_key=body.definition_key,
    )
    made = operation.ask(
        call.connection,
        exports.EXPORT,
        msgspec.to_builtins(asked),
        role=role,
        site_ids=chosen,
        actor=call.actor,
        origin=call.origin,
    )
    return under_way(made)


def _check(body: NewExport) -> None:
    """Raise 422 for all that says nothing to the list, or cannot be used."""
    known = ("list", "site_id", *_FILTERS[body.list])
    filters = [name for name in body.__struct_fields__ if getattr(body, name) is not None]
    wrong = [
        FieldError(field=name, problem=f"it says nothing to the list {body.list}", remedy=f"one of {', '.join(known)}")
        for name in filters
        if name not in known
    ]
    for name in ("since", "until"):
        moment: datetime | None = getattr(body, name)
        if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            remedy = f"a moment of the years {FIRST_YEAR} to {LAST_YEAR}"
            wrong.append(FieldError(field=name, problem="it is out of reach", remedy=remedy))
    if body.list == "uploads" and body.state not in (None, *STATES):
        wrong.append(FieldError(field="state", problem="it is no state", remedy=f"one of {', '.join(STATES)}"))
    if wrong:
        raise problems.invalid(*wrong)
