"""Sites: the stores that send us events."""

import re
import secrets as tokens
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from custom_events.catalog import audit, diff
from custom_events.catalog.configurations import refuse
from custom_events.catalog.reading import name_problems, quoted, read_struct
from custom_events.catalog.time_zones import zone_problems
from custom_events.conditions.problems import Problem, Severity
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries import lookups
from custom_events.queries import sites as queries
from custom_events.queries.keyset import After, Order
from custom_events.values.clicks import ConsentStatus
from custom_events.values.deliveries import Platform, TransactionIds

SITE_KEY_BYTES = 16  # 128 bits: an address nobody guesses, though the signature is what protects
PAGE = 100  # sites read at once, unless told otherwise
SHOWN_KEYS = 10  # of sites there are, where one was not found
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")
KEY_RULE = "8 to 64 letters, digits, - and _"
_DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_STATUS = re.compile(r"(?!wc-)[a-z0-9][a-z0-9_-]{0,16}\Z")  # WooCommerce: at most 20 characters with the prefix `wc-`


class SiteSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What may be set per site beyond its columns; the defaults are those of `values.deliveries.SiteContext`."""

    default_country: str | None = None  # ISO 3166 alpha-2, for national phone numbers without an address
    # WooCommerce cash on delivery counts as paid from one of these, or from statuses of the shop's own, without `wc-`
    cod_paid_when: Literal["processing", "completed"] | tuple[str, ...] = "processing"
    subscription_sources: tuple[str, ...] = ("subscription_contract",)  # Shopify order.source_name prefixes of renewals
    take_test_orders: bool = False  # as if they were real; else they match nothing
    take_sub_orders: bool = False  # WooCommerce: parts of another order, as marketplaces make them for their vendors
    payment_lost: Literal["keep", "hold", "retract"] = "retract"  # conversions of orders whose payment was lost
    payment_lost_statuses: tuple[str, ...] = ()  # WooCommerce statuses of plugins: disputes, chargebacks
    consent_default: ConsentStatus = ConsentStatus.UNKNOWN  # where an order says nothing
    transaction_ids: TransactionIds = (
        TransactionIds.SITE_AND_ID
    )  # of conversions at Google; of orders from the change on
    # Written by us when that changes: what older orders keep, and which are older.
    transaction_ids_before: TransactionIds = TransactionIds.SITE_AND_ID
    transaction_ids_since: datetime | None = None


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A store. `site_key` is its public name in webhook addresses."""

    id: int
    site_key: str
    platform: Platform
    name: str
    shop_domain: str | None
    currency: str | None
    time_zone: str
    is_active: bool
    settings: SiteSettings
    created_at: datetime
    updated_at: datetime
    removed_at: datetime | None = None


BY_ID: Final = lookups.of_select(queries.BY_ID, lambda row: msgspec.convert(row, Site))  # of `site_id`


def create(
    connection: sa.Connection,
    *,
    platform: Platform,
    name: str,
    actor: str,
    shop_domain: str | None = None,
    currency: str | None = None,
    time_zone: str = "UTC",
    settings: SiteSettings | Mapping[str, Any] | None = None,
    site_key: str | None = None,
) -> Site:
    """A new site, active, without secrets. `site_key` None: a random one.

    Raises InvalidConfiguration for a field that cannot be used, NeedsAction when the key or the domain is taken.
    """
    values = _checked(
        {
            "site_key": site_key if site_key is not None else tokens.token_urlsafe(SITE_KEY_BYTES),
            "name": name,
            "shop_domain": shop_domain,
            "currency": currency,
            "time_zone": time_zone,
            "settings": settings or {},
        },
        platform,
    )
    values["platform"] = platform.value
    with _addresses_free(connection, values):
        made = queries.add(connection, values)
    audit.record(
        connection,
        actor=actor,
        action="site.create",
        subject=f"site:{made}",
        detail={"changes": diff.lines({}, values)},
        site_id=made,
        after=values,
    )
    return get(connection, made)


