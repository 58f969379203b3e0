"""Sites: the stores that send us events."""

from datetime import UTC, datetime
from operator import attrgetter
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.parameters import Search
from console.api.rights import Resource, of_all_sites, of_site, of_some_site
from custom_events.access.roles import Role
from custom_events.catalog import connecting, removal, sites
from custom_events.catalog.connecting import Arrivals
from custom_events.values.deliveries import Platform
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("sites", "The stores that send us events.")

SiteId = Annotated[int, Path(ge=1, le=MAX_ID, description="A site's id.")]
State = Literal["active", "paused", "removed"]
Sort = Literal["name", "-name", "id", "-id"]


class SiteSettings(sites.SiteSettings, frozen=True, kw_only=True, omit_defaults=False, forbid_unknown_fields=True):
    """What may be set per site, beside its own fields; what is not given has its default."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A store. `address` is where it posts its webhooks. Active: its events match. Paused: what it sends is taken and understood, and
    matches nothing. Removed: what it sends is refused (410), so that it gives its webhooks up."""

    id: int
    site_key: str
    platform: Platform
    name: str
    shop_domain: str | None
    currency: str | None
    time_zone: str
    state: State
    settings: SiteSettings
    address: str
    created_at: datetime
    updated_at: datetime
    removed_at: datetime | None


class NewSite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A site to be made. `site_key` stands in its address; left out, it is a random one."""

    platform: Platform
    name: str
    shop_domain: str | None = None
    currency: str | None = None
    time_zone: str = "UTC"
    settings: SiteSettings = SiteSettings()
    site_key: str | None = None


class SiteReplacement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that can be changed of a site; what is not given has its default. Platform and key never change."""

    name: str
    shop_domain: str | None = None
    currency: str | None = None
    time_zone: str = "UTC"
    settings: SiteSettings = SiteSettings()


SiteSettingsChanges = msgspec.defstruct(
    "SiteSettingsChanges",
    [
        (field.name, field.type | msgspec.UnsetType, msgspec.UNSET)
        for field in msgspec.structs.fields(sites.SiteSettings)
    ],
    kw_only=True,
    frozen=True,
    forbid_unknown_fields=True,
)


class SiteChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change of a site; the rest stays, also within `settings`."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    shop_domain: str | None | msgspec.UnsetType = msgspec.UNSET
    currency: str | None | msgspec.UnsetType = msgspec.UNSET
    time_zone: str | msgspec.UnsetType = msgspec.UNSET
    settings: SiteSettingsChanges | msgspec.UnsetType = msgspec.UNSET  # pyright: ignore[reportInvalidTypeForm]


class Reason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Why, for the audit trail."""

    reason: str = ""


class LastDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """When a site's newest delivery landed."""

    site_id: int
    received_at: datetime


class LastDeliveries(msgspec.Struct, frozen=True, kw_only=True):
    """Of each site that sent anything as far back as deliveries are kept; the others never did, or long ago."""

    items: tuple[LastDelivery, ...]


class Instructions(msgspec.Struct, frozen=True, kw_only=True):
    """Where a store posts its webhooks, and what to enter there, line by line."""

    address: str
    lines: tuple[str, ...]


_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
EXAMPLE: Final = Site(
    id=3,
    site_key="berlin-shop",
    platform=Platform.CUSTOM,
    name="Shop Berlin",
    shop_domain="shop.example",
    currency="EUR",
    time_zone="Europe/Berlin",
    state="active",
    settings=SiteSettings(default_country="DE"),
    address="https://events.example/webhooks/custom/berlin-shop",
    created_at=_NOON,
    updated_at=_NOON,
    removed_at=None,
)
_NEW = {"platform": "custom", "name": "Shop Berlin", "currency": "EUR", "time_zone": "Europe/Berlin"}


