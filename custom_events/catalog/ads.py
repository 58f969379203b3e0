"""Google's side: ads accounts, and the conversion actions in them that assignments may name."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.catalog import audit, diff
from custom_events.catalog.configurations import refuse
from custom_events.catalog.reading import name_problems, quoted
from custom_events.catalog.time_zones import zone_problems
from custom_events.conditions.problems import Problem
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.queries import ads as queries
from custom_events.queries.keyset import After
from custom_events.values.conversions import Lane

_CUSTOMER_ID = re.compile(r"\d{10}\Z")
_ACTION_ID = re.compile(r"\d{1,20}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
WINDOW_LIMIT_DAYS = 90  # click-through window, as Google allows it


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A Google Ads account. `parked_reason`: why nothing is sent to it until a person acts."""

    id: int
    customer_id: str
    name: str
    lane: Lane
    login_customer_id: str | None
    currency: str | None
    time_zone: str
    parked_reason: str | None
    parked_at: datetime | None


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A conversion action. `reference` is how configurations name it; `parked_reason`: why nothing is sent to it until a person acts."""

    id: int
    ads_account_id: int
    customer_id: str
    action_id: str
    name: str
    action_type: str
    click_window_days: int
    one_per_click: bool
    action_created_at: datetime | None
    parked_reason: str | None
    parked_at: datetime | None

    @property
    def reference(self) -> str:
        """`<customer id>/<action id>`."""
        return f"{self.customer_id}/{self.action_id}"


class AdsName(msgspec.Struct, frozen=True, kw_only=True):
    """What an account or action is called. `reference`: its customer id, or `<customer id>/<action id>`."""

    id: int
    reference: str
    name: str


class ProbeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a probe and its answer in a sentence. `fine` None: it could not be found out."""

    question: str
    fine: bool | None
    sentence: str
    action_id: str | None = None


