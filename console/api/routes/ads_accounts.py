"""Ads accounts and their conversion actions: known, changed, probed; stopped and let go on."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.parameters import Search
from console.api.problems import FieldError
from console.api.rights import of_all_sites
from console.api.routes.uploads import Changed, Chosen, Hold
from custom_events.access.roles import Role
from custom_events.catalog import ads, removal, sites
from custom_events.catalog.ads import Account
from custom_events.destinations.findings import ActionFacts, Finding
from custom_events.destinations.registry import destinations
from custom_events.ledger import operator_actions, overview, probe
from custom_events.ledger.overview import AccountOverview, Standing
from custom_events.values.conversions import Lane

ROUTES: Final = Routes(
    "ads accounts", "Where conversions go: accounts, what waits for each, and what is stopped and why."
)

CustomerId = Annotated[
    str,
    Path(
        pattern="^[0-9]{3}-?[0-9]{3}-?[0-9]{4}$",
        description="The account's customer id: ten digits, with or without hyphens.",
        examples=["1234567890"],
    ),
]
State = Literal["sending", "paused", "parked"]
OfState = Annotated[State | None, Query(description="Only these: paused ends by itself, parked when a person acts.")]
READ: Final = of_all_sites(Role.VIEWER)
EDIT: Final = of_all_sites(Role.EDITOR)
OPERATE: Final = of_all_sites(Role.PUBLISHER)
_SORTED: Final = "customer_id"


class NewAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An account to be known. `lane`: by which of the platform's ways conversions go; `login_customer_id`: the manager account through
    which it is called; `currency` and `time_zone` as the account has them."""

    customer_id: str
    name: str
    lane: Lane
    login_customer_id: str | None = None
    currency: str | None = None
    time_zone: str = "UTC"


class AccountChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change of an account; the rest stays."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    lane: Lane | msgspec.UnsetType = msgspec.UNSET
    login_customer_id: str | None | msgspec.UnsetType = msgspec.UNSET
    currency: str | None | msgspec.UnsetType = msgspec.UNSET
    time_zone: str | msgspec.UnsetType = msgspec.UNSET


class AccountReplacement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that can be changed of an account; what is not given has its default."""

    name: str
    lane: Lane
    login_customer_id: str | None = None
    currency: str | None = None
    time_zone: str = "UTC"


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe found. `fine`: nothing keeps conversions from being sent; `calls`: what it used of the quota."""

    fine: bool
    findings: tuple[Finding, ...]
    actions: tuple[ActionFacts, ...]
    calls: int


