"""The audit trail: who did what, when, from where, and what it was before and after."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Query

from console.api.calls import Answer, Call
from console.api.operations import Routes
from console.api.pages import LIMIT, After, Limit, Page, by_number, page_of, read_after
from console.api.parameters import LONGEST_SEARCH, ByTime, OfSite, Search, Since, Text, Until
from console.api.rights import of_some_site
from custom_events.access.roles import Role
from custom_events.catalog import audit, audit_export
from custom_events.catalog.audit import Entry, Filter
from custom_events.values.time_order import TimeOrder

ROUTES: Final = Routes(
    "audit", "Who did what, when, from where, and what it was before and after. Nothing of it is ever changed."
)

READ: Final = of_some_site(Role.ADMINISTRATOR)

Subject = Annotated[
    str | None,
    Query(max_length=LONGEST_SEARCH, description="Only what was done to this: site:12, definition:purchase."),
    Text,
]
Actor = Annotated[
    str | None, Query(max_length=LONGEST_SEARCH, description="Only what this login or key's maker did."), Text
]
Action = Annotated[str | None, Query(max_length=LONGEST_SEARCH, description="Only this: site.pause."), Text]
Noun = Annotated[
    str | None, Query(max_length=LONGEST_SEARCH, description="Only actions on this kind of thing: site."), Text
]
RequestId = Annotated[str | None, Query(max_length=64, description="Only what this request did (X-Request-Id)."), Text]

_EXAMPLE: Final = Entry(
    id=71,
    at=datetime(2026, 11, 30, 12, tzinfo=UTC),
    actor="ana@example.org",
    action="site.update",
    subject="site:3",
    detail={"changes": ['name: "Shop" -> "Shop Berlin"']},
    source="api",
    via="api key ce_1f0c6c1e",
    client_address="192.0.2.7",
    request_id="5f0c6c1e9f6b4f6c8d3f2a7b1c0d9e8f",
    site_id=3,
    before={"name": "Shop"},
    after={"name": "Shop Berlin"},
)


@ROUTES.get("/audit-entries", right=READ, answer=Page[Entry], example=Page(items=(_EXAMPLE,), next=None))
def list_audit_entries(
    call: Call,
    *,
    search: Search = None,
    subject: Subject = None,
    actor: Actor = None,
    action: Action = None,
    noun: Noun = None,
    since: Since = None,
    until: Until = None,
    site_id: OfSite = None,
    request_id: RequestId = None,
    order: ByTime = TimeOrder.NEWEST,
    limit: Limit = LIMIT,
    after: After = None,
) -> Page[Entry]:
    """The trail, an entry for each thing that somebody did.

    `search` finds a part of subject, actor or action. What was about no site in particular is for administrators of all sites.
    """
    chosen = _chosen(
        call,
        text=search,
        subject=subject,
        actor=actor,
        action=action,
        noun=noun,
        since=since,
        until=until,
        site_id=site_id,
        request_id=request_id,
    )
    entries = audit.search(
        call.connection, chosen, order=order, after=read_after(after, by_number(order), (int,)), limit=limit + 1
    )
    return page_of(entries, limit, by_number(order), lambda entry: (entry.id,), lambda entry: entry)


@ROUTES.get(
    "/audit-entries.csv", right=READ, answer=str, media_type="text/csv", example=audit_export.text_of([_EXAMPLE])
)
def export_audit_entries(
    call: Call,
    *,
    search: Search = None,
    subject: Subject = None,
    actor: Actor = None,
    action: Action = None,
    noun: Noun = None,
    since: Since = None,
    until: Until = None,
    site_id: OfSite = None,
    request_id: RequestId = None,
) -> Answer:
    """The trail as CSV, the newest first, all of it that is asked for; details are JSON."""
    chosen = _chosen(
        call,
        text=search,
        subject=subject,
        actor=actor,
        action=action,
        noun=noun,
        since=since,
        until=until,
        site_id=site_id,
        request_id=request_id,
    )
    name = 'attachment; filename="audit-entries.csv"'
    lines: Iterator[bytes] = audit_export.lines(call.engine, chosen)
    return Answer(stream=lines, headers={"Content-Disposition": name})


def _chosen(call: Call, **filters: object) -> Filter:
    return Filter(**filters, only=call.caller.sites(Role.ADMINISTRATOR))  # pyright: ignore[reportArgumentType]