@ROUTES.get("/sites", right=of_some_site(Role.VIEWER), answer=Page[Site], example=Page(items=(EXAMPLE,), next=None))
def list_sites(
    call: Call,
    search: Search = None,
    platform: Annotated[Platform | None, Query(description="Only those of this platform.")] = None,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    sort: Annotated[Sort, Query(description="By what they are sorted; with - the other way round.")] = "name",
    limit: Limit = LIMIT,
    after: After = None,
) -> Page[Site]:
    """The sites that you may see.

    `search` finds a part of the name, the key or the shop's domain.
    """
    by = sort.removeprefix("-")
    listed = sites.search(
        call.connection,
        text=search,
        platform=platform,
        state=state,
        only=call.caller.sites(),
        sort=by,
        descending=sort.startswith("-"),
        after=read_after(after, sort, (str, int) if by == "name" else (int,)),
        limit=limit + 1,
    )
    return page_of(listed, limit, sort, lambda site: sites.keys(site, by), lambda site: shown(call, site))


@ROUTES.get(
    "/last-deliveries",
    right=of_some_site(Role.VIEWER),
    answer=LastDeliveries,
    example=LastDeliveries(items=(LastDelivery(site_id=3, received_at=_NOON),)),
)
def list_last_deliveries(call: Call) -> LastDeliveries:
    """When each of the sites that you may see last sent anything: who never did is not connected yet, who stopped may be broken."""
    last = connecting.last_deliveries(call.connection, datetime.now(UTC), only=call.caller.sites())
    return LastDeliveries(
        items=tuple(LastDelivery(site_id=site_id, received_at=at) for site_id, at in sorted(last.items()))
    )


@ROUTES.post(
    "/sites",
    right=of_all_sites(Role.EDITOR),
    status=201,
    answer=Site,
    example=EXAMPLE,
    body_example=_NEW,
    tagged=True,
    raises=(problems.CONFLICT,),
)
def create_site(call: Call, body: NewSite) -> Answer:
    """Make a site, active and without secrets: make one next."""
    made = sites.create(
        call.connection,
        platform=body.platform,
        name=body.name,
        actor=call.actor,
        shop_domain=body.shop_domain,
        currency=body.currency,
        time_zone=body.time_zone,
        settings=_plain(body.settings),
        site_key=body.site_key,
    )
    return Answer(content=shown(call, made), of=made, location=f"{PREFIX}/sites/{made.id}")


@ROUTES.get(
    "/sites/{site_id}",
    right=of_site(Role.VIEWER, resource=Resource(sites.BY_ID, attrgetter("id"))),
    answer=Site,
    example=EXAMPLE,
    tagged=True,
)
def read_site(call: Call, site_id: SiteId) -> Answer:  # noqa: ARG001  (its right has read the site)
    """One site."""
    return _answer(call, call.resource)


@ROUTES.patch(
    "/sites/{site_id}",
    right=of_site(Role.EDITOR),
    answer=Site,
    example=EXAMPLE,
    body_example={"name": "Shop Berlin", "settings": {"default_country": "DE"}},
    tagged=True,
    raises=(problems.CONFLICT,),
)
def change_site(call: Call, site_id: SiteId, body: SiteChanges) -> Answer:
    """Change what is given; the rest stays, also within `settings`.

    The shop's domain decides whose deliveries these are: to change it needs the role editor of all sites.
    """
    changes = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
    old = _current(call, site_id, changes)
    if body.settings is not msgspec.UNSET:
        changes["settings"] = {**_plain(old.settings), **msgspec.to_builtins(body.settings)}
    return _answer(call, sites.update(call.connection, site_id, actor=call.actor, **changes))


@ROUTES.put(
    "/sites/{site_id}",
    right=of_site(Role.EDITOR),
    answer=Site,
    example=EXAMPLE,
    body_example={"name": "Shop Berlin", "currency": "EUR", "time_zone": "Europe/Berlin"},
    tagged=True,
    raises=(problems.CONFLICT,),
)
def replace_site(call: Call, site_id: SiteId, body: SiteReplacement) -> Answer:
    """Replace all that can be changed of a site; what is not given gets its default.

    The shop's domain decides whose deliveries these are: to change it needs the role editor of all sites.
    """
    changes = {**msgspec.structs.asdict(body), "settings": _plain(body.settings)}
    _current(call, site_id, changes)
    return _answer(call, sites.update(call.connection, site_id, actor=call.actor, **changes))


