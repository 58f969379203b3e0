"""Lists of what came and what was made of it, newest or oldest first, and the search for what somebody has in hand."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from fastapi import Query

from console.api.calls import Call
from console.api.lists import Stretch, as_query, asked_site, stretch
from console.api.operations import Routes
from console.api.pages import LIMIT, After, Limit, Page
from console.api.parameters import LONGEST_SEARCH, ByTime, Deadline, OfSite, Since, Text, Until
from console.api.rights import of_some_site
from custom_events.access.roles import Role
from custom_events.browse import commerce_events, custom_events, raw_events, refused_events, search, uploads
from custom_events.browse.commerce_events import CommerceEventFilter, CommerceEventRow
from custom_events.browse.custom_events import CustomEventFilter, CustomEventRow
from custom_events.browse.raw_events import RawEventFilter, RawEventRow
from custom_events.browse.refused_events import RefusedEventFilter, RefusedEventRow
from custom_events.browse.search import Kind, SearchResult
from custom_events.browse.uploads import UploadFilter, UploadRow
from custom_events.ledger.single_uploads import reference_of
from custom_events.values.deliveries import Platform
from custom_events.values.numbers import MAX_ID
from custom_events.values.time_order import TimeOrder

ROUTES: Final = Routes(
    "lists", "What came, what was made of it, and where it stands: newest or oldest first, and the search."
)

READ: Final = of_some_site(Role.VIEWER)


def _word(about: str) -> Any:
    return Query(max_length=LONGEST_SEARCH, description=about)


def _number(about: str) -> Any:
    return Query(ge=1, le=MAX_ID, description=about)


Reason = Annotated[str | None, _word("Only those with this reason."), Text]
Topic = Annotated[str | None, _word("Only those of this topic, as the store calls it."), Text]
OrderId = Annotated[str | None, _word("Only those of this order; its site has to be named, too."), Text]
CustomerKey = Annotated[str | None, _word("Only those of this customer; their site has to be named, too."), Text]
Assignment = Annotated[int | None, _number("Only those of this assignment.")]


class UploadSummary(UploadRow, frozen=True, kw_only=True):
    """One row of the ledger. `reference` is how it is asked for; `account_id` and `action_id` are our numbers, null where nothing says
    where it goes."""

    reference: str


_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_RAW_EVENT: Final = RawEventRow(
    id=77,
    landed_week=date(2026, 11, 30),
    received_at=_NOON,
    site_id=3,
    outcome="understood",
    new_events=1,
    processed_at=_NOON,
    is_kept=True,
    topic="orders/paid",
    signature="verified",
    body_bytes=5_120,
)
_COMMERCE_EVENT: Final = CommerceEventRow(
    id=41,
    occurred_at=_NOON,
    site_id=3,
    type="order.paid",
    key="order.paid:10023",
    order_id="10023",
    customer_key="c:5",
    amount=Decimal("49.90"),
    currency="EUR",
    is_test=False,
    is_undone=False,
    raw_id=77,
    raw_landed_week=date(2026, 11, 30),
    created_at=_NOON,
)
_CUSTOM_EVENT: Final = CustomEventRow(
    id=12,
    occurred_at=_NOON,
    site_id=3,
    assignment_id=5,
    definition_revision_id=8,
    assignment_revision_id=9,
    commerce_event_id=41,
    dedup_key="10023",
    order_id="10023",
    customer_key="c:5",
    value=Decimal("49.90"),
    currency="EUR",
    state="queued",
    reason=None,
    withdrawn_at=None,
    withdrawn_by=None,
    created_at=_NOON,
    upload_id=77,
    upload_state="accepted",
)
_UPLOAD: Final = UploadSummary(
    reference=reference_of(_NOON, 77),
    id=77,
    created_at=_NOON,
    site_id=3,
    assignment_id=5,
    custom_event_id=12,
    account_id=2,
    action_id=6,
    kind="conversion",
    transaction_id="10023",
    sequence=0,
    order_id="10023",
    conversion_at=_NOON,
    adjusted_at=None,
    value=Decimal("49.90"),
    currency="EUR",
    click_kind="gclid",
    state="accepted",
    reason=None,
    sentence=None,
    not_before=_NOON,
    deadline_at=datetime(2027, 1, 29, tzinfo=UTC),
    attempts=1,
    request_id=3,
    settled_at=_NOON,
    updated_at=_NOON,
)
_REFUSED: Final = RefusedEventRow(
    id=7,
    received_at=_NOON,
    site_id=3,
    platform="custom",
    reason="wrong_signature",
    topic="order.paid",
    body_bytes=512,
    has_body=True,
)
_RESULT: Final = SearchResult(
    kind=Kind.ORDER, matched="order number", site_id=3, at=_NOON, order_id="10023", number="#1001", customer_key="c:5"
)


def _page_of(row: msgspec.Struct) -> Stretch[Any]:
    return Stretch(items=(row,), next=None, searched_until=None, total=1)


@ROUTES.get("/raw-events", right=READ, answer=Stretch[RawEventRow], example=_page_of(_RAW_EVENT))
def list_raw_events(
    call: Call,
    *,
    site_id: OfSite = None,
    outcome: Annotated[str | None, _word("Only those: waiting, understood, parked or ignored."), Text] = None,
    reason: Reason = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    order: ByTime = TimeOrder.NEWEST,
    limit: Limit = LIMIT,
    after: After = None,
) -> Stretch[RawEventRow]:
    """Deliveries and what became of them, by when they came. Whoever may see some sites and not all names one."""
    wanted = RawEventFilter(
        site_id=asked_site(call, site_id), outcome=outcome, reason=reason, topic=topic, since=since, until=until
    )
    return stretch(call, raw_events.raw_events, wanted, limit, after, order)


@ROUTES.get("/commerce-events", right=READ, answer=Stretch[CommerceEventRow], example=_page_of(_COMMERCE_EVENT))
def list_commerce_events(
    call: Call,
    *,
    site_id: OfSite = None,
    kind: Annotated[
        str | None, Query(alias="type", max_length=LONGEST_SEARCH, description="Only this: order.paid."), Text
    ] = None,
    order_id: OrderId = None,
    customer_key: CustomerKey = None,
    is_undone: Annotated[
        bool | None, Query(description="Only those that a newer body took back, or the others.")
    ] = None,
    since: Since = None,
    until: Until = None,
    order: ByTime = TimeOrder.NEWEST,
    limit: Limit = LIMIT,
    after: After = None,
) -> Stretch[CommerceEventRow]:
    """Commerce events, by the store's clock. Whoever may see some sites and not all names one."""
    wanted = CommerceEventFilter(
        site_id=asked_site(call, site_id),
        type=kind,
        order_id=order_id,
        customer_key=customer_key,
        is_undone=is_undone,
        since=since,
        until=until,
    )
    return stretch(call, commerce_events.commerce_events, wanted, limit, after, order)


