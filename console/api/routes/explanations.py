"""Explanations: an order's or event's way from the store's delivery to the ad platform's answer."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from fastapi import Query

from console.api import problems
from console.api.calls import Call
from console.api.lists import asked_site
from console.api.operations import Routes
from console.api.parameters import LONGEST_SEARCH, Text
from console.api.rights import of_some_site
from custom_events.access.roles import Role
from custom_events.errors import NotFound
from custom_events.explain.find import explain_sync
from custom_events.explain.trace import Delivery, EventTrace, OrderState, Silent, Trace
from custom_events.values.deliveries import Platform
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("explanations", "Why an order or event did or did not become a conversion, step by step.")

_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_EXAMPLE: Final = Trace(
    site_id=3,
    site_key="berlin-shop",
    site_name="Shop Berlin",
    platform=Platform.CUSTOM,
    order=OrderState(
        order_id="10023",
        number="#1001",
        ordered_at=_NOON,
        state_at=_NOON,
        status="open",
        financial_status="paid",
        paid_at=_NOON,
        cancelled_at=None,
        deleted_at=None,
        currency="EUR",
        total=Decimal("49.90"),
        refunded=Decimal(0),
        is_test=False,
    ),
    deliveries=(
        Delivery(
            raw_id=77,
            received_at=_NOON,
            topic="order.paid",
            delivery_id=None,
            triggered_at=_NOON,
            signature="hmac",
            body_bytes=512,
            is_waiting=False,
            outcome="understood",
            reason=None,
            detail=None,
            new_events=1,
            processed_at=_NOON,
        ),
    ),
    events=(
        EventTrace(
            id=41,
            key="order.paid:10023",
            type="order.paid",
            occurred_at=_NOON,
            evidence_at=_NOON,
            stored_at=_NOON,
            amount=Decimal("49.90"),
            currency="EUR",
            is_test=False,
            raw_id=77,
            decisions=(),
        ),
    ),
    silent=(Silent(assignment_id=5, definition="purchase", label="all orders", why="It is paused."),),
)


@ROUTES.get(
    "/explanations",
    right=of_some_site(Role.VIEWER),
    answer=Trace,
    example=_EXAMPLE,
    raises=(problems.NOT_FOUND, problems.CONFLICT),
)
def explain(
    call: Call,
    subject: Annotated[
        str,
        Query(
            min_length=1,
            max_length=LONGEST_SEARCH,
            description="An order's number or id, a commerce event's key (order.paid:10023), or a raw event (raw:77).",
            examples=["10023"],
        ),
        Text,
    ],
    site_id: Annotated[
        int | None,
        Query(ge=1, le=MAX_ID, description="Of this site; needed by whoever may see some sites and not all."),
    ] = None,
    rules: Annotated[
        Literal["then", "now"], Query(description="By the revisions that decided then, or by those of now.")
    ] = "then",
    assignment_id: Annotated[int | None, Query(ge=1, le=MAX_ID, description="What this assignment made of it.")] = None,
) -> Trace:
    """The whole way of an order or event: deliveries, its events, what each assignment made of them and why, its conversions and the
    platform's answers. 409 where several sites have what is asked for: name one."""
    try:
        return explain_sync(
            call.readers, subject, site_id=asked_site(call, site_id), rules=rules, assignment=assignment_id
        )
    except NotFound as error:
        if error.what == "assignment":  # of whichever site it is: of others nothing is said
            raise problems.not_found("assignment", assignment_id) from None
        raise
