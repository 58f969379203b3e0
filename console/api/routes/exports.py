"""Exports: lists as files, whole, as operations."""

from datetime import datetime
from typing import Final

import msgspec

from console.api import problems
from console.api.calls import Answer, Call, forbidden
from console.api.operations import Routes
from console.api.problems import FieldError
from console.api.rights import of_some_site
from console.api.routes import operations as shown_operations
from console.api.routes.looking_back import chosen_sites
from console.api.routes.operations import LongOperation, under_way
from custom_events.access.roles import Role
from custom_events.browse import custom_events, raw_events, uploads
from custom_events.matching.effective import SETTINGS
from custom_events.operations import export_lists, exports, operation
from custom_events.values.conversions import UploadKind
from custom_events.values.deliveries import Platform
from custom_events.values.texts import text_problem
from custom_events.values.times import FIRST_YEAR, LAST_YEAR

ROUTES: Final = Routes("exports", "Lists as files, whole: for spreadsheets, and for other programs.")

# The words that a filter may be.
_WORDS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "uploads": {"state": uploads.STATES, "kind": tuple(UploadKind)},
    "custom_events": {"state": custom_events.STATES},
    "raw_events": {"outcome": raw_events.OUTCOMES},
    "refused_events": {"platform": tuple(Platform)},
    "assignments": {"overridden": (*SETTINGS, "also")},
}


class NewExport(export_lists.ExportFilters, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which list, in which format, and what of it, by the filters that the list itself has: `search`, `definition_key`, `label`, `active`,
    `published`, `has_overrides`, `overridden` and `ads_account` for assignments; `search`, `subject`, `actor`, `action`, `noun` and `request_id` for audit
    entries; `outcome`, `reason` and `topic` for raw events, `platform`, `reason` and `topic` for refused ones; `type`, `order_id`, `customer_key` and `is_undone`
    for commerce events; `assignment_id`, `definition_id`, `state`, `reason`, `order_id` and `customer_key` for custom events; `state`, `reason`, `kind`, `order_id`,
    `account_id`, `action_id` and `assignment_id` for uploads. `site_id` narrows each, `since` and `until` all but assignments. An order and a
    customer are of a site, which has to be named, too."""

    list: export_lists.List
    format: export_lists.Format = "csv"


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
    """A list as a file, of the sites that you may see; the audit trail of those on which you are administrator. The file is the operation's
    `result.csv`, `result.xlsx` (at most 1,048,575 rows) or `result.parquet`; its `Content-Digest` is in the answer."""
    _check(body)
    role = Role.ADMINISTRATOR if body.list == "audit_entries" else Role.VIEWER
    if not call.caller.may_somewhere(role):
        raise forbidden(role, "at least one site")
    chosen = chosen_sites(call, None if body.site_id is None else (body.site_id,), role)
    filters = {name: getattr(body, name) for name in export_lists.ExportFilters.__struct_fields__}
    request = export_lists.ExportRequest(name=body.list, format=body.format, only=chosen, **filters)
    export = operation.ask(
        call.connection,
        exports.EXPORT,
        msgspec.to_builtins(request),
        role=role,
        site_ids=chosen,
        actor=call.actor,
        origin=call.origin,
        caller=call.caller,
    )
    return under_way(export)


def _check(body: NewExport) -> None:
    """Raise 422 for all that says nothing to the list, or cannot be used."""
    known = ("list", "format", "site_id", *export_lists.LISTS[body.list].filters)
    named = [name for name in body.__struct_fields__ if getattr(body, name) is not None]
    wrong = [
        FieldError(field=name, problem=f"it says nothing to the list {body.list}", remedy=f"one of {', '.join(known)}")
        for name in named
        if name not in known
    ]
    for name in ("since", "until"):
        moment: datetime | None = getattr(body, name)
        if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            remedy = f"a moment of the years {FIRST_YEAR} to {LAST_YEAR}"
            wrong.append(FieldError(field=name, problem="it is out of reach", remedy=remedy))
    wrong += [
        FieldError(field=name, problem="it is none", remedy=f"one of {', '.join(words)}")
        for name, words in _WORDS.get(body.list, {}).items()
        if getattr(body, name) not in (None, *words)
    ]
    wrong += [
        FieldError(field=name, problem="it is of one site", remedy="`site_id` beside it")
        for name in ("order_id", "customer_key")
        if name in named and name in known and body.site_id is None
    ]
    wrong += [
        FieldError(field=name, problem=problem, remedy="plain text")
        for name in named
        if isinstance(getattr(body, name), str) and (problem := text_problem(getattr(body, name))) is not None
    ]
    if wrong:
        raise problems.invalid(*wrong)