def get(connection: sa.Connection, site_id: int, *, lock: bool = False) -> Site:
    """The site of this id; `lock` holds it until the end of the transaction. Raises NotFound."""
    return _found(queries.by_id(connection, site_id, lock=lock), f"id {site_id}")


def by_key(connection: sa.Connection, site_key: str) -> Site:
    """The site of this public key. Raises NotFound."""
    return _found(queries.by_key(connection, site_key), f'key "{site_key}"')


def by_domain(connection: sa.Connection, shop_domain: str) -> Site:
    """The site of this shop domain, in whatever case. Raises NotFound."""
    return _found(queries.by_domain(connection, shop_domain.strip().lower()), f'domain "{shop_domain}"')


def called(connection: sa.Connection, name: str) -> Site:
    """The site of this id, key or shop domain. Raises NotFound, naming some of those there are."""
    row = queries.called(connection, name)
    if row is None:
        known = ", ".join(site.site_key for site in page(connection, limit=SHOWN_KEYS))
        raise NotFound(
            f'There is no site "{name}" (an id, a key or a shop domain). There are: {known or "none"}. '
            "`custom-events site list` shows them all.",
            what="site",
        )
    return _site(row)


def page(connection: sa.Connection, *, after_id: int = 0, limit: int = PAGE) -> list[Site]:
    """Sites in the order of their ids; the next page begins after the last id of this one."""
    return [_site(row) for row in queries.page(connection, after_id=after_id, limit=limit)]


def search(
    connection: sa.Connection,
    *,
    text: str | None = None,
    platform: Platform | None = None,
    state: str | None = None,
    only: Collection[int] | None = None,
    sort: str = "name",
    descending: bool = False,
    after: After | None = None,
    limit: int = PAGE,
) -> list[Site]:
    """Sites whose name, key or domain holds `text`, a page of them.

    `state` is active, paused or removed; `only` are the ids that may be seen (None: all); `sort` is name or id. The next page begins
    after `keys(site, sort)` of the last one.
    """
    rows = queries.search(
        connection,
        text=text,
        platform=platform,
        state=state,
        only=only,
        order=Order(queries.ORDERS[sort], descending=descending),
        after=after,
        limit=limit,
    )
    return [_site(row) for row in rows]


def names(connection: sa.Connection, only: Collection[int] | None, limit: int) -> dict[int, str]:
    """Names of sites by id, at most `limit` of them, in the order of names; `only` are the ids that are asked for (None: all)."""
    return queries.names(connection, only, limit)


def keys(site: Site, sort: str) -> tuple[Any, ...]:
    """By what a list sorted by `sort` orders this site."""
    return (site.name, site.id) if sort == "name" else (site.id,)


def update(connection: sa.Connection, site_id: int, *, actor: str, **changes: Any) -> Site:
    """Change `name`, `shop_domain`, `currency`, `time_zone` or `settings`; what is not named stays.

    The platform and the key never change: webhooks on their way would be lost. Raises as `create` does.
    """
    row = queries.by_id(connection, site_id, lock=True)
    old = _found(row, f"id {site_id}")
    changeable = ("name", "shop_domain", "currency", "time_zone", "settings")
    for field in changes:
        if field not in changeable:
            raise InvalidConfiguration(f"cannot be changed; these can: {', '.join(changeable)}", path=field)
    values = _checked(changes, old.platform)
    if "settings" in values:
        _keep_ids_of_older_orders(connection, old, values["settings"])
    before = {field: value for field, value in _plain(old).items() if field in values}
    changed = diff.lines(before, values)
    if changed:
        with _addresses_free(connection, values):
            queries.update(connection, site_id, values)
        audit.record(
            connection,
            actor=actor,
            action="site.update",
            subject=f"site:{site_id}",
            detail={"changes": changed},
            site_id=site_id,
            before=before,
            after=values,
        )
    return get(connection, site_id)


