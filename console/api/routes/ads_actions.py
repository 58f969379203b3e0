"""Conversion actions of ads accounts, which assignments name: known, changed, stopped and let go on."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from fastapi import Path

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import Page
from console.api.routes.ads_accounts import EDIT, OPERATE, READ, CustomerId
from console.api.routes.uploads import Hold
from custom_events.catalog import ads, removal
from custom_events.catalog.ads import Action
from custom_events.ledger import operator_actions

ROUTES: Final = Routes("ads actions", "Conversion actions of ads accounts, which assignments name.")

ActionId = Annotated[
    str,
    Path(pattern="^[0-9]{1,20}$", description="The conversion action's number at the platform.", examples=["7001"]),
]


class NewAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A conversion action to be known, as the platform shows it; `one_per_click`: it counts one conversion for each click."""

    action_id: str
    name: str
    action_type: str = "UPLOAD_CLICKS"
    click_window_days: int = ads.WINDOW_LIMIT_DAYS
    one_per_click: bool = False
    action_created_at: datetime | None = None


class ActionChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change of an action; the rest stays."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    action_type: str | msgspec.UnsetType = msgspec.UNSET
    click_window_days: int | msgspec.UnsetType = msgspec.UNSET
    one_per_click: bool | msgspec.UnsetType = msgspec.UNSET


class ActionReplacement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that can be changed of an action; what is not given has its default."""

    name: str
    action_type: str = "UPLOAD_CLICKS"
    click_window_days: int = ads.WINDOW_LIMIT_DAYS
    one_per_click: bool = False


_EXAMPLE: Final = Action(
    id=6,
    ads_account_id=2,
    customer_id="1234567890",
    action_id="7001",
    name="Purchase",
    action_type="UPLOAD_CLICKS",
    click_window_days=90,
    one_per_click=False,
    action_created_at=None,
    parked_reason=None,
    parked_at=None,
)
_PARKED: Final = msgspec.structs.replace(
    _EXAMPLE,
    parked_reason="Held by hand: wrong action (ana@example.org)",
    parked_at=datetime(2026, 11, 30, 12, tzinfo=UTC),
)
_PATH: Final = "/ads-accounts/{customer_id}/actions/{action_id}"


@ROUTES.get(
    "/ads-accounts/{customer_id}/actions",
    right=READ,
    answer=Page[Action],
    example=Page(items=(_EXAMPLE,), next=None),
)
def list_ads_actions(call: Call, customer_id: CustomerId) -> Page[Action]:
    """The conversion actions of an account that are known here."""
    account = ads.get_account(call.connection, customer_id)
    return Page(items=tuple(ads.actions(call.connection, account.customer_id)), next=None)


@ROUTES.post(
    "/ads-accounts/{customer_id}/actions",
    right=EDIT,
    status=201,
    answer=Action,
    example=_EXAMPLE,
    body_example=NewAction(action_id="7001", name="Purchase"),
    tagged=True,
    raises=(problems.CONFLICT,),
)
def create_ads_action(call: Call, customer_id: CustomerId, body: NewAction) -> Answer:
    """Make a conversion action known, so that assignments may name it: `<customer id>/<action id>`."""
    made = ads.create_action(call.connection, customer_id=customer_id, actor=call.actor, **msgspec.structs.asdict(body))
    location = f"{PREFIX}/ads-accounts/{made.customer_id}/actions/{made.action_id}"
    return Answer(content=made, of=made, location=location)


@ROUTES.get(_PATH, right=READ, answer=Action, example=_EXAMPLE, tagged=True)
def read_ads_action(call: Call, customer_id: CustomerId, action_id: ActionId) -> Answer:
    """One conversion action."""
    return _answer(_action(call, customer_id, action_id))


@ROUTES.patch(
    _PATH,
    right=EDIT,
    answer=Action,
    example=_EXAMPLE,
    body_example={"click_window_days": 30},
    tagged=True,
)
def change_ads_action(call: Call, customer_id: CustomerId, action_id: ActionId, body: ActionChanges) -> Answer:
    """Change what is given, as it was changed at the platform; the rest stays."""
    action = _action(call, customer_id, action_id, lock=True)
    changes: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET
    }
    call.check_precondition(action, action, yours=changes)
    return _answer(ads.update_action(call.connection, action.reference, actor=call.actor, **changes))


@ROUTES.put(
    _PATH,
    right=EDIT,
    answer=Action,
    example=_EXAMPLE,
    body_example=ActionReplacement(name="Purchase", click_window_days=30),
    tagged=True,
)
def replace_ads_action(call: Call, customer_id: CustomerId, action_id: ActionId, body: ActionReplacement) -> Answer:
    """Replace all that can be changed of an action; what is not given gets its default."""
    action = _action(call, customer_id, action_id, lock=True)
    changes = msgspec.structs.asdict(body)
    call.check_precondition(action, action, yours=changes)
    return _answer(ads.update_action(call.connection, action.reference, actor=call.actor, **changes))


@ROUTES.delete(_PATH, right=EDIT, raises=(problems.IN_USE,))
def delete_ads_action(call: Call, customer_id: CustomerId, action_id: ActionId) -> None:
    """Delete a conversion action that no rule names and to which nothing was sent; others are held."""
    removal.delete_action(call.connection, _action(call, customer_id, action_id).reference, actor=call.actor)


@ROUTES.post(f"{_PATH}/hold", right=OPERATE, answer=Action, example=_PARKED, body_example=Hold(why="wrong action"))
def hold_ads_action(call: Call, customer_id: CustomerId, action_id: ActionId, body: Hold) -> Action:
    """Send nothing for one conversion action until somebody releases it."""
    action = _action(call, customer_id, action_id)
    operator_actions.hold_action(
        call.connection, action.ads_account_id, action_id, body.why, actor=call.actor, now=datetime.now(UTC)
    )
    return _action(call, customer_id, action_id)


@ROUTES.post(f"{_PATH}/release", right=OPERATE, answer=Action, example=_EXAMPLE)
def release_ads_action(call: Call, customer_id: CustomerId, action_id: ActionId) -> Action:
    """Resume one conversion action."""
    action = _action(call, customer_id, action_id)
    operator_actions.release_action(
        call.connection, action.ads_account_id, action_id, datetime.now(UTC), actor=call.actor
    )
    return _action(call, customer_id, action_id)


def _action(call: Call, customer_id: str, action_id: str, *, lock: bool = False) -> Action:
    account = ads.get_account(call.connection, customer_id, lock=lock)
    return ads.get_action(call.connection, f"{account.customer_id}/{action_id}")


def _answer(action: Action) -> Answer:
    return Answer(content=action, of=action)