@ROUTES.post(
    "/sites/{site_id}/pause",
    right=of_site(Role.EDITOR),
    answer=Site,
    example=msgspec.structs.replace(EXAMPLE, state="paused"),
    body_example=Reason(reason="the shop is being moved"),
    tagged=True,
)
def pause_site(call: Call, site_id: SiteId, body: Reason) -> Answer:
    """Take what the site sends, understand it, and match nothing of it, until it is resumed."""
    return _answer(call, sites.pause(call.connection, site_id, actor=call.actor, reason=body.reason))


@ROUTES.post(
    "/sites/{site_id}/resume",
    right=of_site(Role.EDITOR),
    answer=Site,
    example=EXAMPLE,
    body_example=Reason(),
    tagged=True,
)
def resume_site(call: Call, site_id: SiteId, body: Reason) -> Answer:
    """End the pause, or bring a removed site back. A replay matches what came meanwhile."""
    return _answer(call, sites.resume(call.connection, site_id, actor=call.actor, reason=body.reason))


@ROUTES.post(
    "/sites/{site_id}/remove",
    right=of_site(Role.ADMINISTRATOR),
    answer=Site,
    example=msgspec.structs.replace(EXAMPLE, state="removed", removed_at=_NOON),
    body_example=Reason(reason="closed"),
    tagged=True,
)
def remove_site(call: Call, site_id: SiteId, body: Reason) -> Answer:
    """Refuse what the site sends (410), so that its store gives the webhooks up. What is stored stays; resuming brings it back."""
    return _answer(call, sites.remove(call.connection, site_id, actor=call.actor, reason=body.reason))


@ROUTES.delete("/sites/{site_id}", right=of_site(Role.ADMINISTRATOR), raises=(problems.CONFLICT, problems.IN_USE))
def delete_site(call: Call, site_id: SiteId) -> None:
    """Delete a removed site that never sent anything and has no assignments, with its secrets; others stay removed."""
    removal.delete_site(call.connection, site_id, actor=call.actor)


@ROUTES.get(
    "/sites/{site_id}/instructions",
    right=of_site(Role.VIEWER),
    answer=Instructions,
    example=Instructions(address=EXAMPLE.address, lines=(f"Post JSON to {EXAMPLE.address}, signed with the secret",)),
)
def read_instructions(call: Call, site_id: SiteId) -> Instructions:
    """What to enter in the store, so that it sends to us."""
    site = sites.get(call.connection, site_id)
    address = connecting.address(call.settings, site)
    return Instructions(address=address, lines=tuple(connecting.instructions(site, address)))


@ROUTES.get(
    "/sites/{site_id}/arrivals",
    right=of_site(Role.VIEWER),
    answer=Arrivals,
    example=Arrivals(raw_id=17, received_at=_NOON, topic="order.paid", refused={"wrong_signature": 2}),
)
def read_arrivals(
    call: Call,
    site_id: SiteId,
    since: Annotated[datetime | None, Query(description="From when on (RFC 3339); an hour ago unless given.")] = None,
) -> Arrivals:
    """Whether anything has landed, and why what came was refused: for whoever connects a store."""
    site = sites.get(call.connection, site_id)
    return connecting.arrivals_since(call.connection, site, since)


def shown(call: Call, site: sites.Site) -> Site:
    """A site as the API shows it."""
    return Site(
        **{name: getattr(site, name) for name in sites.Site.__struct_fields__ if name not in ("is_active", "settings")},
        state="active" if site.is_active else "paused" if site.removed_at is None else "removed",
        settings=msgspec.convert(site.settings, SiteSettings, from_attributes=True),
        address=connecting.address(call.settings, site),
    )


def _answer(call: Call, site: sites.Site) -> Answer:
    return Answer(content=shown(call, site), of=site)


def _current(call: Call, site_id: int, changes: dict[str, Any]) -> sites.Site:
    """The site under a lock, as the caller read it. Raises 412, and 403 for another domain by an editor of this site alone."""
    site = sites.get(call.connection, site_id, lock=True)
    call.check_precondition(site, shown(call, site), yours=changes)
    if changes.get("shop_domain", site.shop_domain) != site.shop_domain:
        call.require(Role.EDITOR, None)
    return site


def _plain(settings: sites.SiteSettings) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(settings)
    return plain