def _keep_ids_of_older_orders(connection: sa.Connection, old: Site, settings: dict[str, Any]) -> None:
    """A change of the transaction ids is for orders from now on: what was sent of older ones keeps its id. Raises NeedsAction where ids of
    two sites could be the same at Google."""
    for name in ("transaction_ids_before", "transaction_ids_since"):
        settings.pop(name, None)
    new_ids = TransactionIds(settings.get("transaction_ids", TransactionIds.SITE_AND_ID))
    ids_before, since = old.settings.transaction_ids_before, old.settings.transaction_ids_since
    if new_ids is not old.settings.transaction_ids:
        ids_before, since = old.settings.transaction_ids, queries.database_now(connection)
        others = [] if new_ids is TransactionIds.SITE_AND_ID else queries.sites_with_same_actions(connection, old.id)
        if others:
            raise NeedsAction(
                f"Orders of site {old.id} and of {', '.join(others)} could have the same id at Google: they feed one ads action, and "
                "these sites have no number of the site in theirs. Give the sites different ads actions, or keep site_and_id.",
                who="editor",
            )
    if ids_before is not TransactionIds.SITE_AND_ID:
        settings["transaction_ids_before"] = ids_before.value
    if since is not None:
        settings["transaction_ids_since"] = since.isoformat()


def pause(connection: sa.Connection, site_id: int, *, actor: str, reason: str = "") -> Site:
    """What the site sends is taken and understood from now on, and matches nothing. It is not refused: Shopify deletes a webhook after 8
    failures in a row, WooCommerce disables one after 6 (docs/reference/platforms.md 1.5, 2.1)."""
    return _switch(connection, site_id, "pause", {"is_active": False}, actor=actor, reason=reason)


def resume(connection: sa.Connection, site_id: int, *, actor: str, reason: str = "") -> Site:
    """The site's events match again, and a removed site's deliveries are taken again. What came meanwhile matches by a replay."""
    return _switch(connection, site_id, "resume", {"is_active": True, "removed_at": None}, actor=actor, reason=reason)


def remove(connection: sa.Connection, site_id: int, *, actor: str, reason: str = "") -> Site:
    """Deliveries of the site are refused from now on (410), so that its store gives the webhooks up. What is stored stays; `resume` brings
    it back."""
    removed_at = get(connection, site_id).removed_at or queries.database_now(connection)
    return _switch(
        connection, site_id, "remove", {"is_active": False, "removed_at": removed_at}, actor=actor, reason=reason
    )


def _switch(
    connection: sa.Connection, site_id: int, verb: str, wanted: dict[str, Any], *, actor: str, reason: str
) -> Site:
    old = get(connection, site_id)
    if any(getattr(old, name) != value for name, value in wanted.items()):
        queries.update(connection, site_id, wanted)
        queries.touch_assignments(connection, site_id)
        site = get(connection, site_id)
        audit.record(
            connection,
            actor=actor,
            action=f"site.{verb}",
            subject=f"site:{site_id}",
            detail={"reason": reason},
            site_id=site_id,
            before=_standing(old),
            after=_standing(site),
        )
        return site
    return old


def _standing(site: Site) -> dict[str, Any]:
    """Whether its deliveries are taken and match."""
    plain: dict[str, Any] = msgspec.to_builtins({"is_active": site.is_active, "removed_at": site.removed_at})
    return plain


@contextmanager
def _addresses_free(connection: sa.Connection, values: Mapping[str, Any]) -> Generator[None]:
    """Say whose name is taken, and leave the caller's transaction usable."""
    try:
        with connection.begin_nested():
            yield
    except IntegrityError as error:
        field = "shop_domain" if "shop_domain" in str(error.orig) else "site_key"
        raise NeedsAction(
            f'Another site has the {field} "{values.get(field)}". Change that one, or choose another.'
        ) from None


