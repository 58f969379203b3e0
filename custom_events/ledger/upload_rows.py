"""Rows of the ledger as the values that lanes carry."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from custom_events.values.clicks import Click, ClickKind, ConsentStatus
from custom_events.values.conversions import AdsAccount, Cart, Conversion, Lane, RequestKind, UploadKind

_CART = msgspec.json.Decoder(Cart)
_CONSENT = {status.value: status for status in ConsentStatus}
_KINDS = {kind.value: kind for kind in UploadKind}
_CLICK_KINDS = {kind.value: kind for kind in ClickKind}


class AccountWork(NamedTuple):
    """An account that has something of one kind to send. `history`: conversions queued long after they happened.
    `unprobed`: nobody has asked yet what the account allows, or what was refused since hints at a change. `is_other_lane`: the
    account's lane here is one that it used before: of conversions only those go that may have come to Google by it."""

    account: AdsAccount
    kind: RequestKind
    history: bool = False
    unprobed: bool = False
    is_other_lane: bool = False


class Action(NamedTuple):
    """What a conversion's row has of its conversion action."""

    action_id: str
    click_window_days: int
    one_per_click: bool
    created_at: datetime | None


Actions = Mapping[int, Action]  # by our id


class Claimed(msgspec.Struct, frozen=True, gc=False):
    """One row of a request: what is sent, and what reading its answer needs.

    `attempts` counts this call. `reason` is the one from before it: what it was held for, or that a call had no answer. `dropped`: it
    goes without its click id.
    """

    created_at: datetime
    attempts: int
    reason: str | None
    ads_action_id: int
    conversion: Conversion
    dropped: bool = False


class Request(NamedTuple):
    """A committed intent: these rows, in this order, in one call. `id` is ours (upload_requests.id). `message`: what the lane makes
    of the rows, where it was made ahead of the call. `horizon`: the oldest transaction that the claim cannot have seen."""

    id: int
    job_id: int
    account: AdsAccount
    kind: RequestKind
    rows: list[Claimed]
    message: object | None = None
    horizon: int = 0

    def conversions(self) -> list[Conversion]:
        """What the lane carries."""
        return [row.conversion for row in self.rows]


def account_of(row: Any) -> AdsAccount:
    """From a row with id, customer_id, lane and login_customer_id."""
    return AdsAccount(
        id=row.id, customer_id=row.customer_id, lane=Lane(row.lane), login_customer_id=row.login_customer_id
    )


def actions_of(rows: Iterable[Any]) -> Actions:
    """From rows of `queries.upload_requests.ACTIONS_OF`."""
    return {
        row.id: Action(row.action_id, row.click_window_days, row.one_per_click, row.action_created_at) for row in rows
    }


def claimed_of(row: Any, actions: Actions) -> Claimed:
    """From a row of a claim, in the order of `queries.uploads.CLAIMED_COLUMNS`. Unpacking is five times as fast as names."""
    (
        upload_id, created_at, kind, transaction_id, conversion_at, adjusted_at, value, currency, click_kind, click_id,
        clicked_at, email_sha256, phone_sha256, ad_user_data, ad_personalization, attempts, reason,
        ads_action_id, new_customer, environment, cart, has_other_clicks, dropped,
    ) = row  # fmt: skip
    action_id, click_window_days, one_per_click, action_created_at = actions[ads_action_id]
    click = None
    if click_id is not None:
        click = Click(kind=_CLICK_KINDS[click_kind], id=click_id, clicked_at=clicked_at)
    conversion = Conversion(
        upload_id=upload_id,
        kind=_KINDS[kind],
        action_id=action_id,
        transaction_id=transaction_id,
        occurred_at=conversion_at,
        adjusted_at=adjusted_at,
        value=None if value is None else Decimal(value),
        currency=currency,
        click=click,
        email_sha256=email_sha256,
        phone_sha256=phone_sha256,
        ad_user_data=_CONSENT[ad_user_data],
        ad_personalization=_CONSENT[ad_personalization],
        click_window_days=click_window_days,
        one_per_click=one_per_click,
        action_created_at=action_created_at,
        new_customer=new_customer,
        from_app=environment is not None,
        cart=None if cart is None else _CART.decode(cart),
        has_other_clicks=has_other_clicks,
    )
    return Claimed(created_at, attempts, reason, ads_action_id, conversion, dropped)