@ROUTES.get("/custom-events", right=READ, answer=Stretch[CustomEventRow], example=_page_of(_CUSTOM_EVENT))
def list_custom_events(
    call: Call,
    *,
    site_id: OfSite = None,
    assignment_id: Assignment = None,
    definition_id: Annotated[int | None, _number("Only those of this definition.")] = None,
    state: Annotated[str | None, _word("Only those: queued, withheld or withdrawn."), Text] = None,
    reason: Reason = None,
    order_id: OrderId = None,
    customer_key: CustomerKey = None,
    since: Since = None,
    until: Until = None,
    order: ByTime = TimeOrder.NEWEST,
    limit: Limit = LIMIT,
    after: After = None,
) -> Stretch[CustomEventRow]:
    """Custom events with how their conversions stand, by the store's clock. Whoever may see some sites and not all names one."""
    wanted = CustomEventFilter(
        site_id=asked_site(call, site_id),
        assignment_id=assignment_id,
        definition_id=definition_id,
        state=state,
        reason=reason,
        order_id=order_id,
        customer_key=customer_key,
        since=since,
        until=until,
    )
    return stretch(call, custom_events.custom_events, wanted, limit, after, order)


@ROUTES.get("/uploads", right=READ, answer=Stretch[UploadSummary], example=_page_of(_UPLOAD))
def list_uploads(
    call: Call,
    *,
    site_id: OfSite = None,
    state: Annotated[
        str | None, _word("Only those in this state, or `unmatched`: Google has no such click."), Text
    ] = None,
    reason: Reason = None,
    account_id: Annotated[int | None, _number("Only those for this ads account (our number).")] = None,
    action_id: Annotated[int | None, _number("Only those for this conversion action (our number).")] = None,
    assignment_id: Assignment = None,
    kind: Annotated[str | None, _word("Only those: conversion, restatement or retraction."), Text] = None,
    order_id: OrderId = None,
    since: Since = None,
    until: Until = None,
    deadline_before: Deadline = None,
    order: ByTime = TimeOrder.NEWEST,
    limit: Limit = LIMIT,
    after: After = None,
) -> Stretch[UploadSummary]:
    """Conversions and adjustments, by when they were made. Whoever may see some sites and not all names one."""
    wanted = UploadFilter(
        state=state,
        reason=reason,
        account_id=account_id,
        action_id=action_id,
        site_id=asked_site(call, site_id),
        assignment_id=assignment_id,
        kind=kind,
        order_id=order_id,
        since=since,
        until=until,
        deadline_before=deadline_before,
    )
    return stretch(call, uploads.uploads, wanted, limit, after, order, _summary)