class HeldRows(Chosen, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which rows of an account: of this site, of this order, with this reason; what is not given narrows nothing."""

    site_id: int | None = None


class RowsToHold(Hold, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which rows of an account: of this site, of this order, or all that wait now; and why, in words."""

    site_id: int | None = None
    order_id: str | None = None


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """Every account, and the rows of which nothing says where they go, by state."""

    items: tuple[AccountOverview, ...]
    conversions_without_account: dict[str, int]
    adjustments_without_account: dict[str, int]


class WithheldRows(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What of an account is withheld: an order's rows, those for a conversion action, those of a site, or what is all that is given; and
    why, in words."""

    why: str
    site_id: int | None = None
    order_id: str | None = None
    action_id: str | None = None


_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_EXAMPLE: Final = Account(
    id=2,
    customer_id="1234567890",
    name="Shop Berlin",
    lane=Lane.DATA_MANAGER,
    login_customer_id=None,
    currency="EUR",
    time_zone="Europe/Berlin",
    parked_reason=None,
    parked_at=None,
)
_PARKED: Final = msgspec.structs.replace(
    _EXAMPLE, parked_reason="Held by hand: prices are wrong (ana@example.org)", parked_at=_NOON
)
_STANDING: Final = AccountOverview(
    customer_id="1234567890",
    name="Shop Berlin",
    lane=Lane.DATA_MANAGER,
    parked_reason=None,
    parked_at=None,
    paused_until=None,
    paused_reason=None,
    parked_actions=(),
    stopped_parts=(),
    conversions={"accepted": 38, "held": 3},
    adjustments={},
    standings=(
        Standing(
            is_conversion=True,
            state="held",
            reason="click_too_recent",
            rows=3,
            sentence="The click is not six hours old yet.",
            next_at=_NOON,
        ),
    ),
    expiring=0,
)
_PROBED: Final = Probed(
    fine=True,
    findings=(Finding(question="may_import", fine=True, sentence="Conversions may be imported."),),
    actions=(),
    calls=1,
)


@ROUTES.get("/ads-accounts", right=READ, answer=Page[Account], example=Page(items=(_EXAMPLE,), next=None))
def list_ads_accounts(
    call: Call,
    *,
    search: Search = None,
    lane: Annotated[Lane | None, Query(description="Only those whose conversions go this way.")] = None,
    state: OfState = None,
    limit: Limit = LIMIT,
    after: After = None,
) -> Page[Account]:
    """The accounts, by customer id.

    `search` finds a part of the name or of the customer id, with or without hyphens.
    """
    begin = read_after(after, _SORTED, (str,))
    listed = ads.accounts(call.connection, text=search, lane=lane, state=state, after=begin, limit=limit + 1)
    return page_of(listed, limit, _SORTED, lambda account: (account.customer_id,), lambda account: account)


@ROUTES.post(
    "/ads-accounts",
    right=EDIT,
    status=201,
    answer=Account,
    example=_EXAMPLE,
    body_example=NewAccount(customer_id="123-456-7890", name="Shop Berlin", lane=Lane.DATA_MANAGER, currency="EUR"),
    tagged=True,
    raises=(problems.CONFLICT,),
)
def create_ads_account(call: Call, body: NewAccount) -> Answer:
    """Make an account known; its conversion actions are made known next."""
    made = ads.create_account(call.connection, actor=call.actor, **msgspec.structs.asdict(body))
    return Answer(content=made, of=made, location=f"{PREFIX}/ads-accounts/{made.customer_id}")


@ROUTES.get("/ads-accounts/{customer_id}", right=READ, answer=Account, example=_EXAMPLE, tagged=True)
def read_ads_account(call: Call, customer_id: CustomerId) -> Answer:
    """One account."""
    return _answer(ads.get_account(call.connection, customer_id))


@ROUTES.patch(
    "/ads-accounts/{customer_id}",
    right=EDIT,
    answer=Account,
    example=_EXAMPLE,
    body_example={"name": "Shop Berlin", "lane": "data_manager"},
    tagged=True,
)
def change_ads_account(call: Call, customer_id: CustomerId, body: AccountChanges) -> Answer:
    """Change what is given; the rest stays. The customer id never changes."""
    account = ads.get_account(call.connection, customer_id, lock=True)
    changes: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET
    }
    call.check_precondition(account, account, yours=changes)
    return _answer(ads.update_account(call.connection, customer_id, actor=call.actor, **changes))


@ROUTES.put(
    "/ads-accounts/{customer_id}",
    right=EDIT,
    answer=Account,
    example=_EXAMPLE,
    body_example=AccountReplacement(name="Shop Berlin", lane=Lane.DATA_MANAGER, currency="EUR"),
    tagged=True,
)
def replace_ads_account(call: Call, customer_id: CustomerId, body: AccountReplacement) -> Answer:
    """Replace all that can be changed of an account; what is not given gets its default."""
    account = ads.get_account(call.connection, customer_id, lock=True)
    changes = msgspec.structs.asdict(body)
    call.check_precondition(account, account, yours=changes)
    return _answer(ads.update_account(call.connection, customer_id, actor=call.actor, **changes))


@ROUTES.delete("/ads-accounts/{customer_id}", right=EDIT, raises=(problems.IN_USE,))
def delete_ads_account(call: Call, customer_id: CustomerId) -> None:
    """Delete an account without conversion actions and of which nothing was sent; others are held."""
    removal.delete_account(call.connection, customer_id, actor=call.actor)


@ROUTES.get("/ads-accounts/{customer_id}/standing", right=READ, answer=AccountOverview, example=_STANDING)
def read_standing(call: Call, customer_id: CustomerId) -> AccountOverview:
    """What waits for an account, what is stopped and why, and what will soon be too late."""
    account = ads.get_account(call.connection, customer_id)
    return overview.standing(call.connection, account.customer_id, datetime.now(UTC))


@ROUTES.get(
    "/standings",
    right=READ,
    answer=Standings,
    example=Standings(items=(_STANDING,), conversions_without_account={"withheld": 2}, adjustments_without_account={}),
)
def list_standings(call: Call) -> Standings:
    """What waits for every account, what is stopped and why: together all that the ledger has."""
    conversions, adjustments = overview.without_account(call.connection)
    return Standings(
        items=tuple(overview.overview(call.connection, datetime.now(UTC))),
        conversions_without_account=dict(conversions),
        adjustments_without_account=dict(adjustments),
    )


@ROUTES.post(
    "/ads-accounts/{customer_id}/probe", right=OPERATE, answer=Probed, example=_PROBED, raises=(problems.CONFLICT,)
)
def probe_ads_account(call: Call, customer_id: CustomerId) -> Probed:
    """Ask the platform, without effect, what an account and its conversion actions allow; the answers are kept with them."""
    account = ads.get_account(call.connection, customer_id)
    lanes = destinations(call.settings)
    probed = probe.probe_account(call.engine, lanes, call.settings, account.customer_id, datetime.now(UTC))
    return Probed(fine=probed.fine, findings=probed.findings, actions=probed.actions, calls=probed.calls)


@ROUTES.post(
    "/ads-accounts/{customer_id}/hold",
    right=OPERATE,
    answer=Account,
    example=_PARKED,
    body_example=Hold(why="prices are wrong"),
)
def hold_ads_account(call: Call, customer_id: CustomerId, body: Hold) -> Account:
    """Send nothing for an account until somebody releases it; what is under way is finished."""
    account = ads.get_account(call.connection, customer_id)
    operator_actions.hold_account(call.connection, account.id, body.why, actor=call.actor, now=datetime.now(UTC))
    return ads.get_account(call.connection, customer_id)


@ROUTES.post("/ads-accounts/{customer_id}/release", right=OPERATE, answer=Account, example=_EXAMPLE)
def release_ads_account(call: Call, customer_id: CustomerId) -> Account:
    """Resume an account, its conversion actions and parts included, after what was wrong is mended."""
    account = ads.get_account(call.connection, customer_id)
    operator_actions.release_account(call.connection, account.id, datetime.now(UTC), actor=call.actor)
    return ads.get_account(call.connection, customer_id)


@ROUTES.post(
    "/ads-accounts/{customer_id}/uploads/release",
    right=OPERATE,
    answer=Changed,
    example=Changed(rows=3),
    body_example=HeldRows(reason="click_too_recent"),
)
def release_uploads_of_account(call: Call, customer_id: CustomerId, body: HeldRows) -> Changed:
    """Let held rows of an account go now; what waits for a consent only with the reason `consent_unknown_in_europe`."""
    account = ads.get_account(call.connection, customer_id)
    rows = operator_actions.release_held(
        call.connection,
        account.id,
        datetime.now(UTC),
        body.reason,
        actor=call.actor,
        order_id=body.order_id,
        site_key=_site_key(call, body.site_id),
    )
    return Changed(rows=rows)


@ROUTES.post(
    "/ads-accounts/{customer_id}/uploads/hold",
    right=OPERATE,
    answer=Changed,
    example=Changed(rows=3),
    body_example=RowsToHold(why="a test order", order_id="10023"),
)
def hold_uploads_of_account(call: Call, customer_id: CustomerId, body: RowsToHold) -> Changed:
    """Hold what waits now for an account, of an order or a site where they are given; what comes later is not held."""
    account = ads.get_account(call.connection, customer_id)
    rows = operator_actions.hold_rows(
        call.connection,
        account.id,
        body.why,
        actor=call.actor,
        now=datetime.now(UTC),
        order_id=body.order_id,
        site_key=_site_key(call, body.site_id),
    )
    return Changed(rows=rows)


@ROUTES.post(
    "/ads-accounts/{customer_id}/uploads/withhold",
    right=OPERATE,
    answer=Changed,
    example=Changed(rows=3),
    body_example=WithheldRows(why="a wrong action", action_id="7001"),
    raises=(problems.NOT_FOUND, problems.CONFLICT),
)
def withhold_uploads_of_account(call: Call, customer_id: CustomerId, body: WithheldRows) -> Changed:
    """Never send what waits now of an order, for a conversion action or of a site; what Google has, or may have, and what comes later is left alone."""
    if body.order_id is None and body.action_id is None and body.site_id is None:
        right = "an order, a conversion action or a site; to stop a whole account, hold it"
        missing = "it is missing, as action_id and site_id are"
        raise problems.invalid(FieldError(field="order_id", problem=missing, remedy=right))
    rows = operator_actions.withhold_rows(
        call.connection,
        ads.get_account(call.connection, customer_id).id,
        body.why,
        actor=call.actor,
        now=datetime.now(UTC),
        order_id=body.order_id,
        action_id=body.action_id,
        site_key=_site_key(call, body.site_id),
    )
    return Changed(rows=rows)


@ROUTES.post(
    "/ads-accounts/{customer_id}/uploads/retry",
    right=OPERATE,
    answer=Changed,
    example=Changed(rows=2),
    body_example=Chosen(reason="EXPIRED_EVENT"),
)
def retry_uploads_of_account(call: Call, customer_id: CustomerId, body: Chosen) -> Changed:
    """Send what was refused of an account once more, unless it is too late."""
    account = ads.get_account(call.connection, customer_id)
    rows = operator_actions.retry_refused(
        call.connection,
        account.id,
        actor=call.actor,
        now=datetime.now(UTC),
        reason=body.reason,
        order_id=body.order_id,
    )
    return Changed(rows=rows)


def _site_key(call: Call, site_id: int | None) -> str | None:
    return None if site_id is None else sites.get(call.connection, site_id).site_key


def _answer(account: Account) -> Answer:
    return Answer(content=account, of=account)