def problems(fields: Mapping[str, Any], platform: Platform) -> list[Problem]:
    """Everything that keeps these columns (of `create` and `update`) from being used."""
    faults: list[Problem] = []
    if "site_key" in fields and not _KEY.match(fields["site_key"]):
        wrong = f"{quoted(fields['site_key'])} is not a site's key"
        faults.append(Problem(path="site_key", wrong=wrong, right=KEY_RULE))
    if "name" in fields:
        faults += name_problems("name", fields["name"], "a name for people")
    if "shop_domain" in fields:
        faults += _domain_problems(fields["shop_domain"], platform)
    if fields.get("currency") is not None and not _CURRENCY.match(fields["currency"]):
        wrong = f"{quoted(fields['currency'])} is not an ISO 4217 code"
        faults.append(Problem(path="currency", wrong=wrong, right="three capitals, EUR for example"))
    if "time_zone" in fields:
        faults += zone_problems(fields["time_zone"])
    if "settings" in fields:
        faults += _settings_problems(fields["settings"], platform)
    return faults


def _domain_problems(domain: str | None, platform: Platform) -> Iterator[Problem]:
    if domain is None:
        store = PLATFORMS[platform]
        if store.shop_domain is not None:
            right = f"a {store.title} site is found by it: {store.shop_domain.example}"
            yield Problem(path="shop_domain", wrong="it is missing", right=right)
    elif not _DOMAIN.match(domain.strip().lower()):
        wrong = f"{quoted(domain)} is not a host name"
        yield Problem(path="shop_domain", wrong=wrong, right="my-shop.example for example")


def _settings_problems(settings: Mapping[str, Any] | SiteSettings, platform: Platform) -> Iterator[Problem]:
    read = _settings(settings)
    if isinstance(read, list):
        yield from (msgspec.structs.replace(problem, path=f"settings.{problem.path}".rstrip(".")) for problem in read)
        return
    if read.default_country is not None and not _COUNTRY.match(read.default_country):
        wrong = f"{quoted(read.default_country)} is not an ISO 3166 code"
        yield Problem(path="settings.default_country", wrong=wrong, right="two capitals, DE for example")
    if not isinstance(read.cod_paid_when, str):
        for place, status in enumerate(read.cod_paid_when):
            if not _STATUS.match(status):
                right = "as orders show it, without wc-: delivered for example"
                yield Problem(
                    path=f"settings.cod_paid_when[{place}]", wrong=f"{quoted(status)} is not a status", right=right
                )
    elsewhere = {
        name: other for other, store in PLATFORMS.items() if other is not platform for name in store.own_settings
    }
    for name, only in sorted(elsewhere.items()):
        if getattr(read, name) != getattr(SiteSettings(), name):
            yield Problem(
                path=f"settings.{name}",
                wrong=f"it has no effect on a site of {platform}",
                right=f"remove it: only {only} has it",
                severity=Severity.WARNING,
            )


def _settings(settings: Mapping[str, Any] | SiteSettings) -> SiteSettings | list[Problem]:
    return read_struct(_plain_settings(settings) if isinstance(settings, SiteSettings) else settings, SiteSettings)


def _checked(fields: Mapping[str, Any], platform: Platform) -> dict[str, Any]:
    """The columns to write, in their plain form. Raises InvalidConfiguration for the first that cannot be used."""
    refuse(problems(fields, platform))
    values = dict(fields)
    if values.get("shop_domain") is not None:
        values["shop_domain"] = values["shop_domain"].strip().lower()
    if "settings" in values and isinstance(read := _settings(values["settings"]), SiteSettings):
        values["settings"] = _plain_settings(read)
    return values


def _found(row: sa.Row[*tuple[Any, ...]] | None, by: str) -> Site:
    if row is None:
        raise NotFound(f"There is no site with {by}.", what="site")
    return _site(row)


def _site(row: sa.Row[*tuple[Any, ...]]) -> Site:
    return msgspec.convert(row, Site, from_attributes=True)


def _plain(site: Site) -> dict[str, Any]:
    return {**msgspec.structs.asdict(site), "settings": _plain_settings(site.settings)}


def _plain_settings(settings: SiteSettings) -> dict[str, Any]:
    """As the database keeps them: pure JSON, defaults left out."""
    return msgspec.json.decode(msgspec.json.encode(settings))
