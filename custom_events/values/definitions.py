"""The configuration of a custom event: what a revision of a definition or an assignment holds.

Kept as JSON in the revision tables; decoded with msgspec (strict: unknown fields are refused). The condition tree is kept
as plain JSON and has its own validation in `conditions`.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from custom_events.values.events import EventType

ConditionTree = dict[str, Any]


class DedupPer(StrEnum):
    """What counts as the same occurrence."""

    ORDER = "order"
    CUSTOMER = "customer"
    CUSTOMER_WINDOW = "customer_window"
    SUBSCRIPTION_PERIOD = "subscription_period"
    EVENT = "event"  # "never": each commerce event is an occurrence of its own


class Dedup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One custom event for each key of this kind."""

    per: DedupPer = DedupPer.ORDER
    window_days: int | None = None


class ThresholdMeasure(StrEnum):
    COUNT = "count"
    SUM = "sum"


class ThresholdScope(StrEnum):
    CUSTOMER = "customer"
    SITE = "site"


class ThresholdPeriod(StrEnum):
    ROLLING = "rolling"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    LIFETIME = "lifetime"


class ThresholdFires(StrEnum):
    REACHING = "on_reaching"
    EVERY_FURTHER = "every_further"
    EVERY_NTH = "every_nth"


class Threshold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How many, or how much, over time."""

    measure: ThresholdMeasure = ThresholdMeasure.COUNT
    field: str | None = None  # amount field of a sum; None: the event's amount
    currency: str | None = None  # of a sum: only amounts in it count; None: each currency is summed for itself
    at_least: Decimal
    scope: ThresholdScope = ThresholdScope.CUSTOMER
    period: ThresholdPeriod = ThresholdPeriod.LIFETIME
    window_days: int | None = None  # of a rolling period
    fires: ThresholdFires = ThresholdFires.REACHING


class ValueSource(StrEnum):
    ORDER_TOTAL = "order_total"
    ITEMS_TOTAL = "items_total"  # of the items that satisfy `items`
    FIXED = "fixed"
    FIELD = "field"
    NONE = "none"


class CurrencyRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a value rule does otherwise in one currency; None keeps the rule's own."""

    fixed: Decimal | None = None
    factor: Decimal | None = None
    at_least: Decimal | None = None
    at_most: Decimal | None = None


class ValueRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The conversion's value: source, minus parts, times factor, clamped."""

    source: ValueSource = ValueSource.ORDER_TOTAL
    without_tax: bool = False
    without_shipping: bool = False
    without_discounts: bool = False  # i.e. add the discounts back
    items: ConditionTree | None = None
    fixed: Decimal | None = None
    currency: str | None = None  # of a fixed amount
    field: str | None = None
    factor: Decimal = Decimal(1)
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    by_currency: dict[str, CurrencyRule] = {}  # by ISO 4217 code
    refunds_lower_it: bool = True


class ConsentNeeded(StrEnum):
    """When a match may leave. A denial always keeps it; they differ in what becomes of a consent that nobody gave or refused. Europe
    is the EEA, the United Kingdom and Switzerland, and wherever nobody said (`catalog/files/meanings.py` says each in a sentence).
    """

    GRANTED = "granted"
    NOT_DENIED = "not_denied"
    GRANTED_IN_EUROPE = "granted_in_europe"
    CLICK_ONLY_IN_EUROPE = "click_only_in_europe"


class CartRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The merchant centre whose products are told. `item_id` makes a product's id there, of {sku}, {product_id} and {variant_id}."""

    merchant_id: str
    country: str | None = None  # of the feed, ISO 3166 alpha-2
    language: str | None = None  # of the feed, ISO 639-1
    item_id: str = "{sku}"


class ConversionExtras(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What Google is told of a conversion beside when, how much and whose."""

    customer_type: bool = False  # whether it is the customer's first order; asks the order history of every event
    app_sources: tuple[str, ...] = ()  # order.source_name of orders that came from an app
    cart: CartRule | None = None


class DefinitionConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A definition's settings; every one of them may be overridden by an assignment."""

    trigger: tuple[EventType, ...]
    conditions: ConditionTree | None = None
    threshold: Threshold | None = None
    dedup: Dedup = Dedup()
    value: ValueRule = ValueRule()
    group: str | None = None
    priority: int = 0
    click_window_days: int = 90
    delay_minutes: int = 0
    consent_needed: ConsentNeeded = ConsentNeeded.CLICK_ONLY_IN_EUROPE
    valid_from: date | None = None
    valid_until: date | None = None
    ads_action: str | None = None  # "<customer id>/<action id>"; None: the event is recorded and not sent
    extra_data: ConversionExtras = ConversionExtras()


class Overrides(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An assignment's settings. UNSET inherits, a value replaces; `also` is a tree added to the definition's conditions."""

    also: ConditionTree | None = None
    trigger: tuple[EventType, ...] | msgspec.UnsetType = msgspec.UNSET
    conditions: ConditionTree | None | msgspec.UnsetType = msgspec.UNSET
    threshold: Threshold | None | msgspec.UnsetType = msgspec.UNSET
    dedup: Dedup | msgspec.UnsetType = msgspec.UNSET
    value: ValueRule | msgspec.UnsetType = msgspec.UNSET
    group: str | None | msgspec.UnsetType = msgspec.UNSET
    priority: int | msgspec.UnsetType = msgspec.UNSET
    click_window_days: int | msgspec.UnsetType = msgspec.UNSET
    delay_minutes: int | msgspec.UnsetType = msgspec.UNSET
    consent_needed: ConsentNeeded | msgspec.UnsetType = msgspec.UNSET
    valid_from: date | None | msgspec.UnsetType = msgspec.UNSET
    valid_until: date | None | msgspec.UnsetType = msgspec.UNSET
    ads_action: str | None | msgspec.UnsetType = msgspec.UNSET
    extra_data: ConversionExtras | msgspec.UnsetType = msgspec.UNSET


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """One published assignment with its definition, as the matching takes it. `config` is the effective configuration."""

    assignment_id: int
    site_id: int
    label: str
    definition_key: str
    definition_revision_id: int
    assignment_revision_id: int
    config: DefinitionConfig
    ads_account_id: int | None = None
    ads_action_id: int | None = None  # our row in ads_actions
