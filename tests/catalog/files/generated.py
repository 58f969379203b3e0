"""Catalogs of every shape: what people may configure, generated."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from custom_events.catalog.ads import WINDOW_LIMIT_DAYS
from custom_events.catalog.files.documents import (
    AccountFile,
    ActionEntry,
    AssignmentEntry,
    Catalog,
    DefinitionFile,
    SiteFile,
)
from custom_events.catalog.sites import SiteSettings
from custom_events.matching.system import SYSTEM_DEFINITIONS
from custom_events.values.clicks import ConsentStatus
from custom_events.values.conversions import Lane
from custom_events.values.definitions import (
    ConsentNeeded,
    CurrencyRule,
    Dedup,
    DedupPer,
    Threshold,
    ThresholdFires,
    ThresholdMeasure,
    ThresholdPeriod,
    ThresholdScope,
    ValueRule,
    ValueSource,
)
from custom_events.values.deliveries import Platform
from custom_events.values.events import EventType

ACCOUNTS = ("1111111111", "2222222222")
SHIPPED = tuple(SYSTEM_DEFINITIONS)[:3]
# Postgres keeps no NUL in text; names are not blank.
PEOPLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=15)
NAMES = PEOPLE.filter(lambda text: bool(text.strip())) | st.sampled_from(["NO", "12", "true", "a: b", "- x", "Zürich"])
AMOUNTS = st.decimals(Decimal("0.01"), Decimal(10_000), places=2)
LEAVES = st.one_of(
    st.builds(lambda amount: {"field": "order.total", "op": ">=", "value": amount, "currency": "EUR"},
              AMOUNTS.map(str) | st.integers(0, 999) | st.floats(0, 999, allow_nan=False).map(lambda one: round(one, 2))),
    st.builds(lambda word: {"field": "customer.tags", "op": "contains", "value": word, "ignore_case": True}, PEOPLE.filter(bool)),
    st.builds(lambda words: {"field": "order.status", "op": "in", "value": words}, st.lists(NAMES, min_size=1, max_size=3)),
    st.builds(lambda word: {"field": "meta.x", "op": "=", "value": word}, st.booleans() | NAMES | st.integers(-9, 9)),
    st.just({"any_item": {"field": "item.sku", "op": "starts_with", "value": "VIP-"}}),
    st.just({"measure": "quantity", "op": "between", "value": [1, 5]}),
    st.just({"field": "order.number", "op": "missing"}),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda below: st.builds(lambda word, trees: {word: trees}, st.sampled_from(["all", "any"]),
                            st.lists(below, min_size=1, max_size=3)) | below.map(lambda tree: {"not": tree}),
    max_leaves=4,
)  # fmt: skip
THRESHOLDS = st.builds(
    Threshold,
    measure=st.just(ThresholdMeasure.SUM),
    at_least=AMOUNTS,
    currency=st.sampled_from([None, "EUR"]),
    scope=st.sampled_from(ThresholdScope),
    period=st.sampled_from([one for one in ThresholdPeriod if one is not ThresholdPeriod.ROLLING]),
    fires=st.sampled_from(ThresholdFires),
)
CURRENCIES = st.sampled_from(["EUR", "USD", "NOK"])
FACTORS = AMOUNTS | st.sampled_from([Decimal("0.350"), Decimal(1)])
VALUES = st.builds(
    ValueRule,
    source=st.sampled_from([ValueSource.ORDER_TOTAL, ValueSource.NONE, ValueSource.ITEMS_TOTAL]),
    without_tax=st.booleans(),
    factor=FACTORS,
    by_currency=st.dictionaries(CURRENCIES, st.builds(CurrencyRule, factor=st.none() | FACTORS), max_size=2),
) | st.builds(
    ValueRule,
    source=st.just(ValueSource.FIXED),
    fixed=AMOUNTS,
    currency=st.none() | CURRENCIES,
    by_currency=st.dictionaries(CURRENCIES, st.builds(CurrencyRule, fixed=AMOUNTS), max_size=2),
)
DEDUPS = st.builds(Dedup, per=st.sampled_from([one for one in DedupPer if one is not DedupPer.CUSTOMER_WINDOW]))
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "conditions": st.none() | TREES,
    "threshold": st.none() | THRESHOLDS,
    "dedup": DEDUPS,
    "value": VALUES,
    "group": st.none() | NAMES,
    "priority": st.integers(-5, 5),
    "click_window_days": st.integers(1, 30),
    "delay_minutes": st.integers(0, 60),
    "consent_needed": st.sampled_from(ConsentNeeded),
    "valid_from": st.none() | st.dates(date(2026, 1, 1), date(2026, 6, 1)),
    "valid_until": st.none() | st.dates(date(2026, 6, 2), date(2026, 12, 1)),
}
TRIGGERS = st.lists(st.sampled_from(EventType), min_size=1, max_size=2, unique=True).map(tuple)
ACTIONS = st.builds(
    ActionEntry, name=NAMES, click_window_days=st.integers(30, WINDOW_LIMIT_DAYS), one_per_click=st.booleans()
)


def _some(settings: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=settings)


@st.composite
def definitions(draw: st.DrawFn) -> DefinitionFile:
    """Mostly published, with a window that fits any action."""
    given = {"click_window_days": 30, **draw(_some(SETTINGS))}
    names = {"name": draw(NAMES), "description": draw(PEOPLE), "published": draw(st.booleans() | st.just(True))}
    return DefinitionFile(trigger=draw(TRIGGERS), **names, **given)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """Accounts, definitions and sites that refer to each other."""
    accounts = {
        customer_id: AccountFile(
            name=draw(NAMES),
            lane=draw(st.sampled_from(Lane)),
            currency=draw(st.sampled_from([None, "EUR"])),
            login_customer_id=draw(st.sampled_from([None, "9999999999"])),
            actions=draw(st.dictionaries(st.sampled_from(["7", "12", "0012"]), ACTIONS, max_size=2)),
        )
        for customer_id in draw(st.lists(st.sampled_from(ACCOUNTS), unique=True, max_size=2))
    }
    own = draw(st.dictionaries(st.sampled_from(["vip", "no", "b2b_orders"]), definitions(), max_size=3))
    actions = [f"{customer_id}/{one}" for customer_id, account in accounts.items() for one in account.actions]
    sites = {
        site_key: draw(_site(site_key, [*own, *SHIPPED], actions))
        for site_key in draw(st.lists(st.sampled_from(["shop-one-key", "SHOP_TWO-2"]), unique=True, max_size=2))
    }
    return Catalog(accounts=accounts, definitions=own, sites=sites)


@st.composite
def _site(draw: st.DrawFn, site_key: str, keys: list[str], actions: list[str]) -> SiteFile:
    entries: dict[tuple[str, str], AssignmentEntry] = {}
    for _ in range(draw(st.integers(0, 3))):
        entry = draw(_entry(keys, actions))
        entries[entry.name] = entry
    return SiteFile(
        name=draw(NAMES),
        platform=draw(st.sampled_from(Platform)),
        shop_domain=f"{site_key.lower().replace('_', '-')}.example",
        currency=draw(st.sampled_from([None, "NOK"])),
        time_zone=draw(st.sampled_from(["UTC", "Europe/Oslo"])),
        active=draw(st.booleans()),
        settings=SiteSettings(
            default_country=draw(st.sampled_from([None, "NO"])), consent_default=draw(st.sampled_from(ConsentStatus))
        ),
        assignments=tuple(entries[name] for name in sorted(entries)),
    )


@st.composite
def _entry(draw: st.DrawFn, keys: list[str], actions: list[str]) -> AssignmentEntry:
    given = {"click_window_days": 30, **draw(_some({**SETTINGS, "trigger": TRIGGERS, "also": st.none() | TREES}))}
    if actions:
        given["ads_action"] = draw(st.none() | st.sampled_from(actions))
    return AssignmentEntry(
        definition=draw(st.sampled_from(keys)),
        label=draw(NAMES),
        active=draw(st.booleans()),
        published=draw(st.booleans()),
        **given,
    )