class KeptProbe(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe found, and when."""

    checked_at: datetime
    fine: bool
    findings: tuple[ProbeAnswer, ...]


def create_account(
    connection: sa.Connection,
    *,
    customer_id: str,
    name: str,
    lane: Lane,
    actor: str,
    login_customer_id: str | None = None,
    currency: str | None = None,
    time_zone: str = "UTC",
) -> Account:
    """A new account; customer ids may be written 123-456-7890.

    Raises InvalidConfiguration for a field that cannot be used, NeedsAction when the account is known already.
    """
    values = _checked_account(
        {
            "customer_id": customer_id,
            "name": name,
            "lane": lane,
            "login_customer_id": login_customer_id or None,
            "currency": currency,
            "time_zone": time_zone,
        }
    )
    if queries.add_account(connection, values) is None:
        raise NeedsAction(f"There is an ads account {values['customer_id']} already.")
    audit.record(
        connection,
        actor=actor,
        action="ads_account.create",
        subject=f"ads_account:{values['customer_id']}",
        detail=values,
        after=values,
    )
    return get_account(connection, customer_id)


def get_account(connection: sa.Connection, customer_id: str, *, lock: bool = False) -> Account:
    """The account of this customer id; `lock` holds it until the end of the transaction. Raises NotFound."""
    digits = _customer_id(customer_id)
    row = queries.account(connection, digits, lock=lock)
    if row is None:
        raise NotFound(f"There is no ads account {digits}.", what="ads account")
    return msgspec.convert(row, Account, from_attributes=True)


def kept_probe(connection: sa.Connection, customer_id: str) -> KeptProbe | None:
    """What the last probe of an account found; None: it was never probed. Raises NotFound for the account."""
    account = get_account(connection, customer_id)
    row = queries.account(connection, account.customer_id)
    capabilities = row.capabilities if row is not None else None
    return msgspec.convert(capabilities, KeptProbe) if capabilities and "checked_at" in capabilities else None


def accounts(
    connection: sa.Connection,
    *,
    text: str | None = None,
    lane: Lane | None = None,
    state: str | None = None,
    after: After | None = None,
    limit: int | None = None,
) -> list[Account]:
    """Accounts by customer id, all of them or (`limit`) a page; the next page begins after the last one's customer id.

    `text` is a part of the name or of the customer id, with or without hyphens; `state` is sending, paused (it goes on by itself) or parked
    (until a person acts).
    """
    rows = queries.accounts(
        connection, text=text, lane=lane, state=state, now=datetime.now(UTC), after=after, limit=limit
    )
    return [msgspec.convert(row, Account, from_attributes=True) for row in rows]


def accounts_of(connection: sa.Connection, customer_ids: Collection[str]) -> list[Account]:
    """The accounts of these customer ids (ten digits) that are known, by customer id."""
    rows = queries.accounts_of(connection, customer_ids)
    return [msgspec.convert(row, Account, from_attributes=True) for row in rows]


def account_names(connection: sa.Connection, limit: int) -> list[AdsName]:
    """What accounts are called, at most `limit` of them, by customer id."""
    rows = queries.account_names(connection, limit)
    return [AdsName(id=row.id, reference=row.customer_id, name=row.name) for row in rows]


def account_name(connection: sa.Connection, account_id: int) -> AdsName | None:
    """What the account of this id of ours is called; None: there is none."""
    row = queries.account_name(connection, account_id)
    return None if row is None else AdsName(id=row.id, reference=row.customer_id, name=row.name)


def action_names(connection: sa.Connection, limit: int, account_id: int | None = None) -> list[AdsName]:
    """What actions are called, of one account or of all, at most `limit` of them, by reference."""
    return [
        msgspec.convert(row, AdsName, from_attributes=True)
        for row in queries.action_names(connection, account_id, limit)
    ]


def action_names_of(connection: sa.Connection, ids: Collection[int]) -> dict[int, AdsName]:
    """What these actions are called, by id."""
    rows = queries.action_names_of(connection, ids) if ids else ()
    return {row.id: msgspec.convert(row, AdsName, from_attributes=True) for row in rows}


def create_action(
    connection: sa.Connection,
    *,
    customer_id: str,
    action_id: str,
    name: str,
    actor: str,
    action_type: str = "UPLOAD_CLICKS",
    click_window_days: int = WINDOW_LIMIT_DAYS,
    one_per_click: bool = False,
    action_created_at: datetime | None = None,
) -> Action:
    """A conversion action of an account we know.

    Raises NotFound for the account, InvalidConfiguration for a field, NeedsAction when the action is known already.
    """
    account = get_account(connection, customer_id)
    values: dict[str, Any] = {
        "action_id": action_id,
        "name": name,
        "action_type": action_type,
        "click_window_days": click_window_days,
        "one_per_click": one_per_click,
        "action_created_at": action_created_at,
    }
    refuse(action_problems(values))
    reference = f"{account.customer_id}/{action_id}"
    if queries.add_action(connection, {"ads_account_id": account.id, **values}) is None:
        raise NeedsAction(f"There is an action {reference} already.")
    detail = {"name": name, "action_type": action_type, "click_window_days": click_window_days}
    audit.record(
        connection,
        actor=actor,
        action="ads_action.create",
        subject=f"ads_action:{reference}",
        detail=detail,
        after=msgspec.to_builtins(values),
    )
    return get_action(connection, reference)


def get_action(connection: sa.Connection, reference: str) -> Action:
    """The action named `<customer id>/<action id>`. Raises NotFound, naming the account's actions."""
    customer_id, _, action_id = reference.partition("/")
    row = queries.action(connection, customer_id, action_id)
    if row is None:
        known = ", ".join(action.reference for action in actions(connection, customer_id))
        raise NotFound(
            f"There is no conversion action {reference}. {f'That account has: {known}' if known else 'Create it first'}.",
            what="ads action",
        )
    return msgspec.convert(row, Action, from_attributes=True)


def actions(connection: sa.Connection, customer_id: str | None = None) -> list[Action]:
    """The actions of one account, or of all."""
    return [msgspec.convert(row, Action, from_attributes=True) for row in queries.actions(connection, customer_id)]


def update_account(connection: sa.Connection, customer_id: str, *, actor: str, **changes: Any) -> Account:
    """Change `name`, `lane`, `login_customer_id`, `currency` or `time_zone`. Raises as `create_account` does."""
    old = get_account(connection, customer_id)
    _changeable(changes, ("name", "lane", "login_customer_id", "currency", "time_zone"))
    values = _checked_account(changes)
    before = {name: getattr(old, name) for name in values}
    changed = diff.lines(before, values)
    if changed:
        queries.update_account(connection, old.id, values)
        audit.record(
            connection,
            actor=actor,
            action="ads_account.update",
            subject=f"ads_account:{old.customer_id}",
            detail={"changes": changed},
            before=before,
            after=values,
        )
    return get_account(connection, customer_id)


def update_action(connection: sa.Connection, reference: str, *, actor: str, **changes: Any) -> Action:
    """Change `name`, `action_type`, `click_window_days` or `one_per_click`, as they were changed at Google.

    Raises as `create_action` does. A window that is shorter than an assignment's is a conflict that `conflicts` shows.
    """
    old = get_action(connection, reference)
    _changeable(changes, ("name", "action_type", "click_window_days", "one_per_click"))
    refuse(action_problems(changes))
    before = {name: getattr(old, name) for name in changes}
    changed = diff.lines(before, changes)
    if changed:
        queries.update_action(connection, old.id, changes)
        audit.record(
            connection,
            actor=actor,
            action="ads_action.update",
            subject=f"ads_action:{reference}",
            detail={"changes": changed},
            before=before,
            after=changes,
        )
    return get_action(connection, reference)


def account_problems(settings: Mapping[str, Any]) -> list[Problem]:
    """Everything that keeps these columns of an account from being used."""
    problems: list[Problem] = []
    for path in ("customer_id", "login_customer_id"):
        if settings.get(path) is not None and not _CUSTOMER_ID.match(_digits(settings[path])):
            wrong = f"{quoted(settings[path])} is not a customer id"
            problems.append(Problem(path=path, wrong=wrong, right="ten digits, 123-456-7890 for example"))
    if "name" in settings:
        problems += name_problems("name", settings["name"], "a name for people")
    if settings.get("currency") is not None and not _CURRENCY.match(settings["currency"]):
        wrong = f"{quoted(settings['currency'])} is not an ISO 4217 code"
        problems.append(Problem(path="currency", wrong=wrong, right="three capitals, EUR for example"))
    if "time_zone" in settings:
        problems += zone_problems(settings["time_zone"])
    return problems


def action_problems(settings: Mapping[str, Any]) -> list[Problem]:
    """Everything that keeps these columns of an action from being used."""
    problems: list[Problem] = []
    if "action_id" in settings and not _ACTION_ID.match(settings["action_id"]):
        wrong = f"{quoted(settings['action_id'])} is not Google's id of an action"
        problems.append(
            Problem(path="action_id", wrong=wrong, right="digits, as the address of its page at Google shows")
        )
    if "name" in settings:
        problems += name_problems("name", settings["name"], "its name at Google")
    if "action_type" in settings:
        problems += name_problems(
            "action_type", settings["action_type"], "Google's name of the type, UPLOAD_CLICKS for example"
        )
    if "click_window_days" in settings and not 1 <= settings["click_window_days"] <= WINDOW_LIMIT_DAYS:
        wrong = f"{settings['click_window_days']} days are outside what Google allows"
        problems.append(Problem(path="click_window_days", wrong=wrong, right=f"1 to {WINDOW_LIMIT_DAYS}"))
    return problems


def _checked_account(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The columns to write, in their plain form. Raises InvalidConfiguration."""
    refuse(account_problems(settings))
    values = dict(settings)
    for name in ("customer_id", "login_customer_id"):
        if values.get(name) is not None:
            values[name] = _digits(values[name])
    if "lane" in values:
        values["lane"] = Lane(values["lane"]).value
    return values


def _changeable(changes: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for field in changes:
        if field not in names:
            raise InvalidConfiguration(f"cannot be changed; these can: {', '.join(names)}", path=field)


def _customer_id(customer_id: str) -> str:
    refuse(account_problems({"customer_id": customer_id}))
    return _digits(customer_id)


def _digits(customer_id: str) -> str:
    return customer_id.replace("-", "").strip()