@ROUTES.get("/refused-events", right=READ, answer=Stretch[RefusedEventRow], example=_page_of(_REFUSED))
def list_refused_events(
    call: Call,
    *,
    site_id: OfSite = None,
    platform: Annotated[
        Platform | None, Query(description="Only those that came to an address of this platform.")
    ] = None,
    reason: Reason = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    order: ByTime = TimeOrder.NEWEST,
    limit: Limit = LIMIT,
    after: After = None,
) -> Stretch[RefusedEventRow]:
    """Deliveries that were refused and kept, by when they came. Whoever may see some sites and not all names one."""
    wanted = RefusedEventFilter(
        site_id=asked_site(call, site_id), platform=platform, reason=reason, topic=topic, since=since, until=until
    )
    return stretch(call, refused_events.refused_events, wanted, limit, after, order)


@ROUTES.get("/search", right=READ, answer=Page[SearchResult], example=Page(items=(_RESULT,), next=None))
def find(
    call: Call,
    text: Annotated[
        str,
        Query(
            min_length=1,
            max_length=search.LONGEST,
            description="An order's number or id, an e-mail address, a phone number, a customer's id, a click id, `raw:77`, `delivery:...`.",
            examples=["#1001"],
        ),
        Text,
    ],
    site_id: OfSite = None,
    country: Annotated[
        str | None, Query(pattern="^[A-Z]{2}$", description="Where phone numbers are dialled at home: DE (ISO 3166).")
    ] = None,
) -> Page[SearchResult]:
    """Everything that is called so. Addresses and phone numbers are hashed before anything is asked, and are neither stored nor logged.
    Whoever may see some sites and not all names one."""
    site = asked_site(call, site_id)
    now = datetime.now(UTC)
    results = as_query(lambda: search.search(call.connection, text, now=now, site_id=site, country=country))
    return Page(items=tuple(results), next=None)


def _summary(row: UploadRow) -> UploadSummary:
    return UploadSummary(**msgspec.structs.asdict(row), reference=reference_of(row.created_at, row.id))
