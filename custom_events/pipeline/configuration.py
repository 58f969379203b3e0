"""What is configured, as one batch uses it throughout: sites, published rules compiled, ads actions. Loaded once per change."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import structlog

from custom_events.errors import Transient
from custom_events.matching.compiled_rules import CompiledRules, Rule
from custom_events.matching.effective import effective
from custom_events.pipeline import kept_fields
from custom_events.pipeline.bulk_rows import Connection
from custom_events.pipeline.conversion import AdsAction
from custom_events.pipeline.matching import NeedsMemo
from custom_events.queries import matching as sql
from custom_events.values.definitions import Assignment, DefinitionConfig, Overrides
from custom_events.values.deliveries import Platform, SiteContext, TransactionIds
from custom_events.values.events import EventType

LOADS_LIMIT = 5  # loads in a row during each of which somebody changed something
LOAD_AGAIN_S = 1.0

_T = TypeVar("_T")
Version = tuple[tuple[Any, ...], ...]
Defined = tuple[int, str, DefinitionConfig]  # revision, the definition's key, what the revision says

# A billing attempt names its order, and comes before or after it.
_BEFORE_THEIR_ORDER = frozenset(kind for kind in EventType if kind.startswith("subscription."))

# What understanding reads of sites.settings; the other settings there are for other stages.
_SITE_SETTINGS = frozenset(
    (
        "default_country",
        "cod_paid_when",
        "subscription_sources",
        "take_test_orders",
        "take_sub_orders",
        "payment_lost_statuses",
        *("transaction_ids", "transaction_ids_before", "transaction_ids_since"),
    )
)


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """One set of revisions. `actions` by our id, `action_names` by the name that rules use ("<customer id>/<action id>"); `needs`
    and `later` remember what the rules ask for; `site_wide` are those with a threshold over a whole site, by site, `countable` those whose
    threshold can be counted by customer;
    `orders_come_first` the sites none of whose rules waits for an event that may name an order before the order itself comes; `kept`: the
    fields that are kept because rules name them."""

    version: Version
    sites: dict[int, SiteContext]
    compiled_rules: CompiledRules
    actions: dict[int, AdsAction]
    action_names: dict[str, AdsAction] = {}
    needs: NeedsMemo = {}
    later: dict[tuple[int, EventType], frozenset[EventType]] = {}
    site_wide: dict[int, tuple[Rule, ...]] = {}
    countable: dict[int, tuple[Rule, ...]] = {}
    orders_come_first: frozenset[int] = frozenset()
    kept: kept_fields.KeptFields = kept_fields.KeptFields(())


class ConfigurationCache:
    """Keeps the last configuration while nothing in its tables changes. One for each process, for all the workers that drain in it."""

    def __init__(self) -> None:
        self._kept: Configuration | None = None
        self._loading = asyncio.Lock()  # workers that miss together load once

    async def current(self, connection: Connection) -> Configuration:
        """The configuration as it is committed now; asks for a fingerprint and loads only when that differs."""
        version = await _version(connection)
        async with self._loading:
            return await self._fitting(connection, version)

    async def _fitting(self, connection: Connection, version: Version) -> Configuration:
        kept = self._kept
        for _ in range(LOADS_LIMIT):
            if kept is not None and kept.version == version:
                return kept
            self._kept = kept = await load(connection, version)
            version = await _version(connection)  # changed between our statements: a mixture, load again
        raise Transient("The configuration changes faster than it can be loaded", LOAD_AGAIN_S)


async def _version(connection: Connection) -> Version:
    return tuple(sorted(tuple(row) for row in await connection.fetch(sql.CONFIGURATION_VERSION)))


async def load(connection: Connection, version: Version = ()) -> Configuration:
    """Read and compile everything. A stored rule or site setting that cannot be read is left out, with a warning: it stops
    nothing else."""
    sites = [site_of(*row) for row in await connection.fetch(sql.SITES)]
    rows = await connection.fetch(sql.ADS_ACTIONS)
    actions = {row[0]: action_of(*row[1:]) for row in rows}
    definitions: dict[int, Defined] = {}
    for definition_id, revision_id, key, config in await connection.fetch(sql.DEFINITIONS):
        read = read_rule(config, DefinitionConfig, definition=key)
        if read is not None:
            definitions[definition_id] = (revision_id, key, read)
    assignments = [
        assignment
        for row in await connection.fetch(sql.ASSIGNMENTS)
        if (assignment := assignment_of(row, definitions, actions)) is not None
    ]
    sites = _without_common_ids(sites, assignments)
    compiled_rules = CompiledRules(assignments, {site.site_id: site.time_zone for site in sites})
    return Configuration(
        version=version,
        sites={site.site_id: site for site in sites},
        compiled_rules=compiled_rules,
        site_wide=compiled_rules.site_wide(),
        countable=compiled_rules.countable(),
        orders_come_first=frozenset(
            number for number, site in compiled_rules.sites.items() if not site.buckets.keys() & _BEFORE_THEIR_ORDER
        ),
        kept=await kept_fields.load(connection),
        actions={action.id: action for action in actions.values()},
        action_names=actions,
    )


def _without_common_ids(sites: list[SiteContext], assignments: list[Assignment]) -> list[SiteContext]:
    """The sites; of several that feed one ads action and whose transaction ids name no site, each gets ids that do, whatever was assigned
    since they were chosen."""
    bare = {site.site_id for site in sites if site.transaction_ids is not TransactionIds.SITE_AND_ID}
    if not bare:
        return sites
    feeding: dict[int, set[int]] = {}
    for assignment in assignments:
        if assignment.site_id in bare and assignment.ads_action_id is not None:
            feeding.setdefault(assignment.ads_action_id, set()).add(assignment.site_id)
    meeting = {site_id for together in feeding.values() if len(together) > 1 for site_id in together}
    return [
        msgspec.structs.replace(site, transaction_ids=TransactionIds.SITE_AND_ID) if site.site_id in meeting else site
        for site in sites
    ]


def assignment_of(row: Any, definitions: Mapping[int, Defined], actions: Mapping[str, AdsAction]) -> Assignment | None:
    """A row (id, site, label, definition, revision, overrides) with its definition, by id (revision, key, configuration). None
    when that is not there, or the overrides cannot be read."""
    assignment_id, site_id, label, definition_id, revision_id, overrides = row
    if definition_id not in definitions:  # nothing published yet
        return None
    definition_revision_id, key, definition = definitions[definition_id]
    read = read_rule(overrides, Overrides, assignment=assignment_id)
    if read is None:
        return None
    config = effective(definition, read)
    action = actions.get(config.ads_action or "")
    return Assignment(
        assignment_id=assignment_id,
        site_id=site_id,
        label=label,
        definition_key=key,
        definition_revision_id=definition_revision_id,
        assignment_revision_id=revision_id,
        config=config,
        ads_account_id=action.ads_account_id if action else None,
        ads_action_id=action.id if action else None,
    )


def action_of(
    action_id: int, ads_account_id: int, click_window_days: int, one_per_click: bool, created_at: datetime | None
) -> AdsAction:
    """A row of ADS_ACTIONS after its name."""
    return AdsAction(
        id=action_id,
        ads_account_id=ads_account_id,
        click_window_days=click_window_days,
        one_per_click=one_per_click,
        created_at=created_at,
    )


def site_of(
    site_id: int,
    platform: str,
    shop_domain: str | None,
    currency: str | None,
    time_zone: str,
    settings: str,
    is_active: bool,
) -> SiteContext:
    """A row of SITES."""
    known = {
        "site_id": site_id,
        "platform": Platform(platform),
        "shop_domain": shop_domain,
        "currency": currency,
        "time_zone": time_zone,
        "is_active": is_active,
    }
    stored: dict[str, Any] = msgspec.json.decode(settings)
    chosen = {name: value for name, value in stored.items() if name in _SITE_SETTINGS and value is not None}
    try:
        return msgspec.convert({**known, **chosen}, SiteContext)
    except msgspec.ValidationError as error:
        structlog.get_logger().warning("site_settings_unreadable", site_id=site_id, reason=str(error))
        return msgspec.convert(known, SiteContext)


def read_rule(text: str, kind: type[_T], **about: Any) -> _T | None:
    """A stored rule; None, with a warning that names it by `about`, when it cannot be read."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        structlog.get_logger().warning("rule_unreadable", reason=str(error), **about)
        return None
