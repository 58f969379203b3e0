"""Figures of today: beside last week's, who went quiet, and how the ledger goes."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

from fastapi import Query

from console.api.calls import Call
from console.api.lists import asked_site
from console.api.operations import Routes
from console.api.parameters import OfSite
from console.api.rights import of_some_site
from console.api.routes.figures import ROUTES as FIGURES
from custom_events.access.roles import Role
from custom_events.catalog import sites
from custom_events.ledger.progress import UploadProgress, UploadWeek, progress
from custom_events.watching.day_figures import Beside, Quiet, QuietAccount, QuietSite, Today, quiet, today

ROUTES: Final = Routes("figures", FIGURES.about)

READ: Final = of_some_site(Role.VIEWER)
QUIET_AFTER_H: Final = 24  # a day: shops sell at least once in one, or nobody misses them

_NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
_WEEK: Final = timedelta(days=7)
_TODAY: Final = Today(
    site_id=3,
    since=_NOON.replace(hour=0),
    until=_NOON,
    week_ago_since=_NOON.replace(hour=0) - _WEEK,
    week_ago_until=_NOON - _WEEK,
    deliveries=(Beside(name="understood", today=52, week_ago=48),),
    conversions=(Beside(name="accepted", today=38, week_ago=31), Beside(name="held", today=2, week_ago=0)),
)
_QUIET: Final = Quiet(
    since=_NOON - timedelta(days=1),
    sites=(QuietSite(site_id=3, name="Shop Berlin", last_at=_NOON - timedelta(days=2)),),
    accounts=(
        QuietAccount(
            customer_id="1234567890", name="Shop Berlin", lane="data_manager", last_at=_NOON - timedelta(days=2)
        ),
    ),
)
_PROGRESS: Final = UploadProgress(
    waiting={"held": 3, "queued": 12},
    expiring=1,
    weeks=(UploadWeek(week=date(2026, 11, 23), accepted=410, unmatched=12, rejected=2, withheld=31),),
)


@ROUTES.get("/figures/today", right=READ, answer=Today, example=_TODAY)
def read_today(call: Call, site_id: OfSite = None) -> Today:
    """Today as far as now beside the same hours of the same day last week: by the site's time zone, of all sites by UTC. Whoever may see some sites and not
    all names one."""
    site = asked_site(call, site_id)
    zone = None if site is None else sites.get(call.connection, site).time_zone
    return today(call.connection, now=datetime.now(UTC), site_id=site, time_zone=zone)


@ROUTES.get("/figures/quiet", right=READ, answer=Quiet, example=_QUIET)
def read_quiet(
    call: Call,
    site_id: OfSite = None,
    hours: Annotated[
        int, Query(ge=1, le=14 * 24, description="After how many hours without anything.")
    ] = QUIET_AFTER_H,
) -> Quiet:
    """Sites in which things happened and nothing has for some hours, and ads accounts to which nothing was sent for as long; accounts for whoever may see
    all sites. Whoever may see some sites and not all names one."""
    site = asked_site(call, site_id)
    with_accounts = site is None and call.caller.may(Role.VIEWER)
    after = timedelta(hours=hours)
    return quiet(call.connection, now=datetime.now(UTC), after=after, site_id=site, with_accounts=with_accounts)


@ROUTES.get("/figures/uploads", right=READ, answer=UploadProgress, example=_PROGRESS)
def read_upload_progress(call: Call, site_id: OfSite = None) -> UploadProgress:
    """What of the ledger waits now, what of it will soon be too late, and what became of conversions by week. Whoever may see some sites and not all names
    one, of which there are no weeks."""
    return progress(call.connection, datetime.now(UTC), asked_site(call, site_id))
