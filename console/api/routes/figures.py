"""The figures of every stage: for people, and for Prometheus."""

from datetime import UTC, datetime
from typing import Final

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from console.api.calls import Answer, Call
from console.api.lists import as_query
from console.api.operations import Routes
from console.api.parameters import Since, Until
from console.api.rights import of_all_sites, of_site
from console.api.routes.sites import SiteId
from custom_events.access.roles import NOBODY, Role
from custom_events.watching.site_figures import SiteFigures, site_figures
from custom_events.watching.status import Status, status
from custom_events.watching.sums import Sums

ROUTES: Final = Routes("figures", "What came in, what went out, and whether the sums agree.")
METRICS: Final = Routes("figures", ROUTES.about, prefix="")

READ: Final = of_all_sites(Role.VIEWER, local=True)
_EXAMPLE_SUMS = Sums()
_EXAMPLE = Status(
    agree=True,
    sums=_EXAMPLE_SUMS,
    open_work={"raw_events": 0, "uploads": 3},
    commerce_events={"order.paid": 41},
    custom_events={"purchase": 41},
    uploads={"accepted": 38, "held": 3},
    adjustments={},
    reasons={"held: click_too_recent": 3},
)

_OF_SITE = SiteFigures(
    site_id=3,
    since=datetime(2026, 11, 23, 12, tzinfo=UTC),
    until=datetime(2026, 11, 30, 12, tzinfo=UTC),
    deliveries={"understood": 52, "parked": 1},
    commerce_events={"order.paid": 41},
    custom_events={"queued": 40, "withheld": 1},
    conversions={"accepted": 38, "held": 2},
    adjustments={},
)


@ROUTES.get("/status", right=READ, answer=Status, example=_EXAMPLE, of_primary=True)
def read_status(call: Call) -> Status:
    """The figures of every stage, the open work, and whether the sums agree; for whoever is not signed in as of ten seconds ago at most."""
    if call.caller is NOBODY and "authorization" not in call.asked.headers:  # open figures look at no key
        return call.scrapes.status()
    return status(call.connection, call.settings, datetime.now(UTC))


@ROUTES.get("/sites/{site_id}/figures", right=of_site(Role.VIEWER), answer=SiteFigures, example=_OF_SITE)
def read_site_figures(call: Call, site_id: SiteId, since: Since = None, until: Until = None) -> SiteFigures:
    """One site's figures within a stretch of 31 days at most, the last seven unless told otherwise: what came, what was made of it."""
    now = datetime.now(UTC)
    return as_query(lambda: site_figures(call.connection, site_id, now=now, since=since, until=until))


@METRICS.get(
    "/metrics", right=READ, answer=str, media_type="text/plain", example="custom_events_pipeline_backlog_rows 0.0\n"
)
def read_metrics(call: Call) -> Answer:
    """Figures of the pipeline and the ledger for Prometheus; the receiver has its own at its /metrics."""
    return Answer(content=call.scrapes.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
